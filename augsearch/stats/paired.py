"""What is lost when one classifier takes another's place, by the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import beta, norm

LEVEL = 0.95
NOTHING = 1e-12


@dataclass(frozen=True)
class Loss:
    """A share in [-1, 1] of images that are no longer right, less those that are so now.

    Attributes:
        value: as it was seen.
        high: upper end of a one-sided 95 % interval, for other images of the kind.
        of: images.
    """

    value: float
    high: float
    of: int


def loss_of(
    before: NDArray[np.bool_], after: NDArray[np.bool_], groups: NDArray[np.int64]
) -> Loss | None:
    """What is lost from `before` to `after`; None of nothing.

    The upper end is the score interval's of a difference of paired shares (Tango 1998,
    "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design"), where nothing was won the exact one's (Clopper and Pearson 1934).
    Images of one group count as one, as far as their number is uneven as less (Kish 1965).

    Args:
        before, after: `[n]` whether an image is right.
        groups: `[n]`, images of one part share a number.
    """
    count = len(before)
    if count == 0:
        return None
    _, member = np.unique(groups, return_inverse=True)
    sizes = np.bincount(member).astype(float)
    effective = count**2 / float((sizes**2).sum())
    lost = float((before & ~after).mean()) * effective
    won = float((~before & after).mean()) * effective
    return Loss((lost - won) / effective, upper_end(lost, won, effective), count)


def upper_end(lost: float, won: float, count: float) -> float:
    """Of the interval that `loss_of` describes, for so many of `count` single images."""
    exact = 1.0 if lost >= count else float(beta.ppf(LEVEL, lost + 1, count - lost))
    if won <= 0:
        return exact
    seen, z = (lost - won) / count, float(norm.ppf(LEVEL))

    def too_low(true: float) -> float:
        """Standard errors by which what was seen lies below `true`, less those that may be."""
        a = 2 * count
        b = -lost - won + (2 * count - lost + won) * true
        c = -won * true * (1 - true)
        chance = (np.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        variance = count * (2 * chance + true * (1 - true))
        return float(count * (true - seen) / np.sqrt(max(variance, NOTHING)) - z)

    return min(exact, float(brentq(too_low, seen, 1 - NOTHING)))
