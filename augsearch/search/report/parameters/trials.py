"""Trials as the questions about parameters look at them: who acts, how they rank, their scores."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from augsearch.search.report.parameters.axes import Numbers, scaled
from augsearch.store.frozen_trials import trial_curve, trial_score

FEWEST = {"importance": 20, "marginal effects": 16, "interactions": 40, "the best quarter": 20}
"""Trials that each part asks for. A quarter of 20 is five, the least that Optuna advises for
PED-ANOVA; the others leave ten degrees of freedom or more."""
QUARTER = 0.25
PER_TERM = 3
"""Trials for each term of a regression, below which other parameters are left out of it."""

Axes = Mapping[str, BaseDistribution]
"""Searched parameter -> its axis."""


def enough(part: str, trials: int) -> bool:
    """Whether a part has trials enough."""
    return trials >= FEWEST[part]


def acts(name: str, trial: FrozenTrial) -> bool:
    """Whether the parameter did anything: not where its operation's gate was closed."""
    gate = f"{name.rpartition('.')[0]}.p"
    return name == gate or trial.params.get(gate) != 0


def values_of(name: str, trials: Sequence[FrozenTrial]) -> Numbers:
    """`[n]` values of one parameter."""
    return np.array([trial.params[name] for trial in trials], dtype=float)


def searched_axes(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """The axes that took more than one value."""
    axes = trials[0].distributions if trials else {}
    return {name: axis for name, axis in axes.items() if len({t.params[name] for t in trials}) > 1}


def goodness(trials: Sequence[FrozenTrial]) -> Numbers:
    """`[n]` places from 0, higher is better: stopped trials below complete ones, those that were
    stopped earlier below those that came farther."""

    def key(trial: FrozenTrial) -> tuple[float, float]:
        if trial.state == TrialState.COMPLETE:
            return math.inf, trial_score(trial)
        return max(trial_curve(trial), default=(-1.0, -math.inf))

    keys = [key(trial) for trial in trials]
    order = sorted(set(keys))
    return np.array([order.index(one) for one in keys], dtype=float)


@dataclass(frozen=True)
class Scored:
    """Trials with the scores that a regression goes by."""

    trials: Sequence[FrozenTrial]
    scores: Numbers

    @classmethod
    def at_end(cls, finished: Sequence[FrozenTrial]) -> Scored:
        """With scores at the end; of a stopped trial its last one and the median of what complete
        trials gained from that step on, as the sampler's model has it."""
        complete = [trial for trial in finished if trial.state == TrialState.COMPLETE]
        curves = [(dict(trial_curve(trial)), trial_score(trial)) for trial in complete]

        def score_of(trial: FrozenTrial) -> float:
            if trial.state == TrialState.COMPLETE:
                return trial_score(trial)
            step, score = trial_curve(trial)[-1]
            gains = [end - curve[step] for curve, end in curves if step in curve]
            return score + (statistics.median(gains) if gains else 0.0)

        return cls(finished, np.array([score_of(trial) for trial in finished], dtype=float))

    def where(self, names: Sequence[str]) -> Scored:
        """Only the trials in which all of these parameters did something."""
        acting = [all(acts(name, trial) for name in names) for trial in self.trials]
        kept = [trial for trial, own in zip(self.trials, acting, strict=True) if own]
        return Scored(kept, self.scores[acting])

    def others(self, axes: Axes, without: Collection[str], terms: int) -> Numbers:
        """A column of ones and one for each other parameter, with mean 0; only the ones if there
        are too few trials for so many terms."""
        names = [name for name in axes if name not in without]
        columns = [np.ones(len(self.trials))]
        if len(self.trials) >= PER_TERM * (terms + len(names)):
            for name in names:
                column = scaled(axes[name], values_of(name, self.trials))
                columns.append(column - column.mean())
        return np.column_stack(columns)
