"""Rank correlations with their intervals, and how alike repeated scores are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


def spearman(one: Values, other: Values) -> Interval:
    """Spearman's correlation of two columns of at least 4 numbers.

    Source: Bonett & Wright 2000 (Psychometrika 65), Fisher's z with variance (1 + r²/2) / (n - 3).
    """
    value = float(stats.spearmanr(one, other).statistic)
    return spearman_interval(value, len(one))


def spearman_interval(value: float, count: int) -> Interval:
    """A Spearman correlation seen over `count` pairs, with the interval of `spearman`."""
    return _fisher(value, np.sqrt((1 + value**2 / 2) / (count - 3)))


def kendall(one: Values, other: Values) -> Interval:
    """Kendall's tau-b of two columns of at least 5 numbers.

    Source: Bonett & Wright 2000 (Psychometrika 65), Fisher's z with variance 0.437 / (n - 4).
    """
    return kendall_interval(float(stats.kendalltau(one, other).statistic), len(one))


def kendall_interval(value: float, count: int) -> Interval:
    """A Kendall's tau seen over `count` pairs, with the interval of `kendall`."""
    return _fisher(value, np.sqrt(0.437 / (count - 4)))


def _fisher(value: float, error: float) -> Interval:
    reach = stats.norm.ppf(0.975) * error
    middle = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9))
    return Interval(value, float(np.tanh(middle - reach)), float(np.tanh(middle + reach)))


def slope(x: Values, y: Values) -> Interval:
    """Slope of the least-squares line through points (x, y), t-based interval; of points that all
    have the same x, any slope."""
    if np.ptp(x) == 0:
        return Interval(0.0, -np.inf, np.inf)
    fit = stats.linregress(x, y)
    reach = float(stats.t.ppf(0.975, len(x) - 2)) * float(fit.stderr)
    return Interval(float(fit.slope), float(fit.slope) - reach, float(fit.slope) + reach)


@dataclass(frozen=True)
class Reliability:
    """How much of the spread of scores belongs to policies.

    Attributes:
        icc: share of the variance between policies, for one seed.
        sd_between: of policies' true scores.
        sd_within: of one policy's score, what its seed shares with all policies taken out.
        shared: variance of a difference between two policies that share their seed over that of
            two that do not; 1 if sharing it buys nothing.
    """

    icc: Interval
    sd_between: float
    sd_within: float
    shared: Interval


def reliability(scores: Values) -> Reliability:
    """From scores `[policies, seeds]`, at least 2 × 2, every policy with the same seeds.

    Source: McGraw & Wong 1996 (Psychological Methods 1), ICC(C,1), case 2, F-based interval.
    """
    n, k = scores.shape
    rows, columns = scores.mean(axis=1), scores.mean(axis=0)
    residual = scores - rows[:, None] - columns + scores.mean()
    ms_rows = k * rows.var(ddof=1)
    ms_columns = n * columns.var(ddof=1)
    ms_error = float((residual**2).sum() / ((n - 1) * (k - 1)))
    ratio = ms_rows / ms_error
    degrees = n - 1, (n - 1) * (k - 1)
    low = ratio / stats.f.ppf(0.975, *degrees)
    high = ratio * stats.f.ppf(0.975, *degrees[::-1])
    icc = Interval(*(float((f - 1) / (f + k - 1)) for f in (ratio, low, high)))
    common = ms_columns / ms_error
    degrees = k - 1, (n - 1) * (k - 1)
    most = common * stats.f.ppf(0.975, *degrees[::-1])
    least = common / stats.f.ppf(0.975, *degrees)
    shared = Interval(*(float(1 / (1 + max(0.0, f - 1) / n)) for f in (common, most, least)))
    return Reliability(
        icc=icc,
        sd_between=float(np.sqrt(max(0.0, (ms_rows - ms_error) / k))),
        sd_within=float(np.sqrt(ms_error)),
        shared=shared,
    )
