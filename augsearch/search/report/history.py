"""Every trial in its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.trial import FrozenTrial, TrialState

from augsearch.report.sections.trials.history import History, Scale, TrialPoint
from augsearch.search.report.parameters.axes import bounds, choices, is_log
from augsearch.store.frozen_trials import trial_curve, trial_name, trial_outcome
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store
from augsearch.words import PLAIN, Unit


def history(
    store: Store, quarter: int, units: Mapping[str, Unit], recommended: str | None
) -> History:
    """The search.

    Args:
        quarter: how many trials are its best quarter.
        units: how the values of parameters are written.
        recommended: by the verdict; None without one.
    """
    trials = store.trials()
    states = [trial.state.name.lower() for trial in trials]
    baselines = {
        name: run.outcome.score
        for (name, _), run in store.runs(BASELINE).items()
        if run.policy is not None and run.outcome is not None
    }
    return History(
        winner=_winner(store, recommended),
        judged=recommended is not None,
        counts={state: states.count(state) for state in ("complete", "pruned", "fail")},
        trials=tuple(_point(trial) for trial in trials),
        scales=_scales(trials, units),
        quarter=quarter,
        baseline=max(baselines.items(), key=lambda one: one[1], default=None),
    )


def _point(trial: FrozenTrial) -> TrialPoint:
    outcome = trial_outcome(trial)
    curve = outcome.curve if outcome else trial_curve(trial)
    failed = trial.state == TrialState.FAIL
    return TrialPoint(
        number=trial.number,
        state="fail" if failed else "complete" if outcome else "pruned",
        score=None if failed or not curve else curve[-1][1],
        curve=curve,
        params=trial.params,
    )


def _winner(store: Store, recommended: str | None) -> int | None:
    best = store.best_trials(len(store.complete_trials()) if recommended else 1)
    return next((t.number for t in best if recommended in (None, trial_name(t))), None)


def _scales(trials: Sequence[FrozenTrial], units: Mapping[str, Unit]) -> tuple[Scale, ...]:
    axes = trials[0].distributions if trials else {}
    return tuple(
        Scale(name, *bounds(axis), is_log(axis), choices(axis), units.get(name, PLAIN))
        for name, axis in axes.items()
        if not axis.single()
    )
