"""Shares of images with their intervals, and thresholds that keep to a share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from scipy.stats import t as student

LEVEL = 0.95


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with its 95 % interval; `of` is how many it is of."""

    value: float
    low: float
    high: float
    of: int


def share_of(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> Share | None:
    """The share of hits for other images of the same kind; None of nothing.

    Exact (Clopper and Pearson 1934). Images of one group say less than as many single ones: they
    count as the number of single images that would vary as the groups do (Korn and Graubard 1998,
    "Confidence intervals for proportions with small expected number of positive counts").

    Args:
        hits: `[n]`.
        groups: `[n]`, images of one part share a number.
    """
    count = len(hits)
    if count == 0:
        return None
    value = float(hits.mean())
    effective = _effective(hits.astype(float), groups)
    successes = value * effective
    tail = (1 - LEVEL) / 2
    low = least_share(value, effective, tail)
    high = (
        1.0
        if successes >= effective
        else float(beta.ppf(1 - tail, successes + 1, effective - successes))
    )
    return Share(value, low, high, count)


def least_share(value: float, count: float, tail: float) -> float:
    """Lower end of the exact interval of a share of so many images, an error of `tail` below it
    (Clopper and Pearson 1934); `count` may be an effective number."""
    hits = value * count
    return 0.0 if hits <= 0 else float(beta.ppf(tail, hits, count - hits + 1))


def _effective(values: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """Single images that are worth as much as these, at most as many as there are."""
    _, member = np.unique(groups, return_inverse=True)
    sizes = np.bincount(member).astype(float)
    number, count, value = len(sizes), len(values), values.mean()
    if number == count:
        return float(count)
    alike = count**2 / float((sizes**2).sum())  # worth of groups whose images are all alike (Kish)
    residuals = np.bincount(member, values - value)
    variance = number / max(1, number - 1) * float((residuals**2).sum()) / count**2
    if alike < 2 or variance == 0:
        return alike
    # A variance of few groups is itself uncertain.
    few, many = student.ppf((1 + LEVEL) / 2, [alike - 1, count - 1])
    return float(min(count, value * (1 - value) / variance * (many / few) ** 2))


@dataclass(frozen=True)
class MissLimit:
    """Above which score an image is stopped, and what share of defects is then missed.

    Attributes:
        threshold: an image is stopped if its score is at least this.
        expected: share of new defects that is missed, on average.
        low, high: 95 % interval of the share that this very threshold misses.
        defects: that it was found with.
    """

    threshold: float
    expected: float
    low: float
    high: float
    defects: int


def miss_limit(scores: NDArray[np.float64], rate: float) -> MissLimit | None:
    """The highest threshold that misses at most `rate` of new defects; None if no threshold
    found with so few can promise that.

    Of n defects that took no part in the training the j-th lowest score is taken: a new one lies
    below it with a probability that has the distribution Beta(j, n - j + 1), whatever the scores'.
    (Wilks 1941, "Determination of sample sizes for setting tolerance limits".)

    Args:
        scores: `[n]` of defects, higher for surer ones.
        rate: in (0, 1).
    """
    count = len(scores)
    place = int(np.floor(rate * (count + 1)))
    if place < 1:
        return None
    low, high = beta.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], place, count - place + 1)
    return MissLimit(
        threshold=float(np.sort(scores)[place - 1]),
        expected=place / (count + 1),
        low=float(low),
        high=float(high),
        defects=count,
    )


def fewest_defects(rate: float) -> int:
    """How many defects a threshold for this rate must be found with, at the least."""
    fewest = int(np.ceil(1 / rate)) - 1
    while np.floor(rate * (fewest + 1)) < 1:  # rounding
        fewest += 1
    return fewest
