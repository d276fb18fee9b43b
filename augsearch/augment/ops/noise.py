"""Noise and loss of information: grain, dead pixels, covered parts, compression."""

from __future__ import annotations

import torch
from kornia.color import rgb_to_grayscale
from kornia.enhance import jpeg_codec_differentiable
from torch import Tensor

from augsearch.augment.draws import gaussian
from augsearch.augment.ops.grain import carried, grid_of, spread
from augsearch.augment.ops.operation import Field, Values, log_both_ways, per_image

BEST_QUALITY = 100.0


def gaussian_noise(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    std = per_image(u[:, 0]) * values["std"]
    cells = gaussian(field(0, (images.shape[1], *grid_of(images, values["grain"]))))
    return (images + std * spread(cells, *images.shape[2:])).clamp_(0, 1)


def salt_and_pepper(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    """A hit cell is white or black in all channels, each as likely."""
    half = per_image(u[:, 0]) * values["amount"] / 2
    fate = field(0, (1, *grid_of(images, values["grain"])))
    white = spread((fate < half).to(images.dtype), *images.shape[2:])
    black = spread((fate >= 1 - half).to(images.dtype), *images.shape[2:])
    return (images * (1 - black - white) + white).clamp_(0, 1)


def erasing(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    height, width = images.shape[2:]
    area = u[:, 0] * values["area"] * (height * width)
    ratio = log_both_ways(u[:, 1], values["ratio"])
    wide = (area * ratio).sqrt().round().clamp(max=width)
    high = (area / ratio).sqrt().round().clamp(max=height)
    left = (u[:, 2] * (width - wide + 1)).floor()
    top = (u[:, 3] * (height - high + 1)).floor()
    x = torch.arange(width, device=u.device)
    y = torch.arange(height, device=u.device)
    columns = (x >= left[:, None]) & (x < (left + wide)[:, None])  # [n, W]
    rows = (y >= top[:, None]) & (y < (top + high)[:, None])  # [n, H]
    covered = (rows[:, :, None] & columns[:, None, :]).unsqueeze(1)  # [n, 1, H, W]
    return torch.where(covered, images.mean((1, 2, 3), keepdim=True), images)


def jpeg(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """Kornia's codec, which pads to its blocks of 16 pixels; at quality 100 nothing is coded."""
    quality = values["quality_min"] + (BEST_QUALITY - values["quality_min"]) * u[:, 0]
    grey = images.shape[1] == 1
    if not grey and images.shape[1] != 3:  # bands are coded one by one, as files of their own
        bands = [jpeg(images[:, n : n + 1], u, values, _field) for n in range(images.shape[1])]
        return torch.cat(bands, dim=1)

    def code(pixels: Tensor) -> Tensor:
        colour = pixels.expand(-1, 3, -1, -1) if grey else pixels
        coded = jpeg_codec_differentiable(colour, quality)
        coded = (rgb_to_grayscale(coded) if grey else coded).clamp(0, 1)
        # Even there the colours would be subsampled.
        return torch.where(per_image(quality) < BEST_QUALITY, coded, pixels)

    return carried(images, values["grain"], code, fine=False)
