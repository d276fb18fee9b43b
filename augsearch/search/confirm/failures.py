"""Which sealed images a confirmed policy has wrong. Pure numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augsearch.bench.outcome import Outcome
from augsearch.stats.scored_images import ScoredImages


@dataclass(frozen=True)
class Judged:
    """One policy on the sealed images.

    Attributes:
        name: of the policy.
        shares: `[S, n]` how often each of two or more seeds had each image right, in [0, 1].
        mistaken: `[n]` the other class that each image is taken for most often; -1 if it never is;
            None if that was not kept.
        outcomes: of the seeds.
    """

    name: str
    shares: NDArray[np.float64]
    mistaken: NDArray[np.int64] | None
    outcomes: Sequence[Outcome]

    @classmethod
    def of(cls, name: str, outcomes: Sequence[Outcome], images: ScoredImages) -> Judged | None:
        """None where fewer than two seeds say which images they had right."""
        shares = images.shares(outcomes) if len(outcomes) > 1 else None
        if shares is None:
            return None
        mistaken = None
        if all(len(outcome.mistaken) == len(images.labels) for outcome in outcomes):
            votes = np.array([outcome.mistaken for outcome in outcomes])
            # -1 goes to the first place, which does not count where there is another vote.
            counts = [np.bincount(1 + column, minlength=2) for column in votes.T]
            mistaken = np.array([count[1:].argmax() if any(count[1:]) else -1 for count in counts])
        return cls(name, shares, mistaken, outcomes)

    @property
    def often(self) -> NDArray[np.float64]:
        """`[n]` how often each image is right over all seeds."""
        return np.asarray(self.shares.mean(axis=0))

    @property
    def right(self) -> NDArray[np.bool_]:
        """`[n]` whether that is most of the time."""
        return self.often > 0.5

    @property
    def chance(self) -> float:
        """Images that change sides between the odd seeds and the even ones, each way."""
        odd, even = (self.shares[first::2].mean(axis=0) > 0.5 for first in (0, 1))
        return float((odd != even).sum()) / 2

    def confused(self, images: ScoredImages) -> NDArray[np.float64] | None:
        """`[K, K]` of each class that was scored (rows) the share that is taken for each of them
        (columns); None where that was not kept."""
        if self.mistaken is None:
            return None
        if not any(outcome.confused for outcome in self.outcomes) and (self.shares < 1).any():
            return None  # more classes than it is kept for
        numbers = list(images.classes)
        place = {number: at for at, number in enumerate(numbers)}
        shares = np.zeros((len(numbers), len(numbers)))
        for outcome in self.outcomes:
            for truth, guess, times in outcome.confused:
                if guess in place:
                    shares[place[truth], place[guess]] += times
        sizes = np.array([(images.labels == number).sum() for number in numbers])
        shares /= sizes[:, None] * images.draws * len(self.outcomes)
        for at, number in enumerate(numbers):
            shares[at, at] = self.shares[:, images.labels == number].mean()
        return shares
