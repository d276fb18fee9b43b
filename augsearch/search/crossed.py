"""How sure a mean over seeds and test images is. Both are samples, and crossed with each other.

Every seed meets every test image, so a difference of two policies is a matrix of seeds × images.
Other seeds would have given another mean, and so would other images; a t-interval over the seeds
alone leaves the second out. Pure numbers: nothing here knows of policies or training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit


class Reading(Protocol):
    """What is read off one confirmation run; `augsearch.search.bench.Outcome` is one."""

    @property
    def score(self) -> float:
        """The study's score."""

    @property
    def hits(self) -> Sequence[int]:
        """How often each test image was classified rightly over the label draws; may be empty."""


@dataclass(frozen=True)
class ScoredImages:
    """The test images as a sample, for scores that are means over images.

    Attributes:
        labels: `[n]` class numbers.
        groups: `[n]`; the images of a group count as one unit of the sample.
        draws: label draws, which is the most hits that an image can have.
        by_class: True if each class weighs the same (balanced accuracy), False if each image does
            (accuracy).
    """

    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    draws: int
    by_class: bool

    @cached_property
    def _strata(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """`[n]` stratum and weight of each image; weights add up to 1."""
        if not self.by_class:
            count = len(self.labels)
            return np.zeros(count, dtype=np.int64), np.full(count, 1 / count)
        _, stratum, sizes = np.unique(self.labels, return_inverse=True, return_counts=True)
        return stratum, 1 / (len(sizes) * sizes[stratum])

    @cached_property
    def _clusters(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The order that brings the images of a group together, and where each group begins."""
        order = np.argsort(self.groups, kind="stable")
        ordered = self.groups[order]
        return order, np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])

    @property
    def degrees(self) -> int:
        """Units of the sample less the means that are estimated from it."""
        return len(self._clusters[1]) - int(self._strata[0].max()) - 1

    @cached_property
    def concentration(self) -> float:
        """Sum of the units' squared weights: 1 over their number where all weigh the same."""
        order, starts = self._clusters
        return float((np.add.reduceat(self._strata[1][order], starts) ** 2).sum())

    def shares(self, readings: Sequence[Reading]) -> NDArray[np.float64] | None:
        """`[S, n]` how often each seed was right on each image; None if not all of it is known."""
        if any(len(reading.hits) != len(self.labels) for reading in readings):
            return None
        return np.array([reading.hits for reading in readings], dtype=float) / self.draws

    def unit_effects(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`[S, n]` values of images -> `[S, G]` what each group adds to the mean.

        Within each seed the values are taken from the mean of their class, as in the linearised
        variance of a mean over strata (Särndal, Swensson and Wretman 1992, section 5.5), so that
        a row adds up to 0: what seeds have in common with all images is not the images' part.
        """
        stratum, weight = self._strata
        belongs = np.eye(int(stratum.max()) + 1)[stratum]
        means = values @ (belongs / belongs.sum(axis=0))
        order, starts = self._clusters
        apart = (values - means[:, stratum]) * weight
        return np.add.reduceat(apart[:, order], starts, axis=1)


@dataclass(frozen=True)
class MeanEstimate:
    """A mean over seeds (and test images) with its standard error.

    Attributes:
        degrees: degrees of freedom of the t distribution that goes with `error`.
        images: whether `error` holds for other test images, or for other seeds only.
    """

    mean: float
    error: float
    degrees: float
    images: bool

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided t-interval, `level` such as 0.95."""
        reach = -float(stdtrit(self.degrees, (1 - level) / 2)) * self.error
        return self.mean - reach, self.mean + reach

    @property
    def p_value(self) -> float:
        """One-sided, for a true mean above 0."""
        # Without any spread (error 0) the sign alone decides, as the limit of t does.
        if self.error > 0:
            statistic = self.mean / self.error
        else:
            statistic = math.copysign(math.inf, self.mean) if self.mean else -math.inf
        return float(stdtr(self.degrees, -statistic))

    def detectable(self, alpha: float, power: float = 0.8) -> float:
        """The smallest true mean that a one-sided test at `alpha` sees with that power."""
        needed = stdtrit(self.degrees, power) - stdtrit(self.degrees, alpha)
        return float(needed) * self.error


def estimate_mean(readings: Sequence[Reading], images: ScoredImages | None) -> MeanEstimate:
    """Mean score over seeds, with its error."""
    scores = np.array([reading.score for reading in readings], dtype=float)
    return _estimate(scores, images.shares(readings) if images else None, images)


def estimate_difference(
    readings: Sequence[Reading], reference: Sequence[Reading], images: ScoredImages | None
) -> MeanEstimate:
    """Mean of the seed-paired differences of scores, with its error.

    Raises:
        ValueError: fewer than two pairs, or unequal numbers.
    """
    if len(readings) != len(reference):
        raise ValueError("a paired difference needs the same seeds on both sides")
    gaps = np.array([a.score - b.score for a, b in zip(readings, reference, strict=True)])
    shares = None
    if images:
        ours, theirs = images.shares(readings), images.shares(reference)
        shares = ours - theirs if ours is not None and theirs is not None else None
    return _estimate(gaps, shares, images)


@dataclass(frozen=True)
class Parts:
    """What the variance of a mean is made of, each as it would be alone.

    Attributes:
        by_seed: from the spread of the seeds' means, which holds `rest` as well.
        by_image: from the spread of the images' means, which holds `rest` as well.
        rest: from what seeds and images do not explain together.
    """

    by_seed: float
    by_image: float
    rest: float

    def estimate(self, mean: float, seeds: int, images: ScoredImages) -> MeanEstimate:
        """The mean with its error, as two-way crossed random effects y = μ + seed + image + rest.

        With mean squares MS of S seeds and G images, the variance of the grand mean is
        (MS_seeds + MS_images - MS_rest) / (S·G), and Satterthwaite's degrees of freedom are its
        square over the sum of each part's square over its own degrees (Searle, Casella and
        McCulloch, Variance Components, 1992, sections 4.3 and 4.6; Satterthwaite, Biometrics
        Bulletin 2:110, 1946). Where images add no variance of their own, what is left is the
        t-interval over seeds.
        """
        degrees = float(seeds - 1)
        if self.by_image <= self.rest:
            return MeanEstimate(mean, math.sqrt(self.by_seed), degrees, images=True)
        variance = self.by_seed + self.by_image - self.rest
        spread = (
            self.by_seed**2 / degrees
            + self.by_image**2 / images.degrees
            + self.rest**2 / (degrees * images.degrees)
        )
        # The subtraction can leave fewer degrees than any of the parts has.
        satterthwaite = max(variance**2 / spread, degrees)
        return MeanEstimate(mean, math.sqrt(variance), satterthwaite, images=True)


def variance_parts(
    scores: NDArray[np.float64], values: NDArray[np.float64], images: ScoredImages
) -> Parts:
    """The parts of the variance of the mean of `scores` `[S]`, which are means of `values`
    `[S, n]` over images. Images of a group are one unit."""
    seeds = len(scores)
    effects = images.unit_effects(values)
    common = effects.mean(axis=0)
    scale = effects.shape[1] / images.degrees
    return Parts(
        by_seed=float(scores.var(ddof=1)) / seeds,
        by_image=scale * float((common**2).sum()),
        rest=scale * float(((effects - common) ** 2).sum()) / (seeds * (seeds - 1)),
    )


def _estimate(
    scores: NDArray[np.float64], values: NDArray[np.float64] | None, images: ScoredImages | None
) -> MeanEstimate:
    """The mean of `scores` `[S]` with its error, over images too if `values` `[S, n]` are known.

    Raises:
        ValueError: fewer than two seeds.
    """
    seeds = len(scores)
    if seeds < 2:
        raise ValueError("the error of a mean needs two or more seeds")
    mean = float(scores.mean())
    if images is None or values is None or images.degrees < 1:
        error = float(scores.std(ddof=1)) / math.sqrt(seeds)
        return MeanEstimate(mean, error, float(seeds - 1), images=False)
    return variance_parts(scores, values, images).estimate(mean, seeds, images)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (Scandinavian Journal of Statistics 6, 1979), in input order."""
    order = np.argsort(p_values, kind="stable")
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = worst
    return adjusted
