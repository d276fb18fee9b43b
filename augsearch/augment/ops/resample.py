"""Cutting boxes out of images and resizing them, antialiased, one box per image.

Kornia's batched crop has no antialiasing, which a crop from a large image to 32 pixels needs, and
its antialiased crop loops over the images. A resize is linear and separable, so it is written here
as two matrix products with one matrix per image and axis.
"""

from __future__ import annotations

import torch
from torch import Tensor


def resampling_matrix(start: Tensor, extent: Tensor, length: int, out: int) -> Tensor:
    """Weights `[n, out, length]` that resize `[start, start + extent)` of an axis to `out` pixels.

    The triangle filter of Pillow and of `interpolate(mode="bilinear", antialias=True)`: as wide as
    the step when it shrinks, two pixels when it enlarges; pixels outside the box have no weight.

    Args:
        start, extent: `[n]` whole pixels.
    """
    step = (extent / out)[:, None, None]
    pixel = torch.arange(length, device=start.device) + 0.5
    target = torch.arange(out, device=start.device) + 0.5
    start = start[:, None, None]
    centre = start + target[:, None] * step  # [n, out, 1]
    weight = (1 - (pixel - centre).abs() / step.clamp(min=1)).clamp_(min=0)  # [n, out, length]
    weight *= (pixel > start) & (pixel < start + extent[:, None, None])
    return weight / weight.sum(-1, keepdim=True)


def crop_and_resize(images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Each image's box at the size (height, width): `[n, C, H, W]` -> `[n, C, *size]`.

    Args:
        boxes: `[n, 4]` left, top, width and height in whole pixels, as floats.
    """
    left, top, width, height = boxes.unbind(-1)
    across = resampling_matrix(left, width, images.shape[3], size[1])
    down = resampling_matrix(top, height, images.shape[2], size[0])
    rows = torch.einsum("nchw,nvw->nchv", images, across)
    return torch.einsum("nuh,nchv->ncuv", down, rows).clamp_(0, 1)


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Whole images at the size (height, width), antialiased; the aspect ratio may change."""
    if tuple(images.shape[2:]) == size:
        return images
    resized = torch.nn.functional.interpolate(
        images, size=size, mode="bilinear", antialias=True, align_corners=False
    )
    return resized.clamp_(0, 1)
