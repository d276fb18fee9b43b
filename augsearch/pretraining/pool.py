"""The images that are trained on, and nothing of the sealed ones.

What is made here holds no sealed image, so that nothing after it can look at one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augsearch.data.config import DataConfig
from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import sealed_split
from augsearch.errors import DataError

SHOWN = 3


@dataclass(frozen=True)
class Pool:
    """The images of the pool as a set of their own.

    Attributes:
        digest: of these images, their labels, groups and decoding; no other image changes it.
        sides: path and side (pool, test, unused) of every image that was split.
        notes: sentences for the user.
    """

    images: ImageSet
    digest: str
    sides: pd.DataFrame
    notes: tuple[str, ...] = ()


def pool_of(
    image_set: ImageSet, data: DataConfig, *, sides: dict[str, str] | None, unlabelled: bool
) -> Pool:
    """The pool: as a study split the images, or as it would.

    Args:
        sides: path -> pool, test or unused, of a study; None to draw.
        unlabelled: as in `sealed_split`.

    Raises:
        DataError: images of the study's pool are not there, or there are fewer than two.
    """
    notes: tuple[str, ...] = ()
    if sides is None:
        split = sealed_split(image_set, unlabelled=unlabelled)
        side = np.full(len(image_set), "unused", dtype="<U6")
        side[split.pool], side[split.test] = "pool", "test"
    else:
        side = np.array([sides.get(path, "new") for path in image_set.paths], dtype="<U6")
        there = set(image_set.paths)
        gone = sorted(path for path, name in sides.items() if name == "pool" and path not in there)
        if gone:
            more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
            raise DataError(
                f"{len(gone)} images that the study trained on are not there: "
                f"{', '.join(gone[:SHOWN])}{more}; name the folder that holds them with --data"
            )
        if new := int((side == "new").sum()):
            notes = (
                f"{new} images that the study did not know are left out: whether they show parts "
                "that it sealed is not known; a study of all images splits them anew",
            )
    rows = np.flatnonzero(side == "pool")
    if len(rows) < 2:
        raise DataError(f"pretraining needs at least 2 images in the pool, found {len(rows)}")
    images = _rows(image_set, rows)
    known = sides if sides is not None else dict(zip(image_set.paths, side.tolist(), strict=True))
    table = pd.DataFrame({"path": list(known), "side": list(known.values())})
    return Pool(images, _digest(images, data), table, notes)


def _rows(image_set: ImageSet, rows: NDArray[np.int64]) -> ImageSet:
    """These rows as a set of their own; groups and pictures are numbered anew."""
    keys = image_set.known_by
    pictures = image_set.pictures
    return replace(
        image_set,
        images=np.asarray(image_set.images[rows]),
        labels=image_set.labels[rows],
        groups=np.unique(image_set.groups[rows], return_inverse=True)[1],
        fixed_split=("",) * len(rows),
        paths=tuple(image_set.paths[row] for row in rows.tolist()),
        keys=tuple(keys[row] for row in rows.tolist()) if image_set.keys else (),
        pictures=None if pictures is None else np.unique(pictures[rows], return_inverse=True)[1],
    )


def _digest(images: ImageSet, data: DataConfig) -> str:
    state = hashlib.blake2b(digest_size=16)
    state.update(json.dumps([images.classes, data.model_dump(mode="json")]).encode())
    for array in (images.labels, images.groups):
        state.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    if images.keys:
        state.update("\n".join(images.keys).encode())
    else:
        state.update(np.ascontiguousarray(images.images).tobytes())
    return state.hexdigest()
