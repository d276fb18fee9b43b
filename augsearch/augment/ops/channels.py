"""Operations on the channels of colour images; grey images stay as they are.

Each is a line or two of torch: Kornia's classes raise on grey images, and exported torchvision
files can use these as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from augsearch.augment.ops.operation import Field, Values, both_ways

RGB = 3
BLACK_BODY_RED = (
    0.6743, 0.6281, 0.5919, 0.5623, 0.5376, 0.5163, 0.4979, 0.4816, 0.4672, 0.4542, 0.4426, 0.4320,
    0.4223, 0.4135, 0.4054, 0.3980, 0.3911, 0.3847, 0.3787, 0.3732, 0.3680, 0.3632, 0.3586, 0.3544,
    0.3503,
)  # fmt: skip
BLACK_BODY_GREEN = (
    0.4029, 0.4241, 0.4372, 0.4457, 0.4515, 0.4555, 0.4584, 0.4604, 0.4619, 0.4630, 0.4638, 0.4644,
    0.4648, 0.4651, 0.4653, 0.4654, 0.4655, 0.4656, 0.4656, 0.4656, 0.4655, 0.4655, 0.4655, 0.4654,
    0.4653,
)  # fmt: skip
BLACK_BODY_BLUE = (
    0.0013, 0.1665, 0.2513, 0.3154, 0.3672, 0.4103, 0.4468, 0.4782, 0.5053, 0.5289, 0.5497, 0.5681,
    0.5844, 0.5990, 0.6121, 0.6239, 0.6346, 0.6444, 0.6532, 0.6613, 0.6688, 0.6756, 0.6820, 0.6878,
    0.6933,
)  # fmt: skip
"""Colour of a black body at 3000, 3500, ... 15000 K (Zini et al. 2023, arXiv 2202.07993)."""
DAYLIGHT = 7
"""Place of 6500 K in the table."""


def rgb_shift(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    if images.shape[1] != RGB:
        return images
    shift = both_ways(u, values["shift"])[:, :, None, None]  # [n, 3, 1, 1]
    return (images + shift).clamp_(0, 1)


def channel_shuffle(images: Tensor, u: Tensor, _values: Values, _field: Field) -> Tensor:
    """One of the five orders that are not the image's own; Kornia's sixth does nothing."""
    if images.shape[1] != RGB:
        return images
    channel = torch.arange(RGB, device=images.device)
    order = (5 * u[:, :1]).long()  # [n, 1]
    # All permutations of three are rotations c + k and reflections k - c.
    source = torch.where(order < 2, channel + order + 1, order - channel) % RGB  # [n, 3]
    return images.gather(1, source[:, :, None, None].expand_as(images))


def channel_dropout(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """Kornia loses the same number of channels in every image of a batch."""
    if images.shape[1] != RGB:
        return images
    lost = 1 + (values["channels"] * u[:, :1]).floor()  # [n, 1]
    chosen = torch.arange(RGB, device=images.device) == (RGB * u[:, 1:2]).floor()  # [n, 3]
    dropped = torch.where(lost == 1, chosen, ~chosen)  # two are lost when the chosen one stays
    return images.masked_fill(dropped[:, :, None, None], 0.0)


def planckian_jitter(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """Kornia's table without its jumps, relative to daylight, so that no shift is no change."""
    if images.shape[1] != RGB:
        return images
    green = u.new_tensor(BLACK_BODY_GREEN)
    red, blue = u.new_tensor(BLACK_BODY_RED) / green, u.new_tensor(BLACK_BODY_BLUE) / green
    table = torch.stack([red, torch.ones_like(green), blue], dim=1)  # [temperatures, 3]
    table = table / table[DAYLIGHT]
    shift = both_ways(u[:, 0], values["shift"])
    position = DAYLIGHT + shift * torch.where(shift < 0, DAYLIGHT, len(table) - 1 - DAYLIGHT)
    below = position.long().clamp(max=len(table) - 2)
    gain = torch.lerp(table[below], table[below + 1], (position - below)[:, None])  # [n, 3]
    return (images * gain[:, :, None, None]).clamp_(0, 1)
