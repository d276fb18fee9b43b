"""Operations on single pixels, in place and row by row with the numbers of that row.

Each function turns the draws of one operation into a kernel. A closed gate is a number at which
the arithmetic changes nothing, so nothing branches on the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from augsearch.augment.draws import gaussian
from augsearch.augment.fused.compiled import compiled
from augsearch.augment.fused.pass_ import Gate, Kernel, Rows
from augsearch.augment.ops.grain import carried, grid_of, spread
from augsearch.augment.ops.illumination import SPOT_CENTRE, SPOT_SIGMA
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.ops.operation import both_ways, log_both_ways, per_image

COLOUR_CHANNELS = 3
RED, GREEN, BLUE = 0.299, 0.587, 0.114


def luma(images: Tensor) -> Tensor:
    """`[m, 3, H, W]` -> `[m, 1, H, W]`, ITU-R BT.601."""
    grey = images[:, 0:1] * RED
    grey.add_(images[:, 1:2], alpha=GREEN)
    return grey.add_(images[:, 2:3], alpha=BLUE)


def mean_luma(images: Tensor) -> Tensor:
    """`[m, C, H, W]` -> `[m, 1, 1, 1]`: the mean grey."""
    means = images.mean((2, 3), keepdim=True)  # [m, C, 1, 1]
    if images.shape[1] != COLOUR_CHANNELS:
        return means.mean(1, keepdim=True)
    return luma(means)


def shift_hue(images: Tensor, sixths: Tensor) -> Tensor:
    """Turn the hue (HSV) of `[m, 3, H, W]` by `sixths` `[m, 1, 1, 1]` >= 0 of the colour circle.

    The largest and smallest channel stay, so no full conversion to HSV and back is needed. The
    hue is that of S. Hocevar's branch-free conversion ("Fast branchless RGB to HSV", 2013).
    """
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]
    upper, lower = torch.maximum(green, blue), torch.minimum(green, blue)
    lowest = torch.minimum(red, lower)
    chroma = torch.maximum(red, upper).sub_(lowest)  # [m, 1, H, W]
    # Which channel leads, as numbers: choosing with `where` costs ten times the arithmetic.
    green_up, red_leads = torch.empty_like(chroma), torch.empty_like(chroma)
    torch.ge(green, blue, out=green_up)
    torch.ge(red, upper, out=red_leads)
    # In sixths of the circle: |start + way|, with a start of 0 or -6 where red leads, else of
    # -2 or 4, and a way of 0 to 1. Without chroma the way is 0.
    way = torch.minimum(red, upper).sub_(lower).div_(chroma.clamp(min=1e-12))
    start = (12 * green_up).sub_(10).mul_(red_leads).sub_(green_up, alpha=6).add_(4)
    hue = start.add_(way).abs_().add_(sixths).div_(6).frac_().mul_(6)
    # Each channel rises and falls about its own place on the circle.
    away = torch.sub(hue, per_channel(images, 3, 2, 4), out=images).abs_()
    away.mul_(per_channel(images, 1, -1, -1)).add_(per_channel(images, -1, 2, 2)).clamp_(0, 1)
    return away.mul_(chroma).add_(lowest)


def per_channel(images: Tensor, red: float, green: float, blue: float) -> Tensor:
    """`[1, 3, 1, 1]`, filled on the images' device."""
    numbers = images.new_empty(1, 3, 1, 1)
    for channel, number in enumerate((red, green, blue)):
        numbers[:, channel] = number
    return numbers


JITTER = ("brightness", "contrast", "saturation", "hue")


def jitter(images: Tensor, numbers: Mapping[str, Tensor]) -> Tensor:
    """Brightness, contrast, saturation and hue, in place; each only if it has its number.

    Args:
        numbers: `[m, 1, 1, 1]`: three factors by name, with "no contrast" and "no saturation" for
            what is missing to 1, and "hue", as `shift_hue` takes it.
    """
    if "brightness" in numbers:
        images.mul_(numbers["brightness"]).clamp_(max=1)
    if "contrast" in numbers:
        rest = mean_luma(images).mul_(numbers["no contrast"])
        images.mul_(numbers["contrast"]).add_(rest).clamp_(0, 1)
    if images.shape[1] != COLOUR_CHANNELS:
        return images
    if "saturation" in numbers:
        grey = luma(images).mul_(numbers["no saturation"])
        images.mul_(numbers["saturation"]).add_(grey).clamp_(0, 1)
    if "hue" in numbers:
        images = shift_hue(images, numbers["hue"]).clamp_(0, 1)
    return images


def color_jitter(gate: Gate) -> Kernel:
    u, values = gate.u, gate.values
    # Compiled, all parts are computed, idle or not: one graph serves every policy.
    used = [name for name in JITTER if gate.compile or values[name]]
    spread = {name: both_ways(u[:, slot], values[name]) for slot, name in enumerate(JITTER)}
    # Whole circles do not count; one makes all shifts of the hue positive.
    numbers = {
        name: 6 + 6 * gate.where_open(spread[name], 0.0)
        if name == "hue"
        else gate.where_open(1 + spread[name], 1.0)
        for name in used
    }
    for name in ("contrast", "saturation"):
        if name in used:
            numbers[f"no {name}"] = 1 - numbers[name]
    compute = compiled(jitter) if gate.compile else jitter

    def apply(images: Tensor, rows: Rows) -> Tensor:
        return compute(images, {name: number[rows] for name, number in numbers.items()})

    return apply


def grayscale(gate: Gate) -> Kernel:
    share = per_image(gate.open.float())

    def apply(images: Tensor, rows: Rows) -> Tensor:
        if images.shape[1] != COLOUR_CHANNELS:
            return images
        return images.lerp_(luma(images), share[rows])

    return apply


def gamma(gate: Gate) -> Kernel:
    exponent = gate.where_open(log_both_ways(gate.u[:, 0], gate.values["gamma"]), 1.0)

    def apply(images: Tensor, rows: Rows) -> Tensor:
        return images.pow_(exponent[rows]).clamp_(0, 1)

    return apply


def invert(gate: Gate) -> Kernel:
    inverted = per_image(gate.open.float())

    def apply(images: Tensor, rows: Rows) -> Tensor:
        # 1 - x where inverted, x elsewhere, both exactly.
        return images.mul_(1 - 2 * inverted[rows]).add_(inverted[rows])

    return apply


def solarize(gate: Gate) -> Kernel:
    lowest = gate.values["threshold_min"]
    threshold = gate.where_open(lowest + (1 - lowest) * gate.u[:, 0], 2.0)

    def apply(images: Tensor, rows: Rows) -> Tensor:
        bright = torch.gt(images, threshold[rows], out=torch.empty_like(images))
        return images.lerp_(1 - images, bright)

    return apply


def on_cells(kernel: Kernel, gate: Gate) -> Kernel:
    """`kernel`, carried over to finer pixels than the cells that it was meant for."""
    grain = gate.values["grain"]

    def apply(images: Tensor, rows: Rows) -> Tensor:
        if grid_of(images, grain) == images.shape[2:]:
            return kernel(images, rows)
        return carried(images, grain, lambda x: kernel(x.clone(), rows), fine=True)

    return apply


def posterize(gate: Gate) -> Kernel:
    lowest = int(gate.values["bits_min"])
    bits = lowest + (gate.u[:, 0] * (8 - lowest + 1)).long()
    dropped = gate.where_open((8 - bits).float(), 0.0)

    def apply(images: Tensor, rows: Rows) -> Tensor:
        step = torch.exp2(dropped[rows])
        coarse = (images * 255).floor_().div_(step).floor_().mul_(step).div_(255)
        return images.lerp_(coarse, (dropped[rows] > 0).to(images.dtype))

    return on_cells(apply, gate)


def autocontrast(gate: Gate) -> Kernel:
    def apply(images: Tensor, rows: Rows) -> Tensor:
        low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
        stretched = per_image(gate.open[rows]) & (high > low)  # [m, C, 1, 1]
        low = torch.where(stretched, low, 0.0)
        return images.sub_(low).div_(torch.where(stretched, high - low, 1.0)).clamp_(0, 1)

    return on_cells(apply, gate)


def gaussian_noise(gate: Gate) -> Kernel:
    std = gate.where_open(gate.u[:, 0] * gate.values["std"], 0.0)

    def apply(images: Tensor, rows: Rows) -> Tensor:
        grid = grid_of(images, gate.values["grain"])
        noise = gaussian(gate.field(rows, (images.shape[1], *grid))).mul_(std[rows])
        return images.add_(spread(noise, *images.shape[2:])).clamp_(0, 1)

    return apply


def salt_and_pepper(gate: Gate) -> Kernel:
    half = gate.where_open(gate.u[:, 0] * gate.values["amount"] / 2, 0.0)

    def apply(images: Tensor, rows: Rows) -> Tensor:
        fate = gate.field(rows, (1, *grid_of(images, gate.values["grain"])))
        white = torch.lt(fate, half[rows], out=torch.empty_like(fate))
        kept = torch.lt(fate, 1 - half[rows], out=fate).sub_(white)
        kept, white = (spread(cells, *images.shape[2:]) for cells in (kept, white))
        return images.mul_(kept).add_(white).clamp_(0, 1)

    return apply


def erasing(gate: Gate) -> Kernel:
    u, values = gate.u, gate.values
    share = torch.where(gate.open, u[:, 0] * values["area"], 0.0)
    ratio = log_both_ways(u[:, 1], values["ratio"])

    def apply(images: Tensor, rows: Rows) -> Tensor:
        height, width = images.shape[2:]
        area = share[rows] * (height * width)
        wide = (area * ratio[rows]).sqrt().round().clamp(max=width)
        high = (area / ratio[rows]).sqrt().round().clamp(max=height)
        columns = _inside(u[rows, 2], wide, width)[:, None, None, :]
        covered = columns * _inside(u[rows, 3], high, height)[:, None, :, None]
        return images.lerp_(images.mean((1, 2, 3), keepdim=True), covered)

    return apply


def _inside(place: Tensor, extent: Tensor, length: int) -> Tensor:
    """`[m, length]`: 1 for the pixels of an axis that an interval at a uniform place covers."""
    start = (place * (length - extent + 1)).floor()[:, None]
    pixel = torch.arange(length, device=place.device)
    return ((pixel >= start) & (pixel < start + extent[:, None])).to(place.dtype)


def linear_illumination(gate: Gate) -> Kernel:
    gain = gate.where_open(both_ways(gate.u[:, 0], gate.values["gain"]), 0.0)
    side = per_image((4 * gate.u[:, 1]).floor())
    vertical, reversed_ = (side < 2), (side % 2 == 1)

    def apply(images: Tensor, rows: Rows) -> Tensor:
        height, width = images.shape[2:]
        strength, upright, flipped = gain[rows], vertical[rows], reversed_[rows]
        y = torch.linspace(0, 1, height, device=images.device).view(1, 1, -1, 1)
        x = torch.linspace(0, 1, width, device=images.device).view(1, 1, 1, -1)
        y, x = torch.where(flipped, 1 - y, y), torch.where(flipped, 1 - x, x)
        # A ramp along one axis, nothing along the other.
        ramp = torch.where(upright, y, x) * strength  # [m, 1, H, W]
        return images.add_(ramp).clamp_(0, 1)

    return apply


def gaussian_illumination(gate: Gate) -> Kernel:
    gain = gate.where_open(both_ways(gate.u[:, 0], gate.values["gain"]), 0.0)

    def bell(rows: Rows, slot: int, length: int) -> Tensor:
        """`[m, length]`: the spot along one axis."""
        place = (torch.arange(length, device=gate.u.device) + 0.5) / length
        centre = SPOT_CENTRE[0] + (SPOT_CENTRE[1] - SPOT_CENTRE[0]) * gate.u[rows, slot, None]
        sigma = SPOT_SIGMA[0] + (SPOT_SIGMA[1] - SPOT_SIGMA[0]) * gate.u[rows, slot + 1, None]
        return torch.exp(((place - centre) / sigma).square_().div_(-2))

    def apply(images: Tensor, rows: Rows) -> Tensor:
        down, across = bell(rows, 1, images.shape[2]), bell(rows, 3, images.shape[3])
        low = per_image(down.amin(1) * across.amin(1))
        high = per_image(down.amax(1) * across.amax(1))
        scale = gain[rows] / (high - low)
        spot = (down[:, :, None] * across[:, None, :]).unsqueeze(1)  # [m, 1, H, W]
        return images.add_(spot.sub_(low).mul_(scale)).clamp_(0, 1)

    return apply


def blended(name: str) -> Callable[[Gate], Kernel]:
    """The reference's operation, which is one pass already, mixed in where its gate is open."""
    implementation = IMPLEMENTATIONS[name]

    def operation(gate: Gate) -> Kernel:
        share = per_image(gate.open.float())

        def apply(images: Tensor, rows: Rows) -> Tensor:
            def field(slot: int, shape: tuple[int, ...]) -> Tensor:
                return gate.field(rows, shape, slot)

            changed = implementation.apply(images, gate.u[rows], gate.values, field)
            return images.lerp_(changed, share[rows])

        return apply

    return operation


POINTWISE: dict[str, Callable[[Gate], Kernel]] = {
    "color_jitter": color_jitter,
    "grayscale": grayscale,
    "gamma": gamma,
    "invert": invert,
    "solarize": solarize,
    "posterize": posterize,
    "autocontrast": autocontrast,
    "gaussian_noise": gaussian_noise,
    "salt_and_pepper": salt_and_pepper,
    "erasing": erasing,
    "linear_illumination": linear_illumination,
    "gaussian_illumination": gaussian_illumination,
    **{
        name: blended(name)
        for name in (
            "rgb_shift",
            "channel_shuffle",
            "channel_dropout",
            "linear_corner_illumination",
        )
    },
}
