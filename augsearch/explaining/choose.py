"""Which decisions are explained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def chosen(
    labels: Rows, guesses: Rows, confidence: NDArray[np.float64], most: int, seed: int
) -> Rows:
    """Places of wrong decisions, the surest first, then of right ones, as many of each class as
    there are, drawn at random.

    Half of them are wrong ones, fewer where there are fewer, and more where right ones are few.
    """
    right = np.flatnonzero(labels == guesses)
    wrong = np.flatnonzero(labels != guesses)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    wrong = wrong[: max(most // 2, most - len(right))]
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(right)
    turn = np.zeros(len(drawn), dtype=np.int64)
    for label in np.unique(labels[drawn]):
        members = labels[drawn] == label
        turn[members] = np.arange(members.sum())
    order = np.lexsort((labels[drawn], turn))[: most - len(wrong)]
    taken = drawn[order]
    return np.concatenate([wrong, taken[np.argsort(labels[taken], kind="stable")]])
