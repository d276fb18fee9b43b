"""Means over few seeds of many things that are measured alike, with errors that learn from each
other. Pure numbers: nothing here knows of policies or training.

A variance over three seeds says little by itself; the variances of twenty cells together say how
noisy a run is, and how far cells differ in that. Each variance is drawn towards the common one by
as much as their spread allows: the moderated t of Smyth, Statistical Applications in Genetics and
Molecular Biology 3:3, 2004, as in the package limma.
"""

from __future__ import annotations

import math

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

    Recalls come in grains, so a row may be the same in all seeds. That is a tie and no sign of
    little noise: such a row has the common variance, and the common variance is not learnt from it.

    Raises:
        ValueError: fewer than two seeds.
    """
    count, seeds = rows.shape
    if seeds < 2:
        raise ValueError("the error of a mean needs two or more seeds")
    own = float(seeds - 1)
    variances = rows.var(axis=1, ddof=1)
    tied = np.ptp(rows, axis=1) < SAME
    variances[tied] = 0
    prior, degrees = common_variance(variances[~tied], own)
    total = min(own + degrees, own * count) if degrees else own
    if math.isinf(degrees):
        shrunk = np.full(count, prior)
    else:
        shrunk = (own * variances + degrees * prior) / (own + degrees)
    shrunk[tied] = prior if degrees else variances.max()
    return [
        MeanEstimate(float(mean), math.sqrt(variance / seeds), total, images=False)
        for mean, variance in zip(rows.mean(axis=1), shrunk, strict=True)
    ]


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
