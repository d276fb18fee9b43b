"""How sure a mean over seeds and test images is. Both are samples, and crossed with each other.

Every seed meets every test image, so a difference of two policies is a matrix of seeds × images.
Other seeds would have given another mean, and so would other images; a t-interval over the seeds
alone leaves the second out. Pure numbers: nothing here knows of policies or training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

FEW_UNITS = 20
"""A class of no more images (or groups) is taken to vary as classes do if it seems to vary less."""
SINGLE = 1e-9
"""Below it, degrees of freedom and what they divide are none."""


class Reading(Protocol):
    """What is read off one confirmation run; `augsearch.bench.bench.Outcome` is one."""

    @property
    def score(self) -> float:
        """The study's score."""

    @property
    def hits(self) -> Sequence[int]:
        """How often each test image was classified rightly over the label draws; may be empty."""

    @property
    def seen(self) -> Sequence[int]:
        """How often each was scored; empty if by every draw."""


@dataclass(frozen=True)
class ScoredImages:
    """The test images as a sample, for scores that are means over images.

    Each class is a stratum. Images of a group are one unit; a group may span classes.

    Attributes:
        labels: `[n]` class numbers.
        groups: `[n]`; the images of a group count as one unit of the sample.
        draws: label draws, which is the most hits that an image can have.
        by_class: True if each class weighs the same (balanced accuracy), False if each image does
            (accuracy), which makes one stratum of all.
    """

    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    draws: int
    by_class: bool

    @cached_property
    def _cells(self) -> _Cells:
        stratum = np.zeros(len(self.labels), dtype=np.int64)
        if self.by_class:
            _, stratum = np.unique(self.labels, return_inverse=True)
        return _Cells.of(stratum, self.groups)

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """`[K]` units of each stratum."""
        return np.bincount(self._cells.stratum)

    @cached_property
    def effective_units(self) -> NDArray[np.float64]:
        """`[K]` the same, where some weigh more than others: 1 over the sum of squared shares."""
        cells = self._cells
        return np.asarray(1 / cells.weight)

    @property
    def degrees(self) -> int:
        """Units of the sample less the means that are estimated from it."""
        return len(np.unique(self.groups)) - len(self.units)

    @property
    def measurable(self) -> bool:
        """Whether some stratum has two units, so that it shows how far images differ."""
        return bool((self.units > 1).any())

    @cached_property
    def concentration(self) -> float:
        """Sum of the units' squared weights: 1 over their number where all weigh the same."""
        cells = self._cells
        return float((cells.of_units(cells.share) ** 2).sum()) / len(self.units) ** 2

    def shares(self, readings: Sequence[Reading]) -> NDArray[np.float64] | None:
        """`[S, n]` how often each seed was right on each image; None if not all of it is known.

        An image that no draw of a seed scored has the mean of its class there, which adds nothing.
        """
        if any(len(reading.hits) != len(self.labels) for reading in readings):
            return None
        hits = np.array([reading.hits for reading in readings], dtype=float)
        if not any(len(reading.seen) for reading in readings):
            return np.asarray(hits / self.draws)
        seen = np.array([reading.seen for reading in readings], dtype=float)
        shares: NDArray[np.float64] = np.full_like(hits, np.nan)
        np.divide(hits, seen, out=shares, where=seen > 0)
        for label in np.unique(self.labels):
            own = shares[:, self.labels == label]
            means = np.nan_to_num(np.ma.masked_invalid(own).mean(axis=1).filled(np.nan))
            shares[:, self.labels == label] = np.where(np.isnan(own), means[:, None], own)
        return shares

    @cached_property
    def classes(self) -> dict[int, ScoredImages]:
        """The images of each class alone, by its number."""
        return {
            int(label): ScoredImages(self.labels[own], self.groups[own], self.draws, by_class=False)
            for label in np.unique(self.labels)
            for own in (self.labels == label,)
        }


@dataclass(frozen=True)
class _Cells:
    """Where a unit (group) meets a stratum (class): what the variance over images is made of.

    Attributes:
        order: `[n]` images, those of a cell together; `begins`: `[C]` where each cell does.
        unit, stratum: `[C]` of each cell, units in rising order.
        share: `[C]` of the stratum's images that lie in the cell.
        pattern_of: `[G]` number of the set of strata that a unit lies in.
        degrees: `[P]` degrees of freedom of what the units of a pattern add.
        free: `[K]` the same for a stratum by itself.
    """

    order: NDArray[np.int64]
    begins: NDArray[np.int64]
    unit: NDArray[np.int64]
    stratum: NDArray[np.int64]
    share: NDArray[np.float64]
    pattern_of: NDArray[np.int64]
    degrees: NDArray[np.float64]
    free: NDArray[np.float64]

    @classmethod
    def of(cls, stratum: NDArray[np.int64], groups: NDArray[np.int64]) -> _Cells:
        _, member = np.unique(groups, return_inverse=True)
        count = int(stratum.max()) + 1
        keys, cell, sizes = np.unique(
            member * count + stratum, return_inverse=True, return_counts=True
        )
        unit, within = keys // count, keys % count
        share = sizes / np.bincount(stratum)[within]
        there = np.zeros((int(member.max()) + 1, count), dtype=bool)
        there[unit, within] = True
        _, pattern_of = np.unique(there, axis=0, return_inverse=True)
        most = np.zeros(len(there))
        np.maximum.at(most, unit, share)
        return cls(
            order=np.argsort(cell, kind="stable"),
            begins=np.cumsum(sizes) - sizes,
            unit=unit,
            stratum=within,
            share=share,
            pattern_of=pattern_of.reshape(-1),
            degrees=_degrees(most, pattern_of.reshape(-1)),
            free=_degrees(share, within),
        )

    def of_units(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`[..., C]` summed over the cells of each unit, `[..., G]`."""
        if len(self.unit) == len(self.pattern_of):
            return values
        return np.asarray(np.add.reduceat(values, self.unit_begins, axis=-1))

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`[S, n]` of images -> `[S, C]` what each cell adds to the mean of its stratum."""
        if len(self.begins) < len(self.order):
            values = np.add.reduceat(values[:, self.order], self.begins, axis=1)
        elif not self._in_order:
            values = values[:, self.order]
        return np.asarray(values / self._images)

    @cached_property
    def _in_order(self) -> bool:
        return bool((np.diff(self.order) == 1).all())

    @cached_property
    def _images(self) -> NDArray[np.int64]:
        """`[C]` images of each cell's stratum."""
        return np.bincount(self.stratum, np.diff(self.begins, append=len(self.order)))[self.stratum]

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """`[K]` sum of squared shares."""
        return np.asarray(np.bincount(self.stratum, self.share**2), dtype=np.float64)

    @cached_property
    def factor(self) -> NDArray[np.float64]:
        """`[C]` what effects are multiplied by; see `scale`."""
        return np.asarray(np.sqrt(self.scale)[self.stratum])

    @cached_property
    def unit_begins(self) -> NDArray[np.int64]:
        """`[G]` first cell of each unit."""
        return np.flatnonzero(np.r_[True, self.unit[1:] != self.unit[:-1]])

    @cached_property
    def belongs(self) -> NDArray[np.float64]:
        """`[C, K]` 1 where a cell is of a stratum."""
        return np.eye(int(self.stratum.max()) + 1)[self.stratum]

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """`[K]` what the squared effects of a stratum's units fall short by, because they are taken
        from its own mean: n/(n - 1) for n units of one size, else what makes the expectation right
        where the images of a unit are alike. 1 for a single unit, which shows nothing."""
        square, cube = (np.bincount(self.stratum, self.share**power) for power in (2, 3))
        seen = square - 2 * cube + square**2
        scale: NDArray[np.float64] = np.ones_like(seen)
        np.divide(square, seen, out=scale, where=seen > SINGLE)
        return scale


def _degrees(share: NDArray[np.float64], kind: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each kind of unit: their number less 1 where they weigh the same and are all of it; fewer
    where some weigh more (Kish's effective number)."""
    square, fourth = (np.bincount(kind, share**power) for power in (2, 4))
    evenness = square**2 / (fourth * np.bincount(kind))
    return np.asarray(np.bincount(kind, 1 - share) * evenness)


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


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (Scandinavian Journal of Statistics 6, 1979), in input order."""
    order = np.argsort(p_values, kind="stable")
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = worst
    return adjusted
