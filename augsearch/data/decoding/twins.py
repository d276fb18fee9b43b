"""Pictures that are the same, or nearly: found by thumbnails, the same ones by every pixel.

A thumbnail holds the means of 16 x 16 blocks (block mean hashing, Yang, Gu and Niu 2006), here
without its mean and scaled to length one. The product of two is their correlation, which another
exposure or compression hardly changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

NEAR = 0.99
"""Correlation from which on pictures are near twins."""
FLAT = 1.0
"""Grey levels of spread below which a thumbnail shows nothing to compare."""
MOST = 50_000
"""Pictures that are compared each with each; beyond, only equal thumbnails are."""
BLOCK = 512


def near_twins(looks: NDArray[np.float32]) -> NDArray[np.int64]:
    """`[n]`: for each thumbnail the first one that it is linked with, itself if there is none.

    Twins of twins are linked. Equal thumbnails are, however little they show.

    Args:
        looks: `[n, 16, 16]` grey levels.
    """
    first: dict[bytes, int] = {}
    linked = np.array([first.setdefault(_brief(look), index) for index, look in enumerate(looks)])
    if len(looks) > MOST:
        return linked
    flat = looks.reshape(len(looks), -1)
    spread = flat.std(axis=1)
    rows = np.flatnonzero((linked == np.arange(len(flat))) & (spread >= FLAT))
    vectors = flat[rows] - flat[rows].mean(axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, len(rows), BLOCK):
        alike = vectors[start : start + BLOCK] @ vectors[start:].T >= NEAR
        one, other = np.nonzero(alike)
        linked = _joined(linked, rows[start + one], rows[start + other])
    return linked


def _brief(look: NDArray[np.float32]) -> bytes:
    return hashlib.blake2b(look.tobytes(), digest_size=16).digest()


def same_pixels(
    linked: NDArray[np.int64],
    read: Callable[[int], NDArray[np.generic] | None],
    each: Callable[[Callable[[int], str], Sequence[int]], Iterable[str]],
) -> NDArray[np.int64]:
    """`[n]`: for each picture the first one of exactly its pixels, itself if there is none.

    Args:
        linked: of `near_twins`; only linked pictures are read.
        read: a picture's pixels at their own size; None if it has none.
        each: maps a function over pictures.
    """
    counts = np.bincount(linked, minlength=len(linked))
    asked = np.flatnonzero(counts[linked] > 1).tolist()

    def digest(index: int) -> str:
        pixels = read(index)
        if pixels is None:
            return f"unread {index}"
        kind = np.float64 if pixels.dtype.kind == "f" else np.int32
        state = hashlib.blake2b(f"{pixels.shape} {kind.__name__}".encode(), digest_size=16)
        state.update(pixels.astype(kind).tobytes())
        return state.hexdigest()

    first: dict[str, int] = {}
    same = np.arange(len(linked))
    for index, found in zip(asked, each(digest, asked), strict=True):
        same[index] = first.setdefault(found, index)
    return same


def joined_groups(groups: NDArray[np.int64], twins: NDArray[np.int64]) -> NDArray[np.int64]:
    """`[n]`: groups, those that share a twin made one (the first of them)."""
    return _joined(groups, np.arange(len(groups)), twins)


def _joined(
    parents: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The labels `parents`, each of which is the place of its first member, after `one[k]` and
    `other[k]` have become one for every k."""
    apart = parents[one] != parents[other]
    if not apart.any():
        return parents
    n = len(parents)
    edges = coo_array(
        (np.ones(int(apart.sum()), dtype=bool), (parents[one[apart]], parents[other[apart]])),
        shape=(n, n),
    )
    _, component = connected_components(edges, directed=False)
    _, first = np.unique(component[parents], return_index=True)
    number = component[parents]
    order = np.full(int(component.max()) + 1, -1)
    order[number[first]] = first
    result: NDArray[np.int64] = order[number]
    return result
