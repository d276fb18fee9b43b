"""What is read off runs on test images, and the images as a sample. Pure numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
