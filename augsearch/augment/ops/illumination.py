"""Light that varies over the picture."""

from __future__ import annotations

import itertools

import torch
from kornia.contrib import diamond_square
from torch import Tensor

from augsearch.augment.ops.grain import grid_of, resized
from augsearch.augment.ops.operation import Field, Values, both_ways, per_image

ROUGHNESS = (0.1, 0.7)
"""Range of the plasma's roughness, Kornia's default."""
SPOT_CENTRE = (0.1, 0.9)
"""Range of a light spot's centre as a share of the axis, Kornia's default."""
SPOT_SIGMA = (0.2, 1.0)
"""Range of a light spot's standard deviation as a share of the axis, Kornia's default."""


def linear_illumination(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    height, width = images.shape[2:]
    y = torch.linspace(0, 1, height, device=u.device).view(1, 1, -1, 1)
    x = torch.linspace(0, 1, width, device=u.device).view(1, 1, 1, -1)
    side = per_image((4 * u[:, 1]).floor())
    vertical = torch.where(side == 0, y, 1 - y)
    horizontal = torch.where(side == 2, x, 1 - x)
    ramp = torch.where(side < 2, vertical, horizontal)  # [n, 1, H, W], 1 at the side
    return (images + per_image(both_ways(u[:, 0], values["gain"])) * ramp).clamp_(0, 1)


def gaussian_illumination(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    axes = []
    for slot, length in ((1, images.shape[2]), (3, images.shape[3])):
        position = (torch.arange(length, device=u.device) + 0.5) / length
        centre = SPOT_CENTRE[0] + (SPOT_CENTRE[1] - SPOT_CENTRE[0]) * u[:, slot, None]
        sigma = SPOT_SIGMA[0] + (SPOT_SIGMA[1] - SPOT_SIGMA[0]) * u[:, slot + 1, None]
        axes.append(torch.exp(-(((position - centre) / sigma) ** 2) / 2))  # [n, length]
    spot = (axes[0][:, :, None] * axes[1][:, None, :]).unsqueeze(1)  # [n, 1, H, W]
    low, high = spot.amin((2, 3), keepdim=True), spot.amax((2, 3), keepdim=True)
    spot = (spot - low) / (high - low)
    return (images + per_image(both_ways(u[:, 0], values["gain"])) * spot).clamp_(0, 1)


def linear_corner_illumination(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    height, width = images.shape[2:]
    y = torch.linspace(0, 1, height, device=u.device).view(1, 1, -1, 1)
    x = torch.linspace(0, 1, width, device=u.device).view(1, 1, 1, -1)
    corner = per_image((4 * u[:, 1]).floor())
    vertical = torch.where(corner < 2, y, 1 - y)
    horizontal = torch.where(corner % 2 == 0, x, 1 - x)
    ramp = (vertical + horizontal) / 2  # [n, 1, H, W], 1 in the corner
    return (images + per_image(both_ways(u[:, 0], values["gain"])) * ramp).clamp_(0, 1)


def plasma(images: Tensor, u: Tensor, grain: float, field: Field) -> Tensor:
    """Kornia's plasma (diamond-square), `[n, 1, H, W]` in [0, 1], of this operation's fields.

    There is one field per recursion; `u` `[n]` decides the roughness. All channels share one map,
    as light does, also where Kornia would colour it. The clouds are those of the grid, as finer
    ones would have less contrast where they are large.
    """
    levels = itertools.count()

    def random(size: tuple[int, ...], **_: object) -> Tensor:
        return field(next(levels), tuple(size[1:]))

    roughness = ROUGHNESS[0] + (ROUGHNESS[1] - ROUGHNESS[0]) * u
    size = (len(images), 1, *grid_of(images, grain))
    clouds: Tensor = diamond_square(size, roughness, random_fn=random, device=images.device)
    return resized(clouds, *images.shape[2:]).clamp_(0, 1)


def plasma_shadow(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    shaded = plasma(images, u[:, 0], values["grain"], field) < per_image(u[:, 1])
    return (images - shaded * per_image(u[:, 2]) * values["shade"]).clamp_(0, 1)


def plasma_brightness(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    clouds = 2 * plasma(images, u[:, 0], values["grain"], field) - 1
    return (images + clouds * per_image(u[:, 1]) * values["gain"]).clamp_(0, 1)


def plasma_contrast(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    """Kornia's factor, 0 to 4, is what is reached at amount 1."""
    amount = per_image(u[:, 1]) * values["amount"]
    factor = 1 + amount * (4 * plasma(images, u[:, 0], values["grain"], field) - 1)
    return ((images - 0.5) * factor + 0.5).clamp_(0, 1)
