"""Optuna's trials and other runs, in the form in which MLflow is told about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

from augsearch.bench.outcome import Outcome
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.space.strengths import by_strength
from augsearch.store.frozen_trials import (
    PRICE,
    FrozenTrial,
    TrialState,
    trial_curve,
    trial_name,
    trial_outcome,
    trial_policy,
)
from augsearch.store.runs import BASELINE, Run
from augsearch.store.study_store import Store
from augsearch.study.trial_notes import Standing, standing, trial_note
from augsearch.tracking.tracker import Record, in_percent, in_points
from augsearch.tracking.upkeep import PICTURES_TAG

Paint = Callable[[Policy], bytes]
LONGEST = 200
"""Characters of a class's name that MLflow is told, which takes 250 for a metric."""
STATUS = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}


class Described(Protocol):
    """What records say of a study beside its runs: `Setup` with its images, `Remembered` without
    them."""

    @property
    def space(self) -> Space:
        """Of its trials."""

    def as_found(self, policy: Policy) -> Policy:
        """The policy with what it was found on."""

    def executor_of(self, policy: Policy) -> str:
        """Who renders a policy's views, in words."""


@dataclass(frozen=True)
class _Maker:
    """Makes records of a study's runs.

    Attributes:
        paint: None where there are no images.
        stands: what trials are measured by; asked for only when a record is made.
    """

    study: Described
    paint: Paint | None
    stands: Callable[[], Standing]

    def of_run(self, run: Run) -> Record:
        """The record of a baseline, a confirmation, a cell of an ablation and the like."""
        replicate = f" seed {run.replicate}" if run.phase != BASELINE else ""
        seconds = run.outcome.seconds["total"] if run.outcome else 0.0
        tags = {
            "augsearch.kind": run.phase,
            "augsearch.policy": run.name,
            **self._policy_tags(run.policy),
            **self._without_picture(run.policy),
        }
        if run.failure:
            tags["augsearch.failure"] = run.failure
        return Record(
            key=run.key,
            name=f"{run.phase}: {run.name}{replicate}",
            status="FINISHED" if run.outcome else "FAILED",
            params={"replicate": str(run.replicate), **self._policy_params(run.policy)},
            metrics=_metrics(run.outcome) if run.outcome else {},
            series=_series(run.outcome.curve, run.outcome.losses) if run.outcome else {},
            tags=tags,
            artifacts=lambda: self._files(run.policy),
            start=run.ended - int(1000 * seconds),
            end=run.ended,
        )

    def of_trial(self, trial: FrozenTrial) -> Record:
        """The record of a trial that has ended."""
        policy, outcome, stands = trial_policy(trial), trial_outcome(trial), self.stands()
        gain = {}
        if outcome and stands.baseline:
            gain = in_points({"gain": outcome.score - stands.baseline[1]})
        metrics = gain | _metrics(outcome) if outcome else {}
        if price := trial.user_attrs.get(PRICE):
            metrics |= in_points({"price": price})
        tags = {
            "augsearch.kind": "trial",
            "augsearch.trial": str(trial.number),
            "augsearch.state": trial.state.name.lower(),
            **self._policy_tags(policy),
            **self._without_picture(policy),
        }
        if reason := trial.user_attrs.get("failure"):
            tags["augsearch.failure"] = reason
        began, ended = trial.datetime_start, trial.datetime_complete
        return Record(
            key=trial_key(trial),
            name=trial_name(trial),
            status=STATUS[trial.state],
            params=self._policy_params(policy),
            metrics=metrics,
            series=_series(outcome.curve, outcome.losses)
            if outcome
            else _series(trial_curve(trial), ()),
            tags=tags,
            artifacts=lambda: self._files(policy),
            start=int(began.timestamp() * 1000) if began else 0,
            end=int(ended.timestamp() * 1000) if ended else 0,
            description=trial_note(trial, stands),
        )

    def _files(self, policy: Policy | None) -> dict[str, bytes]:
        if policy is None:
            return {}
        picture = {} if self.paint is None else {"views.png": self.paint(policy)}
        return {**self.study.as_found(policy).files(), **picture}

    def _without_picture(self, policy: Policy | None) -> dict[str, str]:
        return {PICTURES_TAG: "missing"} if policy and self.paint is None else {}

    def _policy_tags(self, policy: Policy | None) -> dict[str, str]:
        """What tells policies apart, and is nothing to compare them by."""
        if policy is None:
            return {}
        return {
            "augsearch.policy_digest": policy.digest,
            "augsearch.executor": self.study.executor_of(policy),
        }

    def _policy_params(self, policy: Policy | None) -> dict[str, str | float]:
        return by_strength(self.study.space, policy.flatten()) if policy else {}


def record_makers(
    store: Store, paint: Paint | None, study: Described
) -> dict[str, Callable[[], Record]]:
    """Every finished run of the study by key, each made into a Record only when asked for.

    Args:
        paint: a picture of a policy's views as PNG; None where there are no images.
    """
    maker = _Maker(study, paint, cache(partial(standing, store)))
    return {
        **{run.key: partial(maker.of_run, run) for run in store.all_runs()},
        **{trial_key(t): partial(maker.of_trial, t) for t in store.trials() if has_policy(t)},
    }


def trial_notes(store: Store) -> dict[str, str]:
    """The description of every trial by its record's key, as the study stands."""
    stands = standing(store)
    return {trial_key(t): trial_note(t, stands) for t in store.trials() if has_policy(t)}


def trial_key(trial: FrozenTrial) -> str:
    """What a trial's record is found by."""
    return f"trial/{trial.number}"


def has_policy(trial: FrozenTrial) -> bool:
    """Whether it got as far as having one."""
    return "policy" in trial.user_attrs


def _metrics(outcome: Outcome) -> dict[str, float]:
    probes = {"probe": outcome.probe, "full_probe": outcome.full_probe, "knn": outcome.knn}
    names = safe_names(outcome.class_recall)
    recalls = zip(names, outcome.class_recall.values(), strict=True)
    found = {
        **in_percent(
            {
                "score": outcome.score,
                **{name: value for name, value in probes.items() if value is not None},
                **{f"recall/{name}": value for name, value in recalls},
            }
        ),
        **{f"label_free/{name}": round(value, 4) for name, value in outcome.label_free.items()},
        **{f"seconds/{name}": round(value, 2) for name, value in outcome.seconds.items()},
    }
    if outcome.steps:
        found["images_per_second"] = round(outcome.images_per_second, 1)
        found["peak_memory_mb"] = round(outcome.peak_memory_mb, 1)
    return found


def _series(
    curve: tuple[tuple[int, float], ...], losses: tuple[tuple[int, float], ...]
) -> Mapping[str, tuple[tuple[int, float], ...]]:
    shown = tuple((step, round(100 * score, 2)) for step, score in curve)
    return {"rung_percent": shown, "loss": losses}


def safe_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names with only what MLflow allows in a metric's name, each another one, whatever the
    case, which some databases do not tell apart."""
    found: list[str] = []
    for name in names:
        short = safe_name(name)[:LONGEST]
        taken = {other.casefold() for other in found}
        tries = (short, *(f"{short} {number}" for number in range(2, len(found) + 3)))
        found.append(next(one for one in tries if one.casefold() not in taken))
    return tuple(found)


def safe_name(name: str) -> str:
    """`name` with only what MLflow allows in a metric's name."""
    return re.sub(r"[^\w\-. ]", "_", name)
