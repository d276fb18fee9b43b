"""Gaussian blur, separable, with a reach of its own for each image.

A short reach is a sum of a few shifted images. Beyond that an axis is one product with a banded
matrix per image, whose cost does not depend on the reach.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from augsearch.augment.fused.coordinates import fold
from augsearch.augment.fused.pass_ import Gate, Kernel, Rows, only_open_rows
from augsearch.augment.ops.blur import SMALLEST_SIGMA

SMALLEST_EFFECT = 0.215
"""Pixels; a neighbour's weight is 2e-5 at this sigma: no 8-bit pixel would change."""
LONGEST_SUM = 5
"""Largest radius at which adding shifted images is faster than a matrix product."""


def weights(sigma: Tensor, radius: int) -> Tensor:
    """`[m, 2 radius + 1]` weights that add up to 1, for `sigma` `[m]` in pixels."""
    offset = torch.arange(-radius, radius + 1, device=sigma.device, dtype=sigma.dtype)
    weight = torch.exp((offset / sigma[:, None]).square_().div_(-2))
    return weight.div_(weight.sum(1, keepdim=True))


def blur_matrix(weight: Tensor, length: int) -> Tensor:
    """`[m, length, length]`: the weights along an axis that mirrors at both ends."""
    radius = weight.shape[1] // 2
    pixel = torch.arange(length, device=weight.device, dtype=weight.dtype)
    offset = torch.arange(-radius, radius + 1, device=weight.device, dtype=weight.dtype)
    source = fold(pixel[:, None] + offset, length).round()  # [length, taps]
    spread = (source[:, :, None] == pixel).to(weight.dtype)  # [length, taps, length]
    return torch.einsum("mt,otl->mol", weight, spread)


def blur_by_matrix(images: Tensor, weight: Tensor) -> Tensor:
    """`[m, C, S, S]` images, blurred along both axes."""
    matrix = blur_matrix(weight, images.shape[2])  # [m, S, S]
    across = torch.bmm(images.flatten(1, 2), matrix.mT).view_as(images)
    return torch.matmul(matrix.unsqueeze(1), across)


def blur_by_sum(images: Tensor, weight: Tensor) -> Tensor:
    """The same by shifted images."""
    radius = weight.shape[1] // 2
    padded = torch.nn.functional.pad(images, [radius] * 4, mode="reflect")
    sides = weight.view(-1, 1, 1, 1, weight.shape[1]).unbind(-1)
    return _sum_along(_sum_along(padded, sides, 3), sides, 2)


def _sum_along(padded: Tensor, sides: tuple[Tensor, ...], axis: int) -> Tensor:
    radius = len(sides) // 2
    length = padded.shape[axis] - 2 * radius
    total = padded.narrow(axis, radius, length) * sides[radius]
    for away in range(1, radius + 1):
        pair = padded.narrow(axis, radius - away, length) + padded.narrow(
            axis, radius + away, length
        )
        total.add_(pair.mul_(sides[radius + away]))
    return total


def gaussian_blur(gate: Gate, size: int) -> Kernel:
    """The reference's blur: the same sigma, the same reach, on frames of `size` x `size`."""
    most = gate.values["sigma"] * size
    radius = min(max(1, math.ceil(3 * most)), size - 1)
    sigma = torch.where(gate.open, gate.u[:, 0] * most, 0.0).clamp(min=SMALLEST_SIGMA)
    weight = weights(sigma, radius)
    blur = blur_by_sum if radius <= LONGEST_SUM else blur_by_matrix

    def apply(images: Tensor, rows: Rows) -> Tensor:
        return blur(images, weight[rows]).clamp_(0, 1)

    return only_open_rows(apply, replace(gate, open=sigma > SMALLEST_EFFECT))
