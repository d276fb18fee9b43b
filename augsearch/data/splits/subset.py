"""A representative part of a large image set, for searches that need not see all of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import sealed_split
from augsearch.errors import DataError


def take_subset(image_set: ImageSet, n: int, seed: int, *, unlabelled: bool = False) -> ImageSet:
    """`n` images, whole groups where they fit, each class (and the unlabelled) by its share.

    The part is drawn from the two sides of the whole set's sealed split and keeps them as its
    fixed split, so that nothing searched on the part has seen the test of the whole. Returns the
    set itself if it has no more than `n` images; otherwise copies the pixels into memory.
    `unlabelled` is that of `sealed_split`.

    Raises:
        DataError: `n` is less than one image for each class on each side of the split.
    """
    if n >= len(image_set):
        return image_set
    split = sealed_split(image_set, unlabelled=unlabelled)
    side = np.full(len(image_set), "", dtype="<U5")
    side[split.pool], side[split.test] = "train", "test"
    usable = np.flatnonzero(side != "")
    strata = [
        usable[(image_set.labels[usable] == label) & (side[usable] == name)]
        for label in np.unique(image_set.labels[usable])
        for name in ("train", "test")
    ]
    strata = [stratum for stratum in strata if len(stratum)]
    if n < len(strata):
        raise DataError(f"a subset of {n} images is too small: at least {len(strata)} are needed")
    rng = np.random.default_rng(seed)
    quotas = _quotas(np.array([len(stratum) for stratum in strata]), min(n, len(usable)))
    chosen = np.sort(
        np.concatenate(
            [
                _take_groups(stratum, image_set.groups, quota, rng)
                for stratum, quota in zip(strata, quotas.tolist(), strict=True)
            ]
        )
    )
    known_by = image_set.known_by
    state = hashlib.blake2b(image_set.digest.encode(), digest_size=16)
    state.update(chosen.astype("<i8").tobytes())
    return replace(
        image_set,
        images=np.asarray(image_set.images)[chosen],
        labels=image_set.labels[chosen],
        groups=image_set.groups[chosen],
        fixed_split=tuple(side[chosen].tolist()),
        paths=tuple(image_set.paths[i] for i in chosen.tolist()),
        keys=tuple(known_by[i] for i in chosen.tolist()),
        digest=state.hexdigest(),
        pictures=None if image_set.pictures is None else image_set.pictures[chosen],
        notes=(
            *image_set.notes,
            f"a stratified part of {len(chosen)} of {len(image_set)} images (seed {seed})",
        ),
    )


def _quotas(sizes: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Whole shares of `n` in proportion to `sizes`, none empty, none above its size; sum `n`."""
    shares = sizes * (n / sizes.sum())
    quotas: NDArray[np.int64] = np.maximum(1, np.floor(shares)).astype(np.int64)
    while quotas.sum() < n:
        open_ = quotas < sizes
        quotas[np.argmax(np.where(open_, shares - quotas, -np.inf))] += 1
    while quotas.sum() > n:
        quotas[np.argmax(np.where(quotas > 1, quotas - shares, -np.inf))] -= 1
    return quotas


def _take_groups(
    stratum: NDArray[np.int64], groups: NDArray[np.int64], quota: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """`quota` images of a stratum: groups in random order, only the last one in part."""
    names, inverse = np.unique(groups[stratum], return_inverse=True)
    rank = rng.permutation(len(names))[inverse]
    shuffled = rng.permutation(len(stratum))
    return stratum[shuffled[np.argsort(rank[shuffled], kind="stable")]][:quota]
