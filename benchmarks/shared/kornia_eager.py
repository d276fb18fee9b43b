"""A policy as a Kornia user would write it: Kornia's own classes, one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import kornia.augmentation as K
import torch
from torch import Tensor, nn

from augsearch.space.policy import Policy

Values = dict[str, float]


def kornia_eager(
    policy: Policy, size: int, tuned_for: torch.device | None = None
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """uint8 `[B, C, H, W]` to two views, float32 in [0, 1]; KeyError for an unknown operation.

    Args:
        tuned_for: instead of Kornia's defaults (numbers are drawn on the CPU, every image is
            cropped by itself), draw on this device and crop all images at once, unsmoothed.
    """
    makers = MAKERS
    if tuned_for is not None:
        makers = {**MAKERS, "resized_crop": partial(_crop, mode="resample")}
    both = [
        nn.Sequential(*(makers[op.op](op.values(), op.p, size) for op in ops))
        for ops in policy.views
    ]
    if tuned_for is not None:
        both = [view.to(tuned_for) for view in both]
    return lambda images: (both[0](images.float() / 255), both[1](images.float() / 255))


def _crop(v: Values, _p: float, size: int, mode: str = "slice") -> nn.Module:
    crop: nn.Module = K.RandomResizedCrop(
        (size, size), scale=(v["scale_min"], 1.0), ratio=_around(v["ratio"]), cropping_mode=mode
    )
    return crop


def _blur(v: Values, p: float, size: int) -> nn.Module:
    sigma = v["sigma"] * size
    side = 2 * max(1, math.ceil(3 * sigma)) + 1
    blur: nn.Module = K.RandomGaussianBlur((side, side), (1e-3, max(sigma, 2e-3)), p=p)
    return blur


def _jitter(v: Values, p: float, _size: int) -> nn.Module:
    jitter: nn.Module = K.ColorJitter(
        v["brightness"], v["contrast"], v["saturation"], v["hue"], p=p
    )
    return jitter


def _around(ratio: float) -> tuple[float, float]:
    return (1 / ratio, ratio)


MAKERS: dict[str, Callable[[Values, float, int], nn.Module]] = {
    "resized_crop": _crop,
    "horizontal_flip": lambda _v, p, _size: K.RandomHorizontalFlip(p=p),
    "vertical_flip": lambda _v, p, _size: K.RandomVerticalFlip(p=p),
    "rotate90": lambda _v, p, _size: K.RandomRotation90((1, 3), p=p),
    "rotation": lambda v, p, _size: K.RandomRotation(v["degrees"], p=p),
    "color_jitter": _jitter,
    "grayscale": lambda _v, p, _size: K.RandomGrayscale(p=p),
    "linear_illumination": lambda v, p, _size: K.RandomLinearIllumination((1e-6, v["gain"]), p=p),
    "gaussian_blur": _blur,
    "gaussian_noise": lambda v, p, _size: K.RandomGaussianNoise(std=v["std"], p=p),
    "erasing": lambda v, p, _size: K.RandomErasing((1e-3, v["area"]), _around(v["ratio"]), p=p),
}
