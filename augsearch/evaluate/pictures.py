"""From the tiles of a picture to the picture: what is said of it is the mean over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pooled(
    rows: NDArray[np.int64], probabilities: NDArray[np.float64], pictures: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The first row of each picture, and the mean of the probabilities of its rows.

    Args:
        rows: `[n]` sorted.
        probabilities: `[n, K]` of each.
        pictures: `[N]`, see `ImageSet`; None where every row is a picture.

    Returns:
        `[m]` sorted and `[m, K]`.
    """
    if pictures is None:
        return rows, probabilities
    _, first, member = np.unique(pictures[rows], return_index=True, return_inverse=True)
    sums = np.zeros((len(first), probabilities.shape[1]))
    np.add.at(sums, member, probabilities)
    order = np.argsort(first)
    means = sums / np.bincount(member)[:, None]
    return rows[first[order]], means[order]
