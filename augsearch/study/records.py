"""Optuna's trials and other runs, in the form in which MLflow is told about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from augsearch.bench.outcome import Outcome
from augsearch.space.policy import Policy
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
from augsearch.tracking.tracker import Record

Paint = Callable[[Policy], bytes]
LONGEST = 200
"""Characters of a class's name that MLflow is told, which takes 250 for a metric."""
ExecutorOf = Callable[[Policy], str]
Files = Callable[[Policy | None], dict[str, bytes]]
STATUS = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}


def record_makers(
    store: Store, paint: Paint, executor_of: ExecutorOf, as_found: Callable[[Policy], Policy]
) -> dict[str, Callable[[], Record]]:
    """Every finished run of the study by key, each made into a Record only when asked for.

    Args:
        paint: a picture of a policy's views as PNG.
        executor_of: who renders a policy's views, in words.
        as_found: a policy with what it was found on.
    """
    makers: dict[str, Callable[[], Record]] = {}

    def files(policy: Policy | None) -> dict[str, bytes]:
        if policy is None:
            return {}
        return {**as_found(policy).files(), "views.png": paint(policy)}

    for run in store.all_runs():
        makers[run.key] = _run_maker(run, files, executor_of)
    for trial in store.trials():
        if "policy" in trial.user_attrs:
            makers[f"trial/{trial.number}"] = _trial_maker(trial, files, executor_of)
    return makers


def _run_maker(run: Run, files: Files, executor_of: ExecutorOf) -> Callable[[], Record]:
    def make() -> Record:
        replicate = f" seed {run.replicate}" if run.phase != BASELINE else ""
        seconds = run.outcome.seconds["total"] if run.outcome else 0.0
        tags = {"augsearch.kind": run.phase, "augsearch.policy": run.name}
        if run.failure:
            tags["augsearch.failure"] = run.failure
        return Record(
            key=run.key,
            name=f"{run.phase}: {run.name}{replicate}",
            status="FINISHED" if run.outcome else "FAILED",
            params={
                "kind": run.phase,
                "replicate": str(run.replicate),
                **_policy_params(run.policy, executor_of),
            },
            metrics=_metrics(run.outcome) if run.outcome else {},
            series=_series(run.outcome.curve, run.outcome.losses) if run.outcome else {},
            tags=tags,
            artifacts=lambda: files(run.policy),
            start=run.ended - int(1000 * seconds),
            end=run.ended,
        )

    return make


def _trial_maker(trial: FrozenTrial, files: Files, executor_of: ExecutorOf) -> Callable[[], Record]:
    def make() -> Record:
        policy, outcome = trial_policy(trial), trial_outcome(trial)
        curve = trial_curve(trial)
        if outcome:
            metrics, series = _metrics(outcome), _series(outcome.curve, outcome.losses)
        else:
            # A pruned trial's last rung is what it is compared by.
            metrics = {"last_rung_score": curve[-1][1]} if curve else {}
            series = _series(curve, ())
        if price := trial.user_attrs.get(PRICE):
            metrics = {**metrics, "price": price}
        tags = {
            "augsearch.kind": "trial",
            "augsearch.trial": str(trial.number),
            "augsearch.state": trial.state.name.lower(),
        }
        if reason := trial.user_attrs.get("failure"):
            tags["augsearch.failure"] = reason
        began, ended = trial.datetime_start, trial.datetime_complete
        return Record(
            key=f"trial/{trial.number}",
            name=trial_name(trial),
            status=STATUS[trial.state],
            params={"kind": "trial", "replicate": "0", **_policy_params(policy, executor_of)},
            metrics=metrics,
            series=series,
            tags=tags,
            artifacts=lambda: files(policy),
            start=int(began.timestamp() * 1000) if began else 0,
            end=int(ended.timestamp() * 1000) if ended else 0,
        )

    return make


def _policy_params(policy: Policy | None, executor_of: ExecutorOf) -> dict[str, str | float]:
    if policy is None:
        return {"policy_digest": "none"}
    return {
        "policy_digest": policy.digest,
        "executor": executor_of(policy),
        **policy.flatten(),
    }


def _metrics(outcome: Outcome) -> dict[str, float]:
    found = {
        "score": outcome.score,
        **{f"label_free/{name}": value for name, value in outcome.label_free.items()},
        **{
            f"recall/{name}": value
            for name, value in zip(
                safe_names(outcome.class_recall), outcome.class_recall.values(), strict=True
            )
        },
        **{f"seconds/{name}": value for name, value in outcome.seconds.items()},
    }
    probes = {"probe": outcome.probe, "full_probe": outcome.full_probe, "knn": outcome.knn}
    found |= {name: value for name, value in probes.items() if value is not None}
    if outcome.steps:
        found["images_per_second"] = outcome.images_per_second
        found["peak_memory_mb"] = outcome.peak_memory_mb
    return found


def _series(
    curve: tuple[tuple[int, float], ...], losses: tuple[tuple[int, float], ...]
) -> Mapping[str, tuple[tuple[int, float], ...]]:
    return {"probe_score": curve, "loss": losses}


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
