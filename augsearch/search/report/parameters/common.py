"""What the best quarter has in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from optuna.trial import FrozenTrial
from scipy import stats

from augsearch.report.sections.trials.parameter_findings import Common
from augsearch.search.report.parameters.axes import Numbers, choices
from augsearch.search.report.parameters.trials import QUARTER, Axes, acts, goodness, values_of
from augsearch.stats.corrections import holm


def common_values(trials: Sequence[FrozenTrial], axes: Axes) -> tuple[Common, ...]:
    """How the best quarter's values differ from the others'; the rank-sum test of Mann and
    Whitney."""
    order = np.argsort(-goodness(trials), kind="stable")
    best = set(order[: math.ceil(QUARTER * len(trials))].tolist())
    found = []
    for name, axis in axes.items():
        inside, outside = (
            values_of(
                name, [t for i, t in enumerate(trials) if (i in best) == own and acts(name, t)]
            )
            for own in (True, False)
        )
        if min(len(inside), len(outside)) < 3:
            continue
        few = choices(axis)
        found.append(
            Common(
                name=name,
                best=_spread(inside),
                rest=_spread(outside),
                choices=few,
                best_shares=tuple(float(np.mean(inside == c)) for c in few),
                rest_shares=tuple(float(np.mean(outside == c)) for c in few),
                p_value=float(stats.mannwhitneyu(inside, outside).pvalue),
            )
        )
    adjusted = holm([common.p_value for common in found])
    corrected = [replace(c, p_value=p) for c, p in zip(found, adjusted, strict=True)]
    return tuple(sorted(corrected, key=lambda common: common.p_value))


def _spread(values: Numbers) -> tuple[float, float, float]:
    # Values that were tried: between two whole numbers there is none.
    quantiles = np.quantile(values, (0.1, 0.5, 0.9), method="closest_observation")
    low, middle, high = quantiles.tolist()
    return low, middle, high
