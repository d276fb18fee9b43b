"""Look at stored studies and remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
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
from augsearch.store.runs import (
    ABLATION,
    ALSO,
    BASELINE,
    CERTIFICATION,
    CONFIRMATION,
    ON_SEALED,
    PHASES,
    SUPERVISED,
    TRIAGE,
)
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
        policy: its name, such as `trial 12` or `SimCLR s=1`.
        seed: number of the fresh seed; 0 in the search.
    """

    kind: str
    name: str
    state: str
    score: float | None
    step: int | None
    scored_on: Literal["validation", "test"]
    digest: str
    policy: str = ""
    seed: int = 0


TITLES = {
    (CONFIRMATION, "complete"): "Confirmation: sealed images, fresh seeds",
    (ALSO, "complete"): "Confirmation with labels, without SimCLR: sealed images, fresh seeds",
    ("trial", "complete"): "Search, complete trials: validation images, one seed",
    (BASELINE, "complete"): "Search, baselines: validation images, one seed",
    ("trial", "pruned"): "Search, stopped early: validation images, score when stopped",
    (CERTIFICATION, "complete"): "Certification, longer runs: validation images",
    (ABLATION, "complete"): "Ablation: validation images",
    (SUPERVISED, "complete"): "Training with labels, without SimCLR: validation images",
    (TRIAGE, "complete"): "Triage: validation images",
}
"""Kind and state of runs -> what they are, in their order. Others are not complete."""
REST = "Failed or not finished"


@dataclass(frozen=True)
class Section:
    """Runs whose scores are alike, best first.

    Attributes:
        confirms: whether they are the confirmation.
    """

    title: str
    confirms: bool
    runs: tuple[StoredRun, ...]

    @property
    def policies(self) -> dict[str, list[StoredRun]]:
        """The runs of each policy, best mean first."""
        found: dict[str, list[StoredRun]] = {}
        for run in self.runs:
            found.setdefault(run.policy, []).append(run)
        return dict(sorted(found.items(), key=lambda one: -_mean(one[1])))


def _mean(runs: Sequence[StoredRun]) -> float:
    return fmean([run.score or 0.0 for run in runs])


@dataclass(frozen=True)
class StoredStudy:
    """A stored study with its runs, best first. Scores are alike within a section only.

    Attributes:
        recommended: the name of the recommended policy; empty without a verdict.
        intervals: by policy, how sure the confirmed mean is (95 %), once there is a verdict.
    """

    summary: StudySummary
    metric: str
    rows: tuple[StoredRun, ...]
    recommended: str = ""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The runs by what their scores are."""
        found: dict[str, list[StoredRun]] = {title: [] for title in (*TITLES.values(), REST)}
        for row in self.rows:
            found[TITLES.get((row.kind, row.state), REST)].append(row)
        first = TITLES[CONFIRMATION, "complete"]
        return tuple(
            Section(title, title == first, tuple(rows)) for title, rows in found.items() if rows
        )


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
    name = store.name
    rows = [
        StoredRun(
            kind=run.phase,
            name=f"{run.phase}: {run.name}" + (f" seed {run.replicate}" if run.replicate else ""),
            state="complete" if run.outcome else "fail",
            score=run.outcome.score if run.outcome else None,
            step=run.outcome.steps if run.outcome else None,
            scored_on="test" if run.phase in ON_SEALED else "validation",
            digest=run.policy.digest if run.policy else "",
            policy=run.name,
            seed=run.replicate,
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
                policy=trial_name(trial),
            )
        )
    summary = next(one for one in list_stored(storage) if one.name == name)
    result = store.kept.result
    return StoredStudy(
        summary,
        stored_metric(store),
        tuple(sorted(rows, key=lambda row: -(row.score or 0.0))),
        recommended=str(result.get("verdict", {}).get("recommended", "")),
        intervals={
            one["name"]: tuple(ends)
            for one in result.get("policies", ())
            if (ends := one.get("images_interval") or one.get("confirmed_interval"))
        },
    )


def delete_stored(storage: str, name: str) -> Deleted:
    """Delete a study with its runs and registered policies in MLflow.

    Raises:
        StudyError: there is no such study, a live process is running it, or MLflow is away.
    """
    quiet_mlflow()
    data = find_study(storage, name, exactly=True).kept.settings.get("data", {})
    with owner_lock(storage, name):
        # MLflow first: if it is away, the study is still there to be deleted later.
        runs, registered = delete_mirrored(name, data.get("digest", ""))
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
