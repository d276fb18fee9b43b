"""Accuracy by number of labels: how sure it is, what lies between curves, and how many labels make
two of them equal. Pure numbers.

A point of a curve is `[S, n]`: how right each of S replicates was on each of n test images. A
replicate draws labels, weights and batches anew; replicate i of every curve has the same labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from augsearch.stats.classes import SHARED
from augsearch.stats.crossed import MeanEstimate, usual_unit_variance, variance_parts
from augsearch.stats.moderated import CommonNoise
from augsearch.stats.scored_images import ScoredImages

Values = NDArray[np.float64]
Curve = Mapping[int, Values]
"""By labels of each class."""

BETWEEN = 16
"""Places between two numbers of labels at which curves are compared."""


@dataclass(frozen=True)
class Scale:
    """What values that were measured alike tell about each other's noise.

    Attributes:
        images: the test images as a sample.
        noise: of the scores over replicates.
    """

    images: ScoredImages
    noise: CommonNoise

    @classmethod
    def of(cls, several: Sequence[Values], images: ScoredImages) -> Scale:
        """Of values `[S, n]` each.

        Raises:
            ValueError: fewer than two replicates.
        """
        return cls(images, CommonNoise.of(np.stack([scores_of(one, images) for one in several])))

    def estimate(self, values: Values) -> MeanEstimate:
        """Their mean score, with its error for other replicates and other test images."""
        scores = scores_of(values, self.images)
        found = self.noise.mean(scores)
        over_seeds = replace(found, degrees=min(found.degrees, SHARED * (len(scores) - 1)))
        if not self.images.measurable:
            return over_seeds
        part = over_seeds.error**2, over_seeds.degrees
        least = usual_unit_variance(values, self.images)
        parts = variance_parts(scores, values, self.images, part, least)
        found = parts.estimate(over_seeds.mean)
        return replace(found, error=max(found.error, self._floor))

    @property
    def _floor(self) -> float:
        """The error that a mean has at the least.

        Where all is right, or nothing differs, no image shows that it could be otherwise; others
        might, at a rate of some 3 in n (Hanley and Lippman-Hand, JAMA 249, 1983). Each class is
        taken to vary as if one of its units were otherwise.
        """
        units = self.images.effective_units
        return math.sqrt(float((1 / units**2).sum())) / len(units)


def score_estimates(several: Sequence[Values], images: ScoredImages) -> list[MeanEstimate]:
    """The mean score of each of several curves at one number of labels.

    The labels of a replicate are those of all curves and move their scores together, so that these
    tell less of each other's noise than differences do: the degrees of freedom are no more than
    `SHARED` times those of the replicates.
    """
    scale = Scale.of(several, images)
    found = [scale.estimate(values) for values in several]
    most = SHARED * (len(several[0]) - 1)
    return [replace(one, degrees=min(one.degrees, most)) for one in found]


def scores_of(values: Values, images: ScoredImages) -> NDArray[np.float64]:
    """`[S]` the score of each replicate: the mean of its values, over classes if they count
    alike."""
    if not images.by_class:
        return np.asarray(values.mean(axis=1))
    each = [values[:, images.labels == label].mean(axis=1) for label in np.unique(images.labels)]
    return np.asarray(np.mean(each, axis=0))


@dataclass(frozen=True)
class Gap:
    """A difference of scores with its interval."""

    mean: float
    low: float
    high: float


def over_the_best(differences: Sequence[MeanEstimate], level: float) -> Gap:
    """How far something is above the best of several others, given how far it is above each.

    That is the least of the true differences, and below the upper end of any of them. Which of
    them it is was not known before, so the upper ends hold together (Bonferroni); the lower ones
    need not, because the least of them is at most that of the best.
    """
    together = 1 - (1 - level) / len(differences)
    return Gap(
        min(one.mean for one in differences),
        min(one.interval(level)[0] for one in differences),
        min(one.interval(together)[1] for one in differences),
    )


@dataclass(frozen=True)
class Labels:
    """Labels of each class at which a curve reaches a score, with an interval. 0 where the fewest
    that were tried are too many, infinite where the most are too few."""

    mean: float
    low: float
    high: float


def equal_labels(reference: Curve, target: Values, images: ScoredImages, level: float) -> Labels:
    """At how many labels a curve first reaches the score that something else has.

    Between two numbers of labels a curve is straight over their logarithm. The interval holds
    every number at which the curve and the target do not differ significantly (Fieller, Journal of
    the Royal Statistical Society B 16, 1954).
    """
    counts = sorted(reference)
    scale = Scale.of([reference[count] - target for count in counts], images)
    places = _places(counts)
    gaps = [scale.estimate(_between(reference, place) - target) for place in places]
    ends = [gap.interval(level) for gap in gaps]
    reached = [place for place, gap in zip(places, gaps, strict=True) if gap.mean >= 0]
    mean = reached[0] if reached else math.inf
    if mean == places[0] and gaps[0].mean > 0:
        mean = 0.0
    # Where it is not surely below from, and not surely above up to; to the next place on each side.
    begin = next((number for number, (_, high) in enumerate(ends) if high >= 0), None)
    end = max((number for number, (low, _) in enumerate(ends) if low <= 0), default=None)
    low = math.inf if begin is None else places[begin - 1] if begin else 0.0
    high = 0.0 if end is None else places[end + 1] if end + 1 < len(places) else math.inf
    return Labels(mean, low, high)


def first_to_reach(each: Sequence[Labels], together: Sequence[Labels]) -> Labels:
    """The fewest labels at which any of several curves reaches a score.

    Args:
        each: of every curve, at the level that is wanted.
        together: the same at a level at which all hold together.
    """
    return Labels(
        min(one.mean for one in each),
        min(one.low for one in each),
        min(one.high for one in together),
    )


def _places(counts: Sequence[int]) -> list[float]:
    if len(counts) == 1:
        return [float(counts[0])]
    found: list[float] = []
    for low, high in pairwise(counts):
        found += np.geomspace(low, high, BETWEEN, endpoint=False).tolist()
    return [*found, float(counts[-1])]


def _between(curve: Curve, place: float) -> Values:
    counts = sorted(curve)
    above = next(count for count in counts if count >= place - 1e-9)
    below = max((count for count in counts if count <= place + 1e-9), default=above)
    if above == below:
        return curve[above]
    share = math.log(place / below) / math.log(above / below)
    return (1 - share) * curve[below] + share * curve[above]
