"""Would the chosen image size erase the small structures of the pictures, or only enlarge them?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import large_files_allowed, read_grey
from augsearch.errors import DataError

LARGER_SIZES = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
LOSING_SHARE = 0.1  # of the pictures, enough for a warning: one class of ten
LOST_SHARE = 0.5  # of a picture's structured places, enough to call it losing
LARGEST_PART = 1024  # pixels a side that are looked at, from the centre
VISIBLE = 8.0  # grey levels of contrast that count as structure


def detail_warning(
    root: Path, paths: Sequence[str], config: DataConfig, sample: int = 32
) -> str | None:
    """A sentence if many pictures lose their small structures at `config.image_size`, or are
    smaller themselves; else None.

    Looks at `sample` pictures spread evenly over `paths`; unreadable ones are passed over.
    """
    chosen = np.unique(np.linspace(0, len(paths) - 1, min(sample, len(paths))).astype(int))
    pictures = []
    with large_files_allowed():
        for index in chosen.tolist():
            try:
                pictures.append(read_grey(root / paths[index]))
            except DataError:
                continue
    if not pictures:
        return None
    height, width = np.median([picture.shape for picture in pictures], axis=0)
    typical = f"typically {width:.0f} x {height:.0f} pixels"
    if min(height, width) < config.side:
        return (
            f"image_size: {config.side} is above that of the pictures themselves ({typical}):"
            " they are enlarged, which adds time and no detail"
        )
    if config.fit == "tile":
        return None
    share = _losing_share(pictures, config.side, config.fit)
    if share < LOSING_SHARE:
        return None
    sizes = [size for size in LARGER_SIZES if size > config.side]
    enough = [size for size in sizes if _losing_share(pictures, size, config.fit) < LOSING_SHARE]
    larger = f"image_size: {enough[0]} would keep them; or " if enough else ""
    return (
        f"image_size: {config.side} erases small structures in about {share:.0%} of the "
        f"pictures ({typical}): {larger}"
        "fit: tile cuts pictures up instead of reducing them"
    )


def _losing_share(pictures: Sequence[NDArray[np.uint8]], size: int, fit: str) -> float:
    losing = []
    for picture in pictures:
        # What is padded is reduced by its long side.
        share = min(picture.shape) / max(picture.shape) if fit == "pad" else 1.0
        side = max(1, round(size * share))
        losing.append(lost_detail(picture, side, squash=fit == "squash") > LOST_SHARE)
    return float(np.mean(losing)) if losing else 0.0


def lost_detail(picture: NDArray[np.uint8], size: int, *, squash: bool = False) -> float:
    """Share of the structured places of a picture that lose over half of their contrast.

    The picture is reduced to `size` and enlarged again. Both versions are cut into blocks of two
    reduced pixels a side, and a block's contrast is its range of grey levels after the shading
    over some eight reduced pixels is taken away. So an edge between large areas keeps its contrast
    and a line thinner than half a reduced pixel loses it. Blocks count where the contrast of the
    picture exceeds what its white noise explains; the noise is estimated from the median of the
    diagonal second differences (Donoho and Johnstone 1994), and softened as it was by smoothing.

    Args:
        picture: `[H, W]` grey at its own resolution.
        size: pixels of the short side, or of both with `squash`.

    Returns:
        0 (nothing lost, or nothing to lose) to 1.
    """
    height, width = picture.shape
    short = min(height, width)
    down_y, down_x = (height / size, width / size) if squash else (short / size, short / size)
    if max(down_y, down_x) <= 1:
        return 0.0
    part = _centre(picture.astype(np.float32), LARGEST_PART)
    rows, columns = part.shape[0] / down_y, part.shape[1] / down_x
    reduced = _there_and_back(part, rows, columns, Image.Resampling.LANCZOS)
    shading = _there_and_back(part, rows / 4, columns / 4, Image.Resampling.BOX)

    block = (2 * math.ceil(down_y), 2 * math.ceil(down_x))
    diagonal = (part[:-1, :-1] - part[1:, :-1] - part[:-1, 1:] + part[1:, 1:]) / 2
    noise = float(np.median(np.abs(diagonal))) / 0.6745
    # Expected range of n independent values is about 2 sqrt(2 ln n) sigma; the 1-2-1 filter
    # leaves 3/8 of the sigma and about half as many independent values.
    floor = 2 * math.sqrt(2 * math.log(block[0] * block[1] / 2)) * 0.375 * noise
    contrast = _block_range(_smooth(part) - shading, block) - np.float32(floor)
    kept = _block_range(reduced - shading, block)
    structured = contrast > max(floor, VISIBLE)
    if structured.mean() < 0.002:
        return 0.0
    return float((kept < contrast / 2)[structured].mean())


def _centre(picture: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    top, left = (max(0, (side - most) // 2) for side in picture.shape)
    return picture[top : top + most, left : left + most]


def _there_and_back(
    picture: NDArray[np.float32], rows: float, columns: float, down: Image.Resampling
) -> NDArray[np.float32]:
    """Reduced to about `rows` x `columns` and enlarged to its own size again."""
    image = Image.fromarray(picture)
    small = image.resize((max(1, round(columns)), max(1, round(rows))), down)
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC), dtype=np.float32)


def _smooth(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Filter with 1-2-1 in both directions."""
    padded = np.pad(picture, 1, mode="edge")
    rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    smooth = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    return smooth.astype(np.float32, copy=False)


def _block_range(picture: NDArray[np.float32], block: tuple[int, int]) -> NDArray[np.float32]:
    """Largest minus smallest value of every whole block."""
    rows, columns = picture.shape[0] // block[0], picture.shape[1] // block[1]
    whole = picture[: rows * block[0], : columns * block[1]]
    cells = whole.reshape(rows, block[0], columns, block[1])
    contrast: NDArray[np.float32] = cells.max(axis=(1, 3)) - cells.min(axis=(1, 3))
    return contrast
