"""Which sealed images a confirmed policy has wrong. Pure numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from augsearch.bench.outcome import Outcome
from augsearch.stats.scored_images import ScoredImages


@dataclass(frozen=True)
class Judged:
    """One policy on the sealed images, over two or more seeds.

    Attributes:
        name: of the policy.
        hits: `[S, n]` how often each seed had each image right.
        draws: label draws, which is the most hits of an image.
        mistakes: `[n, K]` how often each image was taken for each other class; None if that was not
            kept.
    """

    name: str
    hits: NDArray[np.int64]
    draws: int
    mistakes: csr_array | None

    @classmethod
    def of(cls, name: str, outcomes: Sequence[Outcome], images: ScoredImages) -> Judged | None:
        """None where fewer than two seeds say which images they had right."""
        count = len(images.labels)
        if len(outcomes) < 2 or any(len(outcome.hits) != count for outcome in outcomes):
            return None
        kept = [outcome.mistakes for outcome in outcomes if outcome.mistakes is not None]
        mistakes = None
        if len(kept) == len(outcomes):
            found = np.array([one for run in kept for one in run], dtype=np.int64).reshape(-1, 3)
            classes = 1 + max(int(images.labels.max()), *found[:, 1].tolist(), 0)
            places = found[:, 0], found[:, 1]
            mistakes = coo_array((found[:, 2], places), shape=(count, classes)).tocsr()
        hits = np.array([outcome.hits for outcome in outcomes])
        return cls(name, hits, images.draws, mistakes)

    @cached_property
    def often(self) -> NDArray[np.float64]:
        """`[n]` how often each image is right over all probes, in [0, 1]."""
        return np.asarray(self.hits.sum(axis=0) / (self.draws * len(self.hits)))

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """`[n]` whether that is in more than half of them."""
        return self._right(slice(None))

    def _right(self, seeds: slice) -> NDArray[np.bool_]:
        hits = self.hits[seeds]
        return np.asarray(2 * hits.sum(axis=0) > self.draws * len(hits))

    @property
    def chance(self) -> float:
        """Images that would change sides by chance, each way, between two policies that are equal
        and have these seeds each: as many as between the odd seeds and the even ones, which are
        fewer and so differ by more."""
        seeds = len(self.hits)
        odd, even = slice(0, None, 2), slice(1, None, 2)
        changed = float((self._right(odd) != self._right(even)).sum()) / 2
        halves = 1 / len(self.hits[odd]) + 1 / len(self.hits[even])
        return changed * float(np.sqrt(2 / seeds / halves))

    @cached_property
    def mistaken(self) -> NDArray[np.int64] | None:
        """`[n]` the other class that each image is taken for most often; -1 if it never is; None
        if that was not kept."""
        if self.mistakes is None:
            return None
        ever = self.mistakes.sum(axis=1) > 0
        return np.asarray(np.where(ever, self.mistakes.argmax(axis=1), -1))

    def confused(self, images: ScoredImages) -> NDArray[np.float64] | None:
        """`[K, K]` of each class that was scored (rows) the share that is taken for each of them
        (columns); None where that was not kept."""
        if self.mistakes is None:
            return None
        numbers = list(images.classes)
        shares = np.zeros((len(numbers), len(numbers)))
        for at, number in enumerate(numbers):
            own = images.labels == number
            probes = own.sum() * self.draws * len(self.hits)
            shares[at] = np.asarray(self.mistakes[own].sum(axis=0))[numbers] / probes
            shares[at, at] = self.often[own].mean()
        return shares
