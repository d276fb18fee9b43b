"""Look at stored studies and remove them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.data.cache import clear_cache
from augsearch.engines.board import Board
from augsearch.space.trust import running_nothing
from augsearch.store.database import find_storage, is_running, open_storage, owner_lock
from augsearch.store.frozen_trials import (
    trial_curve,
    trial_name,
    trial_outcome,
    trial_policy,
    trial_score,
)
from augsearch.store.listing import StudySummary, board_name, delete_study, summaries
from augsearch.store.runs import ALSO, ON_SEALED, PHASES, TRIAGE
from augsearch.store.stored import find_study, stored_metric
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.upkeep import delete_mirrored

UNUSED_DAYS = 30
"""After which decoded images are in nobody's way."""


@dataclass(frozen=True)
class StoredRun:
    """One run of a stored study.

    Attributes:
        kind: `trial`, or the phase: `baseline`, `confirmation`, `certification`, `ablation`,
            `supervised`.
        state: `complete`, `pruned` (stopped early) or `fail`.
        score: of a stopped trial the last one, at `step`.
        step: optimiser steps that the score is after; None if they are not known.
        scored_on: `validation` or `test` (the sealed images).
    """

    kind: str
    name: str
    state: str
    score: float | None
    step: int | None
    scored_on: Literal["validation", "test"]
    digest: str


@dataclass(frozen=True)
class StoredStudy:
    """A stored study with its runs, best first. Scores are alike within a section only."""

    summary: StudySummary
    metric: str
    rows: tuple[StoredRun, ...]

    @property
    def sections(self) -> dict[str, tuple[StoredRun, ...]]:
        """The runs by what their scores are, in words."""
        titles = {
            ("trial", "complete"): "search: baselines and complete trials, validation images",
            ("baseline", "complete"): "search: baselines and complete trials, validation images",
            ("trial", "pruned"): "stopped early: score at the last rung, validation images",
            ("confirmation", "complete"): "confirmation on fresh seeds: sealed test images",
            ("certification", "complete"): "certification, longer runs: validation images",
            ("ablation", "complete"): "ablation: validation images",
            ("supervised", "complete"): "supervised training: validation images",
            (ALSO, "complete"): "supervised training, confirmed: sealed test images",
            (TRIAGE, "complete"): "triage: validation images",
        }
        found: dict[str, list[StoredRun]] = {title: [] for title in titles.values()}
        for row in self.rows:
            found.setdefault(titles.get((row.kind, row.state), "failed"), []).append(row)
        return {title: tuple(rows) for title, rows in found.items() if rows}


@dataclass(frozen=True)
class Deleted:
    """What MLflow had of a deleted study.

    Attributes:
        versions: of its registered policies that are deleted.
        kept: URIs of versions that stay, because they have an alias that is not augsearch's.
    """

    runs: int
    versions: int
    kept: tuple[str, ...]


def list_stored(storage: str) -> list[StudySummary]:
    """Every study in the database at `storage`."""
    opened = find_storage(storage)
    with running_nothing():
        return summaries(opened) if opened is not None else []


@running_nothing()
def stored_study(storage: str, name: str) -> StoredStudy:
    """One study. StudyError if there is none of that name."""
    store = find_study(storage, name)
    rows = [
        StoredRun(
            kind=run.phase,
            name=f"{run.phase}: {run.name}" + (f" seed {run.replicate}" if run.replicate else ""),
            state="complete" if run.outcome else "fail",
            score=run.outcome.score if run.outcome else None,
            step=run.outcome.steps if run.outcome else None,
            scored_on="test" if run.phase in ON_SEALED else "validation",
            digest=run.policy.digest if run.policy else "",
        )
        for phase in PHASES
        for run in store.runs(phase).values()
    ]
    for trial in store.trials():
        outcome = trial_outcome(trial)
        step, last = max(trial_curve(trial), default=(None, None))
        rows.append(
            StoredRun(
                kind="trial",
                name=trial_name(trial),
                state=trial.state.name.lower(),
                score=trial_score(trial) if trial.state.name == "COMPLETE" else last,
                step=outcome.steps if outcome else step,
                scored_on="validation",
                digest=trial_policy(trial).digest if "policy" in trial.user_attrs else "",
            )
        )
    summary = next(one for one in list_stored(storage) if one.name == name)
    measured = stored_metric(store)
    return StoredStudy(summary, measured, tuple(sorted(rows, key=lambda row: -(row.score or 0.0))))


def delete_stored(storage: str, name: str) -> Deleted:
    """Delete a study with its runs and registered policies in MLflow.

    Raises:
        StudyError: there is no such study, a live process is running it, or MLflow is away.
    """
    quiet_mlflow()
    find_study(storage, name)
    with owner_lock(storage, name):
        # MLflow first: if it is away, the study is still there to be deleted later.
        runs, registered = delete_mirrored(name)
        board = Board(storage, board_name(storage, name))
        if board.is_made():
            board.clear()
        delete_study(open_storage(storage), name)
    return Deleted(runs, registered.versions, registered.kept)


def empty_studies(storage: str) -> list[str]:
    """Names of the studies that hold no finished trial and that no process is running."""
    return [
        one.name
        for one in list_stored(storage)
        if one.finished == 0 and not is_running(storage, one.name)
    ]


def clean_stored(storage: str, *, unused_days: float = UNUSED_DAYS) -> int:
    """Delete empty studies, and decoded images that no run has begun with for so many days; bytes
    freed from the cache."""
    for name in empty_studies(storage):
        delete_stored(storage, name)
    return clear_cache(unused_days=unused_days)
