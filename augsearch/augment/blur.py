"""Blur and sharpening; lengths are shares of the shorter side."""

from __future__ import annotations

import math

import torch
from kornia.enhance import sharpness as kornia_sharpness
from kornia.filters import filter2d, gaussian_blur2d
from torch import Tensor

from augsearch.augment.operation import Field, Values

SMALLEST_SIGMA = 1e-3
"""Pixels; Kornia wants sigma above 0, and the neighbours' weight is exactly 0 here."""


def gaussian_blur(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    side = min(images.shape[2:])
    most = values["sigma"] * side
    # The radius follows the policy, not the draws, so that no sample depends on the others.
    radius = min(max(1, math.ceil(3 * most)), side - 1)
    sigma = (u[:, :1] * most).clamp(min=SMALLEST_SIGMA).expand(-1, 2)
    return gaussian_blur2d(images, 2 * radius + 1, sigma).clamp_(0, 1)


def motion_kernels(length: Tensor, angle: Tensor, radius: int) -> Tensor:
    """Antialiased lines `[n, 2 radius + 1, 2 radius + 1]` of weight 1 through the centre.

    Kornia's own motion kernels take one whole, odd length per batch and have gaps when turned.

    Args:
        length: `[n]` pixels; at 0 the kernel changes nothing.
        angle: `[n]` radians.
    """
    offset = torch.arange(-radius, radius + 1, device=length.device, dtype=length.dtype)
    y, x = torch.meshgrid(offset, offset, indexing="ij")
    cosine, sine = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    along, across = (x * cosine + y * sine).abs(), (y * cosine - x * sine).abs()
    half = length.view(-1, 1, 1) / 2
    # Coverage of a pixel by the line, at both its ends and at both its sides.
    weight = (half + 0.5 - along).clamp(0, 1) * (1 - across).clamp(min=0)
    still = torch.zeros_like(weight)
    still[:, radius, radius] = 1
    weight = torch.lerp(still, weight, length.clamp(max=1).view(-1, 1, 1))
    return weight / weight.sum((1, 2), keepdim=True)


def motion_blur(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    side = min(images.shape[2:])
    most = values["length"] * side
    radius = min(max(1, math.ceil(most / 2)), side - 1)
    kernels = motion_kernels(u[:, 0] * most, u[:, 1] * math.pi, radius)
    return filter2d(images, kernels).clamp_(0, 1)


def sharpness(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    return kornia_sharpness(images, 1 + u[:, 0] * values["amount"])
