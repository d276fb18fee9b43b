"""Blur and sharpening; lengths are shares of the shorter side."""

from __future__ import annotations

import math

import torch
from kornia.enhance import sharpness as kornia_sharpness
from kornia.filters import filter2d
from torch import Tensor

from augsearch.augment.ops.grain import carried
from augsearch.augment.ops.operation import Field, Values, per_image

SMALLEST_SIGMA = 1e-3
"""Pixels; sigma must be above 0, and the neighbours' weight is exactly 0 here."""


def separable(images: Tensor, kernels: Tensor) -> Tensor:
    """Images filtered along both axes, each with its own row of `kernels` `[n, odd length]`.

    Borders mirror. In torch alone, so that exported torchvision files can use it, and because
    Kornia's Gaussian looks at every sigma, for which the host waits.
    """
    n, channels = images.shape[:2]
    radius = kernels.shape[1] // 2
    weight = kernels.repeat_interleave(channels, dim=0)[:, None]  # [n C, 1, length]
    padded = torch.nn.functional.pad(images, [radius] * 4, mode="reflect")
    rows = padded.reshape(1, n * channels, *padded.shape[2:])
    rows = torch.nn.functional.conv2d(rows, weight[:, :, None, :], groups=n * channels)
    rows = torch.nn.functional.conv2d(rows, weight[:, :, :, None], groups=n * channels)
    return rows.view_as(images).clamp_(0, 1)


def gaussian_blur(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    side = min(images.shape[2:])
    most = values["sigma"] * side
    # The radius follows the policy, not the draws, so that no sample depends on the others.
    radius = min(max(1, math.ceil(3 * most)), side - 1)
    sigma = (u[:, :1] * most).clamp(min=SMALLEST_SIGMA)
    offset = torch.arange(-radius, radius + 1, device=u.device, dtype=u.dtype)
    return separable(images, torch.softmax(-((offset / sigma) ** 2) / 2, dim=1))


def box_kernels(width: Tensor, radius: int) -> Tensor:
    """Weights `[n, 2 radius + 1]` that average over `width` pixels; up to 1 they change nothing.

    Kornia's boxes have one whole width per batch.

    Args:
        width: `[n]` pixels.
    """
    offset = torch.arange(-radius, radius + 1, device=width.device, dtype=width.dtype).abs()
    weight = (width.clamp(min=1)[:, None] / 2 + 0.5 - offset).clamp(0, 1)  # a pixel's coverage
    return weight / weight.sum(1, keepdim=True)


def average(images: Tensor, width: Tensor, most: float) -> Tensor:
    """Means over squares of `width` `[n]` pixels, at most `most`; borders mirror."""
    return separable(images, box_kernels(width, max(1, math.ceil((most - 1) / 2))))


def box_blur(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    def blur(pixels: Tensor) -> Tensor:
        most = values["length"] * min(pixels.shape[2:])
        return average(pixels, u[:, 0] * most, most)

    return carried(images, values["grain"], blur, fine=True)


def sort_three(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The smallest, the middle and the largest of three, pixel by pixel."""
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    return torch.minimum(low, c), torch.maximum(low, torch.minimum(high, c)), torch.maximum(high, c)


def median_of_nine(images: Tensor, spacing: Tensor) -> Tensor:
    """Median of 3 x 3 pixels that stand `spacing` `[n]` (whole) apart; borders mirror."""

    def neighbours(pixels: Tensor, axis: int) -> list[Tensor]:
        length = pixels.shape[axis]
        place = torch.arange(length, device=pixels.device)
        apart = spacing[:, None]
        before = (place - apart).abs()  # [n, length]
        after = length - 1 - (length - 1 - place - apart).abs()
        shape = (-1, 1, length, 1) if axis == 2 else (-1, 1, 1, length)
        before, after = (p.view(shape).expand_as(pixels) for p in (before, after))
        return [pixels.gather(axis, before), pixels, pixels.gather(axis, after)]

    triples = [sort_three(*neighbours(row, 3)) for row in neighbours(images, 2)]
    lows, middles, highs = (sort_three(*same) for same in zip(*triples, strict=True))
    # Sorted triples: the median is the middle of their largest low, middle middle and least high.
    return sort_three(lows[2], middles[1], highs[0])[1]


def median_blur(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """The median over 3 x 3 pixels, blended with the image for shorter lengths.

    Kornia's window is whole and one per batch, and its cost grows with the window's area. A larger
    window is divided into 3 x 3 squares instead, and the median is that of the squares' means.
    """

    def blur(pixels: Tensor) -> Tensor:
        most = values["length"] * min(pixels.shape[2:])
        window = u[:, 0] * most
        square = (window / 3).clamp(min=1)
        means = average(pixels, square, most / 3) if most > 3 else pixels
        median = median_of_nine(means, square.round().long())
        return torch.lerp(pixels, median, per_image((window - 1) / 2).clamp(0, 1)).clamp_(0, 1)

    return carried(images, values["grain"], blur, fine=True)


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
    def blur(pixels: Tensor) -> Tensor:
        side = min(pixels.shape[2:])
        most = values["length"] * side
        radius = min(max(1, math.ceil(most / 2)), side - 1)
        kernels = motion_kernels(u[:, 0] * most, u[:, 1] * math.pi, radius)
        return filter2d(pixels, kernels).clamp_(0, 1)

    return carried(images, values["grain"], blur, fine=True)


def sharpness(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    def sharpen(pixels: Tensor) -> Tensor:
        return kornia_sharpness(pixels, 1 + u[:, 0] * values["amount"])

    return carried(images, values["grain"], sharpen, fine=False)
