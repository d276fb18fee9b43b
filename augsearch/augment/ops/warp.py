"""Warps that no matrix describes: elastic, thin-plate spline, fisheye, and pieces moved about.

Uncovered borders mirror the image. The formulas are Kornia's, written in torch alone, so that
exported torchvision files can use them too; where else they differ is said at each.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from augsearch.augment.ops.grain import carried, grid_of, resized
from augsearch.augment.ops.operation import Field, Values, both_ways, per_image

FISHEYE_POWER = (0.9, 1.0)
"""Range of the exponent of the distance from the optical centre, that of Kornia's example."""


def pixel_grid(images: Tensor) -> Tensor:
    """Places of the pixels, `[H, W, 2]` (x, y), from -1 at the first centre to 1 at the last."""
    height, width = images.shape[2:]
    x = torch.linspace(-1, 1, width, device=images.device)
    y = torch.linspace(-1, 1, height, device=images.device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def sample_at(images: Tensor, places: Tensor) -> Tensor:
    """Images `[n, C, H, W]` read at `places` `[n, H, W, 2]`, bilinear, mirrored outside."""
    read = torch.nn.functional.grid_sample(
        images, places, mode="bilinear", padding_mode="reflection", align_corners=True
    )
    return read.clamp_(0, 1)


def smooth_noise(noise: Tensor, sigma: float) -> Tensor:
    """Noise `[n, C, H, W]`, uniform in [-1, 1], blurred over `sigma` pixels to a deviation of 1."""
    radius = math.ceil(3 * sigma)
    offset = torch.arange(-radius, radius + 1, dtype=noise.dtype, device=noise.device)
    kernel = torch.softmax(-((offset / sigma) ** 2) / 2, dim=0)
    rows = noise.reshape(-1, 1, *noise.shape[2:])
    rows = torch.nn.functional.conv2d(rows, kernel.view(1, 1, 1, -1), padding=(0, radius))
    rows = torch.nn.functional.conv2d(rows, kernel.view(1, 1, -1, 1), padding=(radius, 0))
    return rows.view_as(noise) * (math.sqrt(3) / (kernel**2).sum())


def elastic(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    """Simard et al. 2003, as Kornia has it.

    There the strength is a factor before smoothing, so that a wider smoothing weakens it; here it
    is the deviation that is left after it. The shifts are drawn on the grid.
    """
    rows, columns = grid_of(images, values["grain"])
    noise = 2 * field(0, (2, rows, columns)) - 1  # x, then y
    shifts = smooth_noise(noise, values["smoothness"] * min(rows, columns))
    shifts = shifts * per_image(u[:, 0] * values["displacement"])  # shares of the shorter side

    def warp(pixels: Tensor) -> Tensor:
        height, width = pixels.shape[2:]
        moved = resized(shifts, height, width) * min(height, width)
        x, y = moved[:, 0] * 2 / (width - 1), moved[:, 1] * 2 / (height - 1)
        return sample_at(pixels, pixel_grid(pixels) + torch.stack([x, y], dim=-1))

    return carried(images, values["grain"], warp, fine=True)


def spline_kernel(squared_distance: Tensor) -> Tensor:
    """r^2 log r, and 0 at r = 0."""
    return torch.xlogy(squared_distance, squared_distance) / 2


def thin_plate_spline(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """Kornia's spline through the four corners and the centre, each moved by itself.

    Kornia solves with error checking, which waits for the device.
    """
    n, _, height, width = images.shape
    points = u.new_tensor([[-1, -1], [-1, 1], [1, -1], [1, 1], [0, 0]])
    moved = points + both_ways(u.view(n, 5, 2), values["distortion"])
    # The spline is sum_j w_j k(|x - points_j|) + a + b x, and takes moved_i to points_i.
    kernel = spline_kernel((moved[:, :, None] - points).square().sum(-1))  # [n, 5, 5]
    linear = torch.cat([torch.ones_like(moved[:, :, :1]), moved], dim=2)  # [n, 5, 3]
    above = torch.cat([kernel, linear], dim=2)  # [n, 5, 8]
    below = torch.cat([linear.mT, u.new_zeros(n, 3, 3)], dim=2)  # [n, 3, 8]
    wanted = torch.cat([points, u.new_zeros(3, 2)]).expand(n, 8, 2)
    weights, _ = torch.linalg.solve_ex(torch.cat([above, below], dim=1), wanted)  # [n, 8, 2]
    grid = pixel_grid(images).view(-1, 1, 2)  # [H W, 1, 2]
    bases = spline_kernel((grid - points).square().sum(-1))  # [H W, 5]
    terms = torch.cat([bases, torch.ones_like(bases[:, :1]), grid[:, 0]], dim=1)  # [H W, 8]
    return sample_at(images, (terms @ weights).view(n, height, width, 2))


def fisheye(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """Kornia's distortion, x + x r^power, with a factor before the power that makes it gradual."""
    grid = pixel_grid(images)  # [H, W, 2]
    centre = both_ways(u[:, 1:3], values["centre"]).view(-1, 1, 1, 2)
    power = FISHEYE_POWER[0] + (FISHEYE_POWER[1] - FISHEYE_POWER[0]) * u[:, 3]
    radius = (grid - centre).square().sum(-1, keepdim=True).sqrt()  # [n, H, W, 1]
    amount = per_image(u[:, 0]) * values["amount"]
    return sample_at(images, grid + grid * amount * radius ** per_image(power))


def jigsaw(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    """Pieces are of whole pixels; what is left over at the right and at the bottom stays.

    Kornia has one grid for all images, raises where the sides are no multiples of it, and makes
    its permutations in a loop.
    """
    n, channels, height, width = images.shape
    most = min(int(values["grid"]), height, width)
    grid = 1 + (u[:, 0] * most).long().view(n, 1, 1)  # pieces along a side
    high, wide = height // grid, width // grid  # [n, 1, 1]
    y = torch.arange(height, device=u.device).view(1, -1, 1)
    x = torch.arange(width, device=u.device).view(1, 1, -1)
    piece = torch.arange(most**2, device=u.device)
    order = field(0, (most**2,)).masked_fill(piece >= grid.view(n, 1) ** 2, 2.0)
    source = order.argsort(dim=1, stable=True)  # [n, pieces], those that exist among themselves
    row, column = y // high, x // wide
    moves = (row < grid) & (column < grid)  # [n, H, W]
    here = (row * grid + column).where(moves, 0)
    there = source.gather(1, here.view(n, -1)).view_as(here)
    from_y = torch.where(moves, there // grid * high + y % high, y)
    from_x = torch.where(moves, there % grid * wide + x % wide, x)
    pixel = (from_y * width + from_x).view(n, 1, -1).expand(-1, channels, -1)
    return images.flatten(2).gather(2, pixel).view_as(images)
