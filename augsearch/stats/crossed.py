"""How sure a mean over seeds and test images is. Both are samples, and crossed with each other.

Every seed meets every test image, so a difference of two policies is a matrix of seeds × images.
Other seeds would have given another mean, and so would other images; a t-interval over the seeds
alone leaves the second out. Pure numbers: nothing here knows of policies or training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from augsearch.stats.scored_images import FEW_UNITS, SINGLE, Reading, ScoredImages


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
        seed_degrees: degrees of freedom of `by_seed`.
        spread: what by_image and rest add to half of the variance of the variance.
    """

    by_seed: float
    by_image: float
    rest: float
    seed_degrees: float
    spread: float

    def estimate(self, mean: float) -> MeanEstimate:
        """The mean with its error, as two-way crossed random effects y = μ + seed + image + rest.

        With mean squares MS of S seeds and G images, the variance of the grand mean is
        (MS_seeds + MS_images - MS_rest) / (S·G), and Satterthwaite's degrees of freedom are its
        square over the sum of each part's square over its own degrees (Searle, Casella and
        McCulloch, Variance Components, 1992, sections 4.3 and 4.6; Satterthwaite, Biometrics
        Bulletin 2:110, 1946). Of images there are such parts for each class. Where they add no
        variance of their own, what is left is the t-interval over seeds.
        """
        if self.by_image <= self.rest:
            return MeanEstimate(mean, math.sqrt(self.by_seed), self.seed_degrees, images=True)
        variance = self.by_seed + self.by_image - self.rest
        spread = self.by_seed**2 / self.seed_degrees + self.spread
        # The subtraction can leave fewer degrees than there are; 1 is a t as wide as any.
        return MeanEstimate(mean, math.sqrt(variance), max(variance**2 / spread, 1.0), images=True)


def variance_parts(
    scores: NDArray[np.float64],
    values: NDArray[np.float64],
    images: ScoredImages,
    seed_part: tuple[float, float] | None = None,
    least: float = 0.0,
) -> Parts:
    """The parts of the variance of the mean of `scores` `[S]`, which are means of `values`
    `[S, n]` over images.

    Within each seed the values are taken from the mean of their class, as in the linearised
    variance of a mean over strata (Särndal, Swensson and Wretman 1992, section 5.5): what seeds
    have in common with all images is not the images' part. Each class makes up for the mean that
    it lost by its own n/(n - 1), so that a class of five images among hundreds is as uncertain as
    it is; a group that lies in several classes is one unit, what it adds to them summed first.

    A class of few units may by luck hold none of the images that differ. It is taken to vary
    no less than classes do on the whole; a class of one unit, which shows nothing, as these do.

    Args:
        seed_part: `by_seed` and its degrees, if they are known better than from these scores.
        least: variance of a single unit that a small class has at the least.
    """
    seeds = len(scores)
    cells, strata = images._cells, len(images.units)
    found = _Effects.of(values, images)
    common, left = cells.of_units(found.common), cells.of_units(found.left)  # [G], [S, G]
    left_squared = (left**2).sum(axis=0) / (seeds * (seeds - 1))
    by_image, rest = (
        np.bincount(cells.pattern_of, part) / strata**2 for part in (common**2, left_squared)
    )
    degrees = np.maximum(cells.degrees, SINGLE)
    spread = float(((by_image**2 + rest**2 / (seeds - 1)) / degrees).sum())
    usual = max(found.usual, least)
    lacking = np.maximum(0, usual - found.net) * cells.weight / strata**2
    lacking *= images.units <= FEW_UNITS
    spread += float((lacking**2).sum()) / max(float(cells.free.sum()), 1.0)
    by_seed, seed_degrees = seed_part or (float(scores.var(ddof=1)) / seeds, float(seeds - 1))
    return Parts(
        by_seed=by_seed,
        by_image=float(by_image.sum() + lacking.sum()),
        rest=float(rest.sum()),
        seed_degrees=seed_degrees,
        spread=spread,
    )


def usual_unit_variance(values: NDArray[np.float64], images: ScoredImages) -> float:
    """How much units of one class differ on the whole, without what is noise; not below 0.

    Args:
        values: `[S, n]`.
    """
    stratified = images if images.by_class else replace(images, by_class=True)
    return _Effects.of(values, stratified).usual


@dataclass(frozen=True)
class _Effects:
    """What units add to the means of their strata.

    Attributes:
        common: `[C]` of each cell, mean over seeds.
        left: `[S, C]` what seeds differ from it.
        net: `[K]` variance of a unit of each stratum, without the noise in `common`.
        usual: of all strata together; not below 0.
    """

    common: NDArray[np.float64]
    left: NDArray[np.float64]
    net: NDArray[np.float64]
    usual: float

    @classmethod
    def of(cls, values: NDArray[np.float64], images: ScoredImages) -> _Effects:
        cells, seeds = images._cells, len(values)
        sums = cells.sums(values)  # [S, C]
        means = sums @ cells.belongs  # [S, K]
        effects = (sums - means[:, cells.stratum] * cells.share) * cells.factor
        common = effects.mean(axis=0)
        left = effects - common
        noise = (left**2).sum(axis=0) / (seeds * (seeds - 1))
        net = np.bincount(cells.stratum, common**2 - noise) / cells.weight
        pooled = float(net @ cells.free) / max(float(cells.free.sum()), SINGLE)
        return cls(common, left, net, max(pooled, 0.0))


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
    if images is None or values is None or not images.measurable:
        error = float(scores.std(ddof=1)) / math.sqrt(seeds)
        return MeanEstimate(mean, error, float(seeds - 1), images=False)
    return variance_parts(scores, values, images).estimate(mean)
