"""Operations on the value of each pixel: colour, tone and histogram."""

from __future__ import annotations

import math

import torch
from kornia.augmentation import RandomClahe
from kornia.color import rgb_to_grayscale
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_gamma,
    adjust_hue,
    adjust_saturation_with_gray_subtraction,
    normalize_min_max,
)
from kornia.enhance import equalize as kornia_equalize
from kornia.enhance import invert as kornia_invert
from kornia.enhance import posterize as kornia_posterize
from kornia.enhance import solarize as kornia_solarize
from torch import Tensor

from augsearch.augment.ops.grain import carried, grid_of
from augsearch.augment.ops.operation import Field, Values, both_ways, log_both_ways

COLOUR_CHANNELS = 3


def color_jitter(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """torchvision's jitter (SimCLR's) in a fixed order; parts whose value is 0 cost nothing."""
    if values["brightness"]:
        factor = 1 + both_ways(u[:, 0], values["brightness"])
        images = adjust_brightness_accumulative(images, factor)
    if values["contrast"]:
        factor = 1 + both_ways(u[:, 1], values["contrast"])
        images = adjust_contrast_with_mean_subtraction(images, factor)
    if images.shape[1] != COLOUR_CHANNELS:
        return images
    if values["saturation"]:
        factor = 1 + both_ways(u[:, 2], values["saturation"])
        images = adjust_saturation_with_gray_subtraction(images, factor)
    if values["hue"]:
        turns = both_ways(u[:, 3], values["hue"])
        images = adjust_hue(images, 2 * math.pi * turns).clamp_(0, 1)
    return images


def grayscale(images: Tensor, _u: Tensor, _values: Values, _field: Field) -> Tensor:
    if images.shape[1] != COLOUR_CHANNELS:
        return images
    return rgb_to_grayscale(images).clamp_(0, 1).expand_as(images)


def gamma(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    return adjust_gamma(images, log_both_ways(u[:, 0], values["gamma"]))


def invert(images: Tensor, _u: Tensor, _values: Values, _field: Field) -> Tensor:
    return kornia_invert(images)


def solarize(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    threshold = values["threshold_min"] + (1 - values["threshold_min"]) * u[:, 0]
    # Kornia inverts from the threshold on, which would turn white black at threshold 1.
    return kornia_solarize(images, torch.nextafter(threshold, torch.full_like(threshold, 2.0)))


def posterize(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    lowest = int(values["bits_min"])
    bits = lowest + (u[:, 0] * (8 - lowest + 1)).long()
    return carried(images, values["grain"], lambda x: kornia_posterize(x, bits), fine=True)


def equalize(images: Tensor, _u: Tensor, values: Values, _field: Field) -> Tensor:
    return carried(images, values["grain"], kornia_equalize, fine=True)


def autocontrast(images: Tensor, _u: Tensor, values: Values, _field: Field) -> Tensor:
    def stretch(pixels: Tensor) -> Tensor:
        # Kornia turns a channel of one value black; there is nothing to stretch in it.
        flat = pixels.amax((2, 3), keepdim=True) == pixels.amin((2, 3), keepdim=True)
        return torch.where(flat, pixels, normalize_min_max(pixels).clamp_(0, 1))

    return carried(images, values["grain"], stretch, fine=True)


def clahe_tiles(side: int) -> int:
    """Tiles along an axis: eight, or fewer where one would be smaller than 16 cells.

    Contrast limits are whole counts per grey level; with fewer than 256 pixels to a tile the
    smallest, one, already distorts.
    """
    return min(8, max(2, side // 16))


def clahe(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    limits = 1 + (values["clip_limit"] - 1) * u[:, 0]
    rows, columns = grid_of(images, values["grain"])
    kornia_clahe = RandomClahe(grid_size=(clahe_tiles(rows), clahe_tiles(columns)))

    def equalise(pixels: Tensor) -> Tensor:
        equalised: Tensor = kornia_clahe.apply_transform(
            pixels, {"clip_limit_factor": limits}, kornia_clahe.flags
        )
        return equalised.clamp(0, 1)

    return carried(images, values["grain"], equalise, fine=True)
