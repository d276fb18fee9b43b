"""Means over few seeds of many things that are measured alike, with errors that learn from each
other. Pure numbers: nothing here knows of policies or training.

A variance over three seeds says little by itself; the variances of twenty cells together say how
noisy a run is, and how far cells differ in that. Each variance is drawn towards the common one by
as much as their spread allows: the moderated t of Smyth, Statistical Applications in Genetics and
Molecular Biology 3:3, 2004, as in the package limma.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, polygamma, stdtr
from scipy.stats import studentized_range

from augsearch.stats.crossed import MeanEstimate

FEWEST_ROWS = 4
"""With fewer variances nothing can be learnt about their spread: the t is the usual one."""
SAME = 1e-9
"""Less than any grain: values this near differ by rounding alone."""
TINIEST, HUGEST = 1e-3, 1e6  # degrees of freedom at which the prior counts as nothing, as all


def moderated_means(rows: NDArray[np.float64]) -> list[MeanEstimate]:
    """The mean of each row of `[rows, seeds]`, with its error.

    Raises:
        ValueError: fewer than two seeds.
    """
    common = CommonNoise.of(rows)
    return [common.mean(row) for row in rows]


@dataclass(frozen=True)
class CommonNoise:
    """What rows over the same seeds have in common of their noise.

    Recalls come in grains, so a row may be the same in all seeds. That is a tie and no sign of
    little noise: such a row has the common variance, and the common variance is not learnt from it.

    Attributes:
        own: degrees of freedom of a row's own variance.
        variance, degrees: the common one, and what it is worth.
        tied: the variance of a row that is the same in all seeds.
        most: degrees of freedom that all rows have together.
    """

    own: float
    variance: float
    degrees: float
    tied: float
    most: float

    @classmethod
    def of(cls, rows: NDArray[np.float64]) -> CommonNoise:
        """Of `[rows, seeds]`.

        Raises:
            ValueError: fewer than two seeds.
        """
        count, seeds = rows.shape
        if seeds < 2:
            raise ValueError("the error of a mean needs two or more seeds")
        own = float(seeds - 1)
        variances = rows.var(axis=1, ddof=1)
        loose = variances[np.ptp(rows, axis=1) >= SAME]
        prior, degrees = common_variance(loose, own)
        tied = prior if degrees else float(loose.max(initial=0.0))
        return cls(own, prior, degrees, tied, own * count)

    def mean(self, row: NDArray[np.float64]) -> MeanEstimate:
        """The mean of `[seeds]`, its variance drawn towards the common one."""
        total = min(self.own + self.degrees, self.most) if self.degrees else self.own
        if np.ptp(row) < SAME:
            variance = self.tied
        elif math.isinf(self.degrees):
            variance = self.variance
        else:
            mixed = self.own * float(row.var(ddof=1)) + self.degrees * self.variance
            variance = mixed / (self.own + self.degrees)
        return MeanEstimate(float(row.mean()), math.sqrt(variance / len(row)), total, images=False)


def common_variance(variances: NDArray[np.float64], own: float) -> tuple[float, float]:
    """What the variances have in common and the degrees of freedom that this is worth.

    Of the moments of log variances, Smyth's section 6.2; none are worth anything if there are few
    rows, infinitely many if the variances spread no more than those of equals would.

    Args:
        variances: `[rows]`, none of them 0, each with `own` degrees of freedom.
    """
    if len(variances) < FEWEST_ROWS:
        return 0.0, 0.0
    # A row with next to no spread would draw the logarithm to the ground.
    logs = np.log(np.maximum(variances, 1e-5 * np.median(variances)))
    logs += math.log(own / 2) - digamma(own / 2)
    excess = float(logs.var(ddof=1)) - float(polygamma(1, own / 2))
    if excess <= polygamma(1, HUGEST / 2):
        return float(math.exp(logs.mean())), math.inf
    half = brentq(lambda x: float(polygamma(1, x)) - excess, TINIEST / 2, HUGEST / 2)
    shift = float(digamma(half)) - math.log(half)
    return math.exp(float(logs.mean()) + shift), 2 * half


def two_sided(estimate: MeanEstimate) -> float:
    """p-value of a true mean of 0; 1 if no noise was seen, which then cannot be ruled out."""
    if estimate.error == 0:
        return 1.0
    return float(2 * stdtr(estimate.degrees, -abs(estimate.mean) / estimate.error))


def among_equals(difference: MeanEstimate, count: int) -> float:
    """p-value of a difference that may be the largest among `count` equal means (Tukey's test); 1
    if no noise was seen."""
    if difference.error == 0:
        return 1.0
    # A difference's error holds the noise of two means, the studentised range that of one.
    extent = math.sqrt(2) * abs(difference.mean) / difference.error
    return float(studentized_range.sf(extent, count, difference.degrees))
