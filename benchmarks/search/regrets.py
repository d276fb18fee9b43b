"""What the regrets of many replays say: compute to reach random search, gaps to the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from benchmarks.search.replay import BUDGET, STARTUP, seed_order


def compute_to_reach(curve: NDArray[np.float64], level: float) -> float:
    """The least compute from which on the curve `[BUDGET + 1]` stays at or below `level`."""
    above = np.flatnonzero(curve > level + 1e-12)
    if len(above) == 0:
        return 0.0
    return float(above[-1] + 1) if above[-1] < BUDGET else np.inf


def share_with_band(
    curves: NDArray[np.float64],
    reference: NDArray[np.float64],
    typical: Callable[..., NDArray[np.float64]],
) -> tuple[float, float, float]:
    """Compute to reach random search's final regret, over the full compute; 95 % band.

    Args:
        curves: `[replays, BUDGET + 1]`, of a strategy.
        reference: those of random search, at least as many; the same seeds stand first.
        typical: `np.median` or `np.mean`, over replays.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(500):
        rows = rng.integers(len(curves), size=len(curves))
        level = float(typical(reference[rows, -1]))
        found.append(compute_to_reach(typical(curves[rows], axis=0), level))
    value = compute_to_reach(typical(curves, axis=0), float(typical(reference[: len(curves), -1])))
    low, high = np.percentile(found, [2.5, 97.5], method="nearest")
    return value / BUDGET, float(low) / BUDGET, float(high) / BUDGET


def less_than(
    own: Sequence[float], default: Sequence[float], seeds: int
) -> tuple[float, float, float]:
    """Mean regret minus that of the default, with a 95 % interval for other training seeds.

    Replays of one training seed look up the same scores: their mean counts once.

    Args:
        own, default: `[replays]`, regret over the search; the same seeds stand first.
        seeds: of the table.
    """
    both = min(len(own), len(default))
    gaps = pd.Series(np.array(own[:both]) - np.array(default[:both]))
    means = gaps.groupby([seed_order(number, seeds)[1][0] for number in range(both)]).mean()
    mean, half = float(means.mean()), float(stats.t.ppf(0.975, len(means) - 1) * means.sem())
    return round(mean, 3), round(mean - half, 3), round(mean + half, 3)


def judged(curves: NDArray[np.float64], reference: NDArray[np.float64]) -> dict[str, Any]:
    """What is kept of a strategy's regrets, `[replays, BUDGET + 1]`; in points."""
    points = 100 * curves
    low, high = np.percentile(points, [10, 90], axis=0)
    return {
        "median": np.median(points, axis=0).round(3).tolist(),
        "mean": points.mean(axis=0).round(3).tolist(),
        "low": low.round(3).tolist(),
        "high": high.round(3).tolist(),
        "share_to_reach_random": {
            "median": share_with_band(curves, reference, np.median),
            "mean": share_with_band(curves, reference, np.mean),
        },
        "over_the_search": points[:, STARTUP:].mean(axis=1).round(3).tolist(),
    }
