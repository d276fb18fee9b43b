"""What an operation's implementation looks like, and how uniform numbers become magnitudes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Values = Mapping[str, float]
"""Parameter values of an operation by name, as the catalogue defines them."""

Field = Callable[[int, tuple[int, ...]], Tensor]
"""`field(slot, shape)`: uniform numbers `[n, *shape]`, one per pixel of each image."""


@dataclass(frozen=True)
class Implementation:
    """How an operation is computed.

    Attributes:
        slots: uniform numbers needed per image, fields not counted.
        apply: (images `[n, C, H, W]` float32 in [0, 1], uniform numbers `[n, slots]`, values,
            field) -> images of the same shape in [0, 1]; each row depends on its own row only.
    """

    slots: int
    apply: Callable[[Tensor, Tensor, Values, Field], Tensor]


def both_ways(uniform: Tensor, most: float) -> Tensor:
    """Uniform in [-most, most]."""
    return (2 * uniform - 1) * most


def log_both_ways(uniform: Tensor, most: float) -> Tensor:
    """Log-uniform in [1 / most, most]."""
    return torch.exp((2 * uniform - 1) * math.log(most))


def per_image(numbers: Tensor) -> Tensor:
    """`[n]` -> `[n, 1, 1, 1]`, to be multiplied with images."""
    return numbers.view(-1, 1, 1, 1)
