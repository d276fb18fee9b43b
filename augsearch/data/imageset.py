"""The one form in which images travel through the program: a decoded, labelled uint8 array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -1


@dataclass(frozen=True)
class ImageSet:
    """Decoded images of one size, with what is known about each.

    Attributes:
        name: what a person calls this set (the folder's name).
        images: `[N, C, H, W]` uint8, C = 1 (grey) or 3 (RGB); may be a read-only memory map.
        labels: `[N]` int64, an index into `classes`, or `UNLABELLED`.
        classes: class names in sorted order.
        groups: `[N]` int64; images of one part share a number and never straddle a split.
        fixed_split: `[N]` of "", "train" or "test": what the user's file says about the split.
        paths: `[N]` where each image came from, relative to the root, for messages.
        digest: hash of contents, labels, groups and decoding; the same data, the same digest.
        notes: sentences for the user (skipped files, lost alpha), one a line.
        keys: `[N]` the hash of each image's file, or empty; see `known_by`.
        window: black and white of files of more than 8 bits; None where there are none, and where
            integers and floats have each their own.
        pictures: `[N]` number of the picture that each image is a tile of; None where every image
            is a whole picture.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.int64]
    fixed_split: tuple[str, ...]
    paths: tuple[str, ...]
    digest: str
    notes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    window: tuple[float, float] | None = None
    pictures: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def one_each(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of sorted rows the first of each picture, which stands for it where pictures count."""
        if self.pictures is None:
            return rows
        return rows[np.sort(np.unique(self.pictures[rows], return_index=True)[1])]

    def picture_path(self, row: int) -> str:
        """The file that an image is, or is a tile of."""
        path = self.paths[row]
        return path if self.pictures is None else path.rpartition("#")[0]

    @property
    def labelled_pictures(self) -> NDArray[np.int64]:
        """`[n]` the label of each picture that has one."""
        return self.labels[self.one_each(np.flatnonzero(self.labels >= 0))]

    @property
    def known_by(self) -> tuple[str, ...]:
        """`[N]` what each image is known by, however it is decoded and whatever else is in the set.

        Without `keys` it is digest and path.
        """
        return self.keys or tuple(f"{self.digest} {path}" for path in self.paths)

    @property
    def channels(self) -> int:
        return int(self.images.shape[1])

    @property
    def image_size(self) -> int:
        return int(self.images.shape[2])


@dataclass(frozen=True)
class ImageRows:
    """Some rows of an array of images, like an array of their own; a pixel is copied when read.

    Attributes:
        images: `[M, C, H, W]` uint8; may be a read-only memory map that is larger than memory.
        rows: `[N]`, which of them and in which order.
    """

    images: NDArray[np.uint8]
    rows: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.images.shape[1:])

    @property
    def nbytes(self) -> int:
        return len(self.rows) * self.images[:1].nbytes

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
        """A copy of the chosen rows, `[n, C, H, W]`."""
        return np.asarray(self.images[self.rows[chosen]])


def normalisation(
    images: NDArray[np.uint8] | ImageRows,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, with pixels in [0, 1].

    Exact, and in chunks, so that a memory map need not fit into memory.

    Args:
        images: `[N, C, H, W]` uint8.

    Returns:
        `(mean, std)`, each of C numbers; std is at least one grey level, so that it can divide.
    """
    channels = images.shape[1]
    counts = np.zeros((channels, 256), dtype=np.int64)
    step = max(1, 2**24 // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        chunk = images[start : start + step]
        for channel in range(channels):
            counts[channel] += np.bincount(chunk[:, channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ levels
    std = np.sqrt((share * (levels - mean[:, None]) ** 2).sum(axis=1))
    return tuple(mean.tolist()), tuple(np.maximum(std, 1 / 255).tolist())
