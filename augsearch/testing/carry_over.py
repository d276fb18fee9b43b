"""How much of an operation's effect carries over to images of another size.

A policy is found on small images and used on large ones. What an operation does to large images is
looked at on the small ones' pixels: rendered, averaged down, less the images averaged down. The
ratio of that effect to the effect on the small images themselves is 1 where it carries over.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from augsearch.augment.draws import Draws
from augsearch.augment.ops.grain import resized
from augsearch.augment.ops.operation import Implementation, Values
from augsearch.space.catalogue import Operation

REFERENCE = 32
"""Pixels of the small images."""
SMALLEST = 1e-4
"""Effect that is none: less than 8 bits can hold."""
BOUNDS = (0.9, 1.1)
"""Ratios between which an operation counts as carrying over."""


def natural_pictures(n: int, channels: int, side: int) -> Tensor:
    """Random pictures `[n, C, side, side]` in [0, 1] with the spectrum of photographs.

    The amplitude goes with frequency^-1.2 (Torralba and Oliva 2003, Network 14, 391); channels
    share most of it. The finest detail is that of `side` pixels.
    """
    generator = torch.Generator().manual_seed(0)
    white = torch.randn(n, channels + 1, side, side, generator=generator)
    frequency = torch.fft.fftfreq(side)
    radius = (frequency[:, None] ** 2 + frequency**2).sqrt()
    radius[0, 0] = math.inf
    drawn = torch.fft.ifft2(torch.fft.fft2(white) / radius**1.2).real
    mixed = drawn[:, :1] + 0.5 * drawn[:, 1:]
    spread = mixed.std((1, 2, 3), keepdim=True)
    level = 0.35 + 0.3 * torch.rand(n, 1, 1, 1, generator=generator)
    pictures: Tensor = level + 0.16 * mixed / spread
    return pictures.clamp(0, 1)


def typical_values(operation: Operation) -> dict[str, float]:
    """The defaults; where those change nothing, half of every magnitude."""
    values = {p.name: p.default for p in operation.numbers}
    if operation.does_nothing(values):
        values |= {p.name: (p.low + p.high) / 2 for p in operation.magnitudes}
    return values


def carried_share(
    name: str, implementation: Implementation, values: Values, images: Tensor, seed: int = 0
) -> float:
    """Effect on `images` `[n, C, S, S]` seen at 32 pixels, over the effect on those at 32 pixels.

    Effects are root mean squares over all pixels, under the same draws.

    Infinite where it does next to nothing to the small images and something to the large ones; 1
    where it does nothing to either.
    """
    small = resized(images, REFERENCE, REFERENCE)
    effect = _render(name, implementation, values, images, seed) - images
    seen = resized(effect, REFERENCE, REFERENCE).square().mean().sqrt()
    there = (_render(name, implementation, values, small, seed) - small).square().mean().sqrt()
    if there < SMALLEST:
        return 1.0 if seen < SMALLEST else math.inf
    return float(seen / there)


def _render(
    name: str, implementation: Implementation, values: Values, images: Tensor, seed: int
) -> Tensor:
    draws = Draws(seed, 0, 0, (0,), len(images), images.device)
    rows = torch.arange(len(images), device=images.device)
    u = draws.uniform(name, implementation.slots)
    return implementation.apply(
        images.clone(), u, values, lambda slot, shape: draws.field(name, rows, shape, slot)
    )
