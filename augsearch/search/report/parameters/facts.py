"""All that is said of each parameter, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from optuna.distributions import BaseDistribution

from augsearch.report.sections.trials.parameter_findings import (
    Common,
    Marginal,
    ParameterFacts,
    Place,
    Weight,
)
from augsearch.search.report.parameters.axes import Numbers, bounds, choices, scaled
from augsearch.search.report.parameters.trials import Axes, Scored, values_of
from augsearch.words import PLAIN, Unit

AT_END = 0.1
"""How near to an end of its range the best value counts as lying there; the range has length 2."""


def parameter_facts(
    scored: Scored,
    axes: Axes,
    limits: Mapping[str, tuple[float, float]],
    weights: Sequence[Weight],
    marginals: Sequence[Marginal],
    common: Sequence[Common],
    units: Mapping[str, Unit],
) -> tuple[ParameterFacts, ...]:
    """All that is said of each parameter, in one place."""
    importance = {weight.name: weight.over_chance for weight in weights}
    effects = {marginal.name: marginal for marginal in marginals}
    quarters = {one.name: _quarter(one) for one in common}
    found = []
    for name, axis in axes.items():
        values = values_of(name, scored.where([name]).trials)
        if not values.size:
            continue
        along = effects.get(name)
        best = along.at[int(np.argmax(along.score))] if along else None
        found.append(
            ParameterFacts(
                name=name,
                trials=len(values),
                searched=bounds(axis),
                tried=(float(values.min()), float(values.max())),
                importance=importance.get(name),
                effect=100 * (max(along.score) - min(along.score)) if along else None,
                p_value=along.p_value if along else None,
                best=best,
                worst=along.at[int(np.argmin(along.score))] if along else None,
                place="inside"
                if best is None or along is None
                else _place(axis, best, values, limits.get(name), along),
                best_quarter=quarters.get(name),
                unit=units.get(name, PLAIN),
                choices=choices(axis),
            )
        )
    return tuple(
        sorted(found, key=lambda f: (not (f.decides or f.moves), -(f.importance or 0.0), f.name))
    )


def _quarter(found: Common) -> tuple[float, float]:
    """Where the best quarter lies; of a few choices the one taken most often, and how often."""
    if not found.choices:
        return found.best[0], found.best[2]
    share, choice = max(zip(found.best_shares, found.choices, strict=True))
    return choice, share


def _place(
    axis: BaseDistribution,
    best: float,
    values: Numbers,
    limits: tuple[float, float] | None,
    along: Marginal,
) -> Place:
    """Where the best value lies among those that could have been tried."""
    if len(choices(axis)) == 2 or best not in (values.min(), values.max()):
        return "inside"
    low, high = min(along.score), max(along.score)
    if min(along.score[0], along.score[-1]) > (low + high) / 2:
        return "both ends"
    end = bounds(axis)[0 if best == values.min() else 1]
    at_best, at_end = scaled(axis, np.array([best, end]))
    if abs(at_best - at_end) > AT_END:
        return "end of what was tried"
    if limits and end in limits:
        return "as far as it goes"
    return "end of the range"
