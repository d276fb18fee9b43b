"""Scores of a grid of policies, as `tables.py` made them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.shared.folders import TABLES

CONFIRMED = 2
"""Fresh seeds of a replayed confirmation."""


@dataclass(frozen=True)
class Table:
    """Scores of a grid.

    Attributes:
        axes: their names.
        scores: `[levels of each axis..., seeds, rungs]`.
        shares: `[rungs]`, of the steps; the last is 1.
    """

    axes: tuple[str, ...]
    scores: NDArray[np.float64]
    shares: tuple[float, ...]

    @property
    def ends(self) -> NDArray[np.float64]:
        """`[levels of each axis..., seeds]` at the last rung, without what a seed adds to all."""
        ends = self.scores[..., -1]
        policies = tuple(range(ends.ndim - 1))
        return np.asarray(ends - ends.mean(axis=policies) + ends.mean())

    @property
    def best(self) -> float:
        """The best policy's mean, without what it owes to being the best of so many."""
        flat = self.ends.reshape(-1, self.seeds)
        means, noise = flat.mean(axis=1), flat.var(axis=1, ddof=1).mean() / self.seeds
        kept = max(0.0, 1 - noise / means.var(ddof=1))
        return float(means.mean() + kept * (means.max() - means.mean()))

    @property
    def levels(self) -> int:
        return len(self.scores)

    @property
    def seeds(self) -> int:
        return int(self.scores.shape[-2])


@cache
def read_table(name: str) -> Table:
    frame = pd.read_csv(TABLES / f"grid-{name}.csv")
    axes = tuple(frame.columns[: frame.columns.get_loc("seed")])
    keys = [*axes, "seed", "step"]
    ordered = frame.set_index(keys).score.sort_index()
    assert isinstance(ordered.index, pd.MultiIndex)
    shape = [len(level) for level in ordered.index.levels]
    if shape[-2] < CONFIRMED + 2:
        raise SystemExit(f"grid-{name}.csv has {shape[-2]} seeds: {CONFIRMED + 2} are the least")
    if len(ordered) != np.prod(shape):
        raise SystemExit(f"grid-{name}.csv has holes: make it again with benchmarks.search.tables")
    steps = ordered.index.levels[-1].to_numpy()
    shares = tuple((steps / steps[-1]).tolist())
    return Table(axes, ordered.to_numpy().reshape(shape), shares)
