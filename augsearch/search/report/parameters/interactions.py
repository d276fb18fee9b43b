"""Whether the effect of one parameter depends on another."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy import stats

from augsearch.report.sections.trials.parameter_findings import Interaction
from augsearch.search.report.parameters.axes import choices, scaled
from augsearch.search.report.parameters.trials import Axes, Scored, enough, values_of
from augsearch.stats.corrections import holm
from augsearch.stats.regression import Fit

PER_CHOICE = 8
"""Trials that each choice of a parameter must have had, for it to be asked about interactions."""


def interactions_of(scored: Scored, axes: Axes) -> tuple[Interaction, ...]:
    """Every pair's, those first that chance explains least."""
    found = [_interaction(pair, scored, axes) for pair in combinations(axes, 2)]
    kept = [interaction for interaction in found if interaction is not None]
    adjusted = holm([interaction.p_value for interaction in kept])
    corrected = [replace(i, p_value=p) for i, p in zip(kept, adjusted, strict=True)]
    return tuple(sorted(corrected, key=lambda i: (i.p_value, -abs(i.difference))))


def _interaction(pair: tuple[str, str], scored: Scored, axes: Axes) -> Interaction | None:
    """The product of two parameters in a regression that holds a parabola of either."""
    acting = scored.where(pair)
    used, score = acting.trials, acting.scores
    if not enough("interactions", len(used)):
        return None
    values = [values_of(name, used) for name in pair]
    ends = [(float(np.quantile(v, 0.1)), float(np.quantile(v, 0.9))) for v in values]
    rare = any(
        (v == choice).sum() < PER_CHOICE
        for name, v in zip(pair, values, strict=True)
        for choice in choices(axes[name])
    )
    if rare or any(low == high for low, high in ends):
        return None
    first, second = (scaled(axes[n], v) for n, v in zip(pair, values, strict=True))
    (low1, high1), (low2, high2) = (
        scaled(axes[n], np.array(e)) for n, e in zip(pair, ends, strict=True)
    )
    terms = np.column_stack([first, first**2, second, second**2, first * second])
    others = acting.others(axes, pair, terms.shape[1] + 1)
    fit = Fit.of(np.hstack([others, terms]), score)
    if fit.degrees < 1 or fit.rank == Fit.of(np.hstack([others, terms[:, :-1]]), score).rank:
        return None
    product, error = fit.weights[-1], math.sqrt(fit.covariance[-1, -1])
    scale = 100 * (high1 - low1) * (high2 - low2)
    reach = abs(scale) * float(stats.t.ppf(0.975, fit.degrees)) * error
    along, bend = fit.weights[-5], fit.weights[-4]

    def effect(at: float) -> float:
        rise = along * (high1 - low1) + bend * (high1**2 - low1**2)
        return 100 * float(rise + product * (high1 - low1) * at)

    difference = float(scale * product)
    return Interaction(
        first=pair[0],
        second=pair[1],
        first_at=ends[0],
        second_at=ends[1],
        effects=(effect(low2), effect(high2)),
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        p_value=2 * float(stats.t.sf(abs(product) / max(error, 1e-12), fit.degrees)),
        trials=len(used),
    )
