"""Which parameters decide whether a policy is among the best."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial
from scipy import stats

from augsearch.report.sections.trials.parameter_findings import Weight
from augsearch.search.report.parameters.axes import Numbers
from augsearch.search.report.parameters.trials import (
    QUARTER,
    Axes,
    acts,
    enough,
    goodness,
    values_of,
)

SHUFFLES = 200


def importance_weights(trials: Sequence[FrozenTrial], axes: Axes, seed: int) -> tuple[Weight, ...]:
    """PED-ANOVA (Watanabe et al., IJCAI 2023) of being in the best quarter, and what it finds in
    trials whose places were shuffled. As the divergence of two densities it is a weighted sum of
    squares, whose distribution a gamma of the same mean and variance resembles (Satterthwaite).
    How far into its tail the luckiest parameter comes in 19 of 20 shuffles is the limit for all
    (the minimum-p method of Westfall and Young, Resampling-Based Multiple Testing, 1993). Half of
    the shuffles give the gamma, the other half the limit: those that it was fitted to would seem
    less lucky than they are."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    groups = _acting_together(trials, axes)
    names = [name for _, together, _ in groups for name in together]
    if not names:
        return ()
    evaluator = PedAnovaImportanceEvaluator(target_quantile=QUARTER)

    def importance(places: Numbers) -> Numbers:
        found: dict[str, float] = {}
        for rows, together, study in groups:
            own = places[list(rows)]

            def place(trial: FrozenTrial, own: Numbers = own) -> float:
                return -float(own[trial.number])

            with warnings.catch_warnings():  # a target is minimised, which is why it is negative
                warnings.simplefilter("ignore")
                found |= evaluator.evaluate(study, list(together), target=place)
        return np.array([found[name] for name in names])

    places, rng = goodness(trials), np.random.default_rng(seed)
    own = importance(places)
    if own.sum() == 0:
        return ()
    shuffled = np.array([importance(rng.permutation(places)) for _ in range(SHUFFLES)])
    fitted, judged = shuffled[::2], shuffled[1::2]
    mean, variance = fitted.mean(axis=0), np.maximum(fitted.var(axis=0), 1e-24)
    by_chance = stats.gamma(mean**2 / variance, scale=variance / mean)
    luckiest = by_chance.sf(judged).min(axis=1)
    chance = by_chance.isf(np.quantile(luckiest, 0.05))
    found = [
        Weight(name, float(share), float(ratio))
        for name, share, ratio in zip(names, own / own.sum(), own / chance, strict=True)
    ]
    return tuple(sorted(found, key=lambda weight: -weight.over_chance))


def _acting_together(
    trials: Sequence[FrozenTrial], axes: Axes
) -> list[tuple[tuple[int, ...], tuple[str, ...], optuna.Study]]:
    """Parameters that did something in the same trials, these trials' rows, and a study of them."""
    found = defaultdict(list)
    for name in axes:
        rows = tuple(row for row, trial in enumerate(trials) if acts(name, trial))
        if enough("importance", len(rows)) and np.ptp(values_of(name, [trials[r] for r in rows])):
            found[rows].append(name)
    groups = []
    for rows, names in found.items():
        study = optuna.create_study()
        study.add_trials(
            [
                optuna.create_trial(
                    params={name: trials[row].params[name] for name in names},
                    distributions={name: axes[name] for name in names},
                    value=0.0,
                )
                for row in rows
            ]
        )
        groups.append((rows, tuple(names), study))
    return groups
