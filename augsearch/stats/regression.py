"""Least squares, and what more columns explain."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """Least squares: weights, their covariance, and what is left."""

    weights: Numbers
    covariance: Numbers
    residual: float
    degrees: int
    rank: int

    @classmethod
    def of(cls, columns: Numbers, values: Numbers) -> Fit:
        """`columns` `[n, k]`, `values` `[n]`; columns that others make up are shared out."""
        rank = int(np.linalg.matrix_rank(columns))
        inverse = np.linalg.pinv(columns)
        weights = inverse @ values
        residual = float(((values - columns @ weights) ** 2).sum())
        degrees = len(values) - rank
        spread = residual / degrees if degrees > 0 else math.inf
        return cls(weights, spread * inverse @ inverse.T, residual, degrees, rank)

    def at(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Mean and standard error at each row of columns."""
        return rows @ self.weights, np.sqrt(np.einsum("ij,jk,ik->i", rows, self.covariance, rows))

    def reach(self, error: Numbers) -> Numbers:
        """Half of the 95 % interval of something with that standard error."""
        return np.asarray(stats.t.ppf(0.975, self.degrees) * error, dtype=float)


def f_test(without: Fit, fit: Fit) -> float:
    """Probability that the added columns explain as much by chance."""
    if fit.residual <= 0:
        return 0.0 if without.residual > 0 else 1.0
    added = fit.rank - without.rank
    ratio = (without.residual - fit.residual) / added / (fit.residual / fit.degrees)
    return float(stats.f.sf(ratio, added, fit.degrees))
