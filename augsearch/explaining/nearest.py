"""What lies near an image in feature space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augsearch.explaining.maps.networks import Rows

Features = NDArray[np.float32]
"""`[n, D]`, each of length 1."""


def nearest(
    asked: Features, known: Features, count: int, apart: tuple[Rows, Rows] | None = None
) -> tuple[Rows, NDArray[np.float32]]:
    """`[n, count]` the places of the nearest of `known`, and the cosines; fewer where there are
    fewer.

    Args:
        apart: groups of both: none of the same group is taken, a cosine of -inf marks where there
            are no others.
    """
    count = min(count, len(known))
    places, cosines = [], []
    for start in range(0, len(asked), 512):
        likeness = asked[start : start + 512] @ known.T
        if apart is not None:
            same = apart[0][start : start + 512, None] == apart[1][None]
            likeness = np.where(same, -np.inf, likeness)
        order = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
        places.append(order)
        cosines.append(np.take_along_axis(likeness, order, axis=1))
    if not places:
        return np.zeros((0, count), np.int64), np.zeros((0, count), np.float32)
    return np.concatenate(places), np.concatenate(cosines).astype(np.float32)
