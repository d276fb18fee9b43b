"""The axes of a search: their values, ends and scales."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Numbers = NDArray[np.float64]


def choices(axis: BaseDistribution) -> tuple[float, ...]:
    """All values of an axis that has few of them; else none."""
    if isinstance(axis, CategoricalDistribution):
        return tuple(sorted(float(choice) for choice in axis.choices))  # type: ignore[arg-type]  # all are numbers here
    if isinstance(axis, IntDistribution) and axis.high - axis.low < 5:
        return tuple(map(float, range(axis.low, axis.high + 1)))
    return ()


def bounds(axis: BaseDistribution) -> tuple[float, float]:
    """The lowest and the highest value of an axis."""
    if isinstance(axis, (FloatDistribution, IntDistribution)):
        return float(axis.low), float(axis.high)
    few = choices(axis)
    return few[0], few[-1]


def is_log(axis: BaseDistribution) -> bool:
    """Whether it is searched by its logarithm."""
    return bool(getattr(axis, "log", False))


def scaled(axis: BaseDistribution, values: Numbers) -> Numbers:
    """Values as the sampler sees them, from -1 to 1 over the axis."""
    low, high = bounds(axis)
    if is_log(axis):
        values, low, high = np.log(values), math.log(low), math.log(high)
    return 2 * (values - low) / (high - low) - 1
