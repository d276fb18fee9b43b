"""Which pictures calibrate, which judge, and what a camera would have given of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augsearch.data.decoding.decode import large_files_allowed, read_shown
from augsearch.data.imageset import ImageSet
from augsearch.deploying.formats import CHUNK
from augsearch.deploying.runtimes import Pictures
from augsearch.errors import DataError
from augsearch.finetuning.classifier import Classifier, ItsImages
from augsearch.finetuning.labels import Rows

CALIBRATING = 256
"""Squares that give INT8 its ranges: those that were learnt from first, then unlabelled ones."""
FEWEST = 64
"""As many, even if labelled ones must be taken that could have judged."""


@dataclass(frozen=True)
class Judges:
    """Pictures with a label that took no part in training or calibration, cut and reduced.

    Attributes:
        pictures: each `[S, S, C]`, which the graph leaves as it is, or its tiles in a row, which
            the graph cuts again.
        labels, groups: `[n]`.
    """

    pictures: tuple[Pictures, ...]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]


def calibrating(images: ItsImages) -> Rows:
    """Rows of the pool that give INT8 its ranges."""
    pool, rng = images.pool.images, np.random.default_rng(0)
    learnt = rng.permutation(images.seen)
    rest = np.setdiff1d(np.arange(len(pool)), learnt)
    free = rng.permutation(rest[pool.labels[rest] < 0])
    costly = rng.permutation(rest[pool.labels[rest] >= 0])
    rows = np.concatenate([learnt, free])[:CALIBRATING]
    rows = np.concatenate([rows, costly[: max(0, FEWEST - len(rows))]])
    return rows[: len(rows) // CHUNK * CHUNK or len(rows)]


def judges(images: ItsImages, calibrating_rows: Rows) -> Judges:
    """All that may judge what a smaller form loses."""
    pool = images.pool.images
    used = np.concatenate([images.seen, calibrating_rows]).astype(np.int64)
    seen = np.isin(pool.groups, pool.groups[used])  # other pictures of the same parts as well
    parts = [_whole(pool, np.flatnonzero(~seen & (pool.labels >= 0)))]
    if len(images.sealed):
        parts.append(_whole(images.sealed, np.arange(len(images.sealed))))
    pictures = [picture for part in parts for picture in part[0]]
    labels = np.concatenate([part[1] for part in parts])
    # No part is on both sides of the seal.
    groups = np.concatenate([2 * part[2] + place for place, part in enumerate(parts)])
    return Judges(tuple(pictures), labels, groups)


def _whole(
    images: ImageSet, rows: Rows
) -> tuple[list[Pictures], NDArray[np.int64], NDArray[np.int64]]:
    first = images.one_each(rows)
    whose = np.arange(len(images)) if images.pictures is None else images.pictures
    each = [images.images[rows[whose[rows] == whose[row]]] for row in first.tolist()]
    strips = [np.concatenate(list(squares), axis=2).transpose(1, 2, 0) for squares in each]
    return (
        [np.ascontiguousarray(strip) for strip in strips],
        images.labels[first],
        images.groups[first],
    )


def normalised(images: ImageSet, rows: Rows, classifier: Classifier) -> NDArray[np.float32]:
    """`[n, 1, C, S, S]` squares as the networks see them."""
    shape = (1, -1, 1, 1)
    mean = np.array(classifier.found.mean, np.float32).reshape(shape)
    std = np.array(classifier.found.std, np.float32).reshape(shape)
    pixels = np.asarray(images.images[rows]).astype(np.float32) / 255
    return np.asarray(((pixels - mean) / std)[:, None])


def as_cameras_gave(
    images: ImageSet, rows: Rows, sources: ItsImages, classifier: Classifier
) -> Iterator[Pictures]:
    """`[H, W, C]` of each picture at its own size; of sets without files their squares."""
    folder = sources.source.folder
    for row in rows.tolist():
        if folder is None:
            yield np.ascontiguousarray(images.images[row].transpose(1, 2, 0))
            continue
        path = folder / images.paths[row]
        if images.pictures is not None and not path.exists():  # one of several tiles
            path = folder / images.paths[row].rpartition("#")[0]
        with large_files_allowed():
            picture = read_shown(path, classifier.config.data)
        if classifier.config.data.fit == "tile" and min(picture.shape[:2]) < images.image_size:
            raise DataError(
                f"{path}: is smaller than a tile of {images.image_size} pixels; fine-tuning "
                "enlarged it, a graph cannot. Leave such pictures out, or fine-tune with another "
                "data.fit"
            )
        yield picture
