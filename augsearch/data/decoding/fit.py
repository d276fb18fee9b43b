"""How a picture of any shape becomes squares of one size. `deploying.pixels` does the same to a
tensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augsearch.data.config import DataConfig

# Pillow sizes before filtering by at most this factor with a box; 3 is visually lossless.
REDUCING_GAP = 3.0
FINER = 8
"""Times the size at which pictures are padded."""


def fit_squares(image: Image.Image, config: DataConfig) -> NDArray[np.uint8]:
    """`[K, image_size, image_size, C]` by one of the ways of `DataConfig.fit`."""
    size = config.side
    width, height = image.size
    if config.fit == "squash":
        return _as_batch(_resize(image, (size, size), (0, 0, width, height)))
    if config.fit == "pad":
        square = _padded(image, min(max(width, height), FINER * size))
        return _as_batch(_resize(square, (size, size), (0, 0, *square.size)))
    short = min(width, height)
    if config.fit == "crop":
        left, top = (width - short) / 2, (height - short) / 2
        return _as_batch(_resize(image, (size, size), (left, top, left + short, top + short)))
    if short < size:
        larger = (round(width * size / short), round(height * size / short))
        image = _resize(image, larger, (0, 0, width, height))
    return _tiles(_as_batch(image)[0], size)


def _padded(image: Image.Image, side: int) -> Image.Image:
    """A square of that side, the picture in its middle and mirrored into the rest.

    It is larger than what it is for, so that the picture's edges lie where they should.
    """
    long = max(image.size)
    width, height = (max(1, round(length * side / long)) for length in image.size)
    pixels = np.asarray(_resize(image, (width, height), (0, 0, *image.size)))
    around = [((side - n) // 2, side - n - (side - n) // 2) for n in (height, width)]
    return Image.fromarray(np.pad(pixels, around + [(0, 0)] * (pixels.ndim - 2), mode="symmetric"))


def _resize(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=REDUCING_GAP)


def _as_batch(image: Image.Image) -> NDArray[np.uint8]:
    """`[1, H, W, C]` of an image of mode L or RGB."""
    pixels = np.asarray(image)
    return pixels.reshape(1, *pixels.shape[:2], -1)


def _tiles(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """`[H, W, C]` to `[K, size, size, C]`, row by row, the grid centred."""
    rows, columns = pixels.shape[0] // size, pixels.shape[1] // size
    top, left = (pixels.shape[0] - rows * size) // 2, (pixels.shape[1] - columns * size) // 2
    grid = pixels[top : top + rows * size, left : left + columns * size]
    channels = pixels.shape[2]
    cells = grid.reshape(rows, size, columns, size, channels).swapaxes(1, 2)
    return cells.reshape(-1, size, size, channels)
