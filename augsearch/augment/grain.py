"""The grid that operations on single pixels work on, so that their effect carries over.

Noise in every pixel of 224 averages out where the picture is seen at 32. Such an operation draws
or computes on cells whose side is a share of the image's shorter side, its grain, and the result
is enlarged. Where a cell is a pixel nothing is resampled; where it is finer than one, the effect
is that of the grid, averaged over pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def grid_of(images: Tensor, grain: float) -> tuple[int, int]:
    """Rows and columns of cells over images `[n, C, H, W]`: 1 / grain along the shorter side."""
    height, width = images.shape[2:]
    side = min(height, width)
    cells = max(1, round(1 / grain))
    return round(height * cells / side), round(width * cells / side)


def averaging(fine: int, coarse: int, device: torch.device) -> Tensor:
    """`[coarse, fine]`: means over the pixels of a finer axis, each by the length inside."""
    step = fine / coarse
    pixel = torch.arange(fine, device=device)
    start = torch.arange(coarse, device=device)[:, None] * step
    inside = torch.minimum(pixel + 1, start + step) - torch.maximum(pixel, start)
    return inside.clamp(min=0) / step


def enlarging(coarse: int, fine: int, device: torch.device) -> Tensor:
    """`[fine, coarse]`: linear interpolation, sharpened so that `averaging` brings the cells back.

    `averaging(fine, coarse) @ enlarging(coarse, fine)` is the identity.
    """
    place = ((torch.arange(fine, device=device) + 0.5) * (coarse / fine)).clamp(0.5, coarse - 0.5)
    cell = torch.arange(coarse, device=device) + 0.5
    linear = (1 - (place[:, None] - cell).abs()).clamp(min=0)
    # `inv` would wait for the device to learn whether there is an inverse.
    return linear @ torch.linalg.inv_ex(averaging(fine, coarse, device) @ linear).inverse


def resized(images: Tensor, height: int, width: int) -> Tensor:
    """`[n, C, H, W]` -> `[n, C, height, width]`, not clamped; there and back changes nothing."""

    def matrix(length: int, wanted: int) -> Tensor:
        change = enlarging if wanted > length else averaging
        return change(length, wanted, images.device)

    down, across = matrix(images.shape[2], height), matrix(images.shape[3], width)
    return down @ images @ across.mT


def spread(cells: Tensor, height: int, width: int) -> Tensor:
    """Numbers of cells `[n, C, rows, columns]` as pixels: each pixel has that of the cell it is in,
    or the mean of its cells.
    """
    rows, columns = cells.shape[2:]
    if (rows, columns) == (height, width):
        return cells
    if rows > height:
        return resized(cells, height, width)
    down = (torch.arange(height, device=cells.device) * 2 + 1) * rows // (2 * height)
    across = (torch.arange(width, device=cells.device) * 2 + 1) * columns // (2 * width)
    return cells[:, :, down[:, None], across]


def carried(
    images: Tensor, grain: float, compute: Callable[[Tensor], Tensor], *, fine: bool
) -> Tensor:
    """`compute` of images `[n, C, H, W]`, which seen cell by cell is `compute` of the cells.

    Args:
        compute: keeps the shape and does not write into what it is given.
        fine: take the detail inside cells from `compute` of all pixels, too; else it stays.
    """
    height, width = images.shape[2:]
    grid = grid_of(images, grain)
    if grid == (height, width):
        return compute(images)
    cells = resized(images, *grid)
    if grid > (height, width):
        cells = cells.clamp_(0, 1)
        return (images + resized(compute(cells) - cells, height, width)).clamp_(0, 1)
    if not fine:
        return (images + resized(compute(cells) - cells, height, width)).clamp_(0, 1)
    detailed = compute(images)
    off = compute(cells) - resized(detailed, *grid)
    return (detailed + resized(off, height, width)).clamp_(0, 1)
