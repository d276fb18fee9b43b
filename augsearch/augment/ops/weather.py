"""Rain and snow."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from augsearch.augment.ops.grain import carried, grid_of, spread
from augsearch.augment.ops.operation import Field, Values, both_ways, per_image

RAIN_GREY = 200 / 255
"""Kornia's colour of a drop."""
SHORTEST_DROP = 0.25
"""Share of the longest, as in Kornia's default range of 5 to 20 pixels."""


def rain(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
    """Kornia's drops, straight lines one cell wide that lie wholly inside the image.

    Written anew because Kornia reads every image's numbers back to the host, and raises where a
    drop is as large as the image. How many drops are laid out follows from the policy alone.
    """
    n = len(images)
    height, width = grid_of(images, values["grain"])  # of the cells that drops are made of
    longest = values["length"] * min(height, width)
    tall = longest * (SHORTEST_DROP + (1 - SHORTEST_DROP) * u[:, 1])
    tall = tall.round().clamp(1, height - 1)  # [n] rows of a drop
    lean = torch.tan(both_ways(u[:, 2], math.radians(values["slant"])))
    wide = (tall * lean).round().clamp(1 - width, width - 1)  # [n] columns, with their sign
    area = values["amount"] * height * width
    drops = (area * u[:, 0] / tall).floor()  # [n]
    most = int(area / max(1, math.floor(SHORTEST_DROP * longest)))
    if most == 0:
        return images
    last_x = wide.sign() * (wide.abs() - 1).clamp(min=0)  # [n] column of the last pixel
    steps = torch.arange(max(1, math.ceil(longest)), device=u.device)
    along_x = (last_x.abs()[:, None] * steps / (tall[:, None] - 1).clamp(min=1)).floor()
    along_x = along_x * last_x.sign()[:, None]  # [n, steps]
    place = field(0, (most, 2))  # [n, most, 2]
    top = (place[:, :, 0] * (height - tall + 1)[:, None]).floor()  # [n, most]
    left = (place[:, :, 1] * (width - last_x.abs())[:, None]).floor()
    left = left + (-last_x)[:, None].clamp(min=0)
    y = top[:, :, None] + steps  # [n, most, steps]
    x = left[:, :, None] + along_x[:, None, :]
    exists = torch.arange(most, device=u.device) < drops[:, None]  # [n, most]
    on_drop = exists[:, :, None] & (steps < tall[:, None])[:, None, :]
    # What is no drop falls on one pixel behind the last.
    pixel = torch.where(on_drop, y * width + x, height * width).long().view(n, -1)
    wet = torch.zeros(n, height * width + 1, dtype=torch.bool, device=u.device)
    wet = wet.scatter_(1, pixel, True)[:, :-1].view(n, 1, height, width)
    share = spread(wet.to(images.dtype), *images.shape[2:])
    return (images * (1 - share) + share * RAIN_GREY).clamp_(0, 1)


def snow(images: Tensor, u: Tensor, values: Values, _field: Field) -> Tensor:
    """Multiply the lightness of what is darker than a threshold; hue and saturation stay.

    Kornia goes to HLS and back, which needs three channels. There a colour is its lightness plus
    its chroma times something that only depends on the hue, and at one saturation the chroma goes
    with 1 - |2 lightness - 1|, so the factor between the chromas is all that is needed.
    """
    factor = 1 + per_image(u[:, 0]) * (values["brightness"] - 1)
    darkest = per_image(u[:, 1]) * values["coverage"]

    def whiten(pixels: Tensor) -> Tensor:
        lightness = (pixels.amax(1, keepdim=True) + pixels.amin(1, keepdim=True)) / 2
        lit = (lightness * factor).clamp(max=1)  # [n, 1, H, W]
        chroma = (1 - (2 * lit - 1).abs()) / (1 - (2 * lightness - 1).abs()).clamp(min=1e-6)
        snowed = lit + (pixels - lightness) * chroma
        return torch.where(lightness < darkest, snowed, pixels).clamp_(0, 1)

    return carried(images, values["grain"], whiten, fine=True)
