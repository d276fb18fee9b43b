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
    # In whole shares of a pixel, so that cells of whole pixels come out exactly.
    pixel = torch.arange(fine, device=device) * coarse
    cell = torch.arange(coarse, device=device)[:, None] * fine
    inside = torch.minimum(pixel + coarse, cell + fine) - torch.maximum(pixel, cell)
    return inside.clamp(min=0) / fine


def enlarging(coarse: int, fine: int, device: torch.device, *, smooth: bool) -> Tensor:
    """`[fine, coarse]`: linear interpolation if `smooth`, else the cell that a pixel lies in.

    Sharpened so that `averaging(fine, coarse) @ enlarging(coarse, fine)` is the identity.
    """
    if smooth:
        place = (torch.arange(fine, device=device) + 0.5) * (coarse / fine)
        cell = torch.arange(coarse, device=device) + 0.5
        away = place.clamp(0.5, coarse - 0.5)[:, None] - cell
        shape = (1 - away.abs()).clamp(min=0)
    else:
        shape = averaging(coarse, fine, device)  # a pixel on a border has some of both cells
    # `inv` would wait for the device to learn whether there is an inverse.
    back: Tensor = torch.linalg.inv_ex(averaging(fine, coarse, device) @ shape).inverse
    return shape @ back


def resized(images: Tensor, height: int, width: int, *, smooth: bool = True) -> Tensor:
    """`[n, C, H, W]` -> `[n, C, height, width]`, not clamped; larger and back changes nothing."""
    if images.shape[2:] == (height, width):
        return images

    def matrix(length: int, wanted: int) -> Tensor:
        if wanted > length:
            return enlarging(length, wanted, images.device, smooth=smooth)
        return averaging(length, wanted, images.device)

    down, across = matrix(images.shape[2], height), matrix(images.shape[3], width)
    return down @ (images @ across.mT)


def spread(cells: Tensor, height: int, width: int) -> Tensor:
    """Numbers of cells `[n, C, rows, columns]` as pixels `[n, C, height, width]`: each has that of
    its cell, so that noise keeps its variance, or the mean of cells that are finer.
    """
    return resized(cells, height, width, smooth=False)


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
