"""Geometric operations: where a pixel comes from. Uncovered borders mirror the image."""

from __future__ import annotations

import math

import torch
from kornia.geometry.transform import (
    get_affine_matrix2d,
    get_perspective_transform,
    hflip,
    rotate,
    vflip,
    warp_affine,
    warp_perspective,
)
from torch import Tensor

from augsearch.augment.ops.operation import Field, Values, both_ways, log_both_ways
from augsearch.augment.ops.resample import crop_and_resize, resize

CROP_ATTEMPTS = 10
CROP_SLOTS = 2 * CROP_ATTEMPTS + 2


def crop_boxes(u: Tensor, values: Values, height: int, width: int) -> Tensor:
    """Boxes `[n, 4]` (left, top, width, height) of SimCLR's random resized crop.

    As torchvision and Kornia do on square images: area and aspect ratio are drawn up to ten times
    until they fit; if they never do, the box is the whole image. On other images the ratio counts
    relative to the image's own, so that the whole image stays the identity.
    """
    share = values["scale_min"] + (1 - values["scale_min"]) * u[:, :CROP_ATTEMPTS]
    ratio = log_both_ways(u[:, CROP_ATTEMPTS : 2 * CROP_ATTEMPTS], values["ratio"])
    wide = (width * (share * ratio).sqrt()).round()  # [n, attempts]
    high = (height * (share / ratio).sqrt()).round()
    fits = (wide >= 1) & (wide <= width) & (high >= 1) & (high <= height)
    first = fits.int().argmax(1, keepdim=True)
    none_fits = ~fits.any(1)
    wide = wide.gather(1, first)[:, 0].masked_fill(none_fits, width)
    high = high.gather(1, first)[:, 0].masked_fill(none_fits, height)
    left = (u[:, -2] * (width - wide + 1)).floor().minimum(width - wide)
    top = (u[:, -1] * (height - high + 1)).floor().minimum(height - high)
    return torch.stack([left, top, wide, high], dim=1)


def resized_crop(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    height, width = images.shape[2:]
    return crop_and_resize(images, crop_boxes(u, values, height, width), (height, width))


def horizontal_flip(images: Tensor, _u: Tensor, _values: Values, _field: Field) -> Tensor:
    return hflip(images)


def vertical_flip(images: Tensor, _u: Tensor, _values: Values, _field: Field) -> Tensor:
    return vflip(images)


def rotate90(images: Tensor, u: Tensor, _values: Values, _field: Field) -> Tensor:
    """Exact on square images; others are resized back to their shape after a quarter turn."""
    size = (images.shape[2], images.shape[3])
    quarters = (3 * u[:, 0]).floor().view(-1, 1, 1, 1)
    one, two, three = (torch.rot90(images, k, (2, 3)) for k in (1, 2, 3))
    either = torch.where(quarters == 1, two, resize(three, size))
    return torch.where(quarters == 0, resize(one, size), either)


def rotation(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    angles = both_ways(u[:, 0], values["degrees"])
    return rotate(images, angles, padding_mode="reflection").clamp_(0, 1)


def affine(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    height, width = images.shape[2:]
    shift = both_ways(u[:, 0:2], values["translate"]) * u.new_tensor([width, height])
    zoom = log_both_ways(u[:, 2:3], values["zoom"]).expand(-1, 2)
    shear = both_ways(u[:, 3:5], math.radians(values["shear"]))
    centre = u.new_tensor([(width - 1) / 2, (height - 1) / 2]).expand(len(u), 2)
    matrix = get_affine_matrix2d(
        shift, centre, zoom, torch.zeros_like(u[:, 0]), shear[:, 0], shear[:, 1]
    )
    warped = warp_affine(images, matrix[:, :2], (height, width), padding_mode="reflection")
    return warped.clamp_(0, 1)


def perspective(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    height, width = images.shape[2:]
    right, bottom = width - 1.0, height - 1.0
    corners = u.new_tensor([[0, 0], [right, 0], [right, bottom], [0, bottom]])
    inwards = u.new_tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    most = u.new_tensor([width, height]) / 2 * values["distortion"]
    moved = corners + inwards * most * u.view(-1, 4, 2)  # [n, 4, 2]
    matrix = get_perspective_transform(corners.expand_as(moved), moved)
    warped = warp_perspective(images, matrix, (height, width), padding_mode="reflection")
    return warped.clamp_(0, 1)
