"""Geometric operations as maps of coordinates, so that any number of them samples the image once.

An operation tells where in its input each pixel of its output lies. The maps of a policy are
applied in reverse, from the last operation's output to the source, and the source is sampled
there. What an operation uncovers mirrors its own input, as in the reference: coordinates are
folded back into the frame between two operations.

Coordinates are in pixels, 0 at the centre of the first one. `x` and `y` are `[m, 1, S]` and
`[m, S, 1]` as long as no operation has mixed the axes, then `[m, S, S]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from augsearch.augment.fused.pass_ import Gate, Rows
from augsearch.augment.ops.geometric import crop_boxes
from augsearch.augment.ops.operation import both_ways, log_both_ways
from augsearch.augment.ops.warp import FISHEYE_POWER

Coordinates = tuple[Tensor, Tensor]

Map = Callable[[Coordinates, Rows], Coordinates]
"""From places in an operation's output to places in its input, for some rows of the batch."""


def per_map(numbers: Tensor) -> Tensor:
    """`[n]` -> `[n, 1, 1]`, to be multiplied with coordinates."""
    return numbers.view(-1, 1, 1)


def fold(x: Tensor, length: int) -> Tensor:
    """Mirror coordinates at the first and last pixel's centre, as often as it takes."""
    last = max(length - 1, 1)
    x = x / (2 * last)
    x.sub_(x.floor()).mul_(2 * last)  # [0, 2 last)
    return torch.minimum(x, 2 * last - x)


def linear_map(matrix: Tensor) -> Map:
    """The map of output to input coordinates `[n, 2, 3]`."""
    xx, xy, x0, yx, yy, y0 = (per_map(entry) for entry in matrix.reshape(-1, 6).unbind(1))

    def apply(at: Coordinates, rows: Rows) -> Coordinates:
        x, y = at
        across = (xx[rows] * x) + (xy[rows] * y + x0[rows])
        down = (yx[rows] * x) + (yy[rows] * y + y0[rows])
        return across, down

    return apply


def folded(inner: Map, size: int) -> Map:
    """`inner`, mirrored back into a frame of `size`."""

    def apply(at: Coordinates, rows: Rows) -> Coordinates:
        x, y = inner(at, rows)
        return fold(x, size), fold(y, size)

    return apply


def resized_crop(gate: Gate, size: int) -> Map:
    """A crop of a frame of `size` that is resized to the same size."""
    return crop_map(gate, size, size, size)


def crop_map(gate: Gate, height: int, width: int, size: int) -> Map:
    """A gated crop from `height` x `width` to `size` x `size`, without antialiasing."""
    boxes = crop_boxes(gate.u, gate.values, height, width)
    whole = whole_boxes(1, height, width, boxes.device)
    return box_map(torch.where(gate.open[:, None], boxes, whole), size)


def whole_boxes(count: int, height: int, width: int, device: torch.device) -> Tensor:
    """`[count, 4]` boxes that hold the whole image."""
    boxes = torch.zeros(count, 4, device=device)
    boxes[:, 2], boxes[:, 3] = width, height  # filled there: no copy that the device waits for
    return boxes


def box_map(boxes: Tensor, size: int) -> Map:
    """Boxes `[n, 4]` (left, top, width, height in pixels) that fill a frame of `size`."""
    left, top, width, height = (per_map(number) for number in boxes.unbind(1))
    axes = []
    for start, extent in ((left, width), (top, height)):
        scale = extent / size
        # Pixels outside the box have no weight, so its border pixels reach to its edge.
        axes.append((scale, scale / 2 + start - 0.5, start, start + extent - 1))

    def apply(at: Coordinates, rows: Rows) -> Coordinates:
        x, y = (
            (place * scale[rows]).add_(offset[rows]).maximum(first[rows]).minimum(last[rows])
            for place, (scale, offset, first, last) in zip(at, axes, strict=True)
        )
        return x, y

    return apply


def flip(gate: Gate, size: int) -> tuple[Tensor, Tensor]:
    """Sign and offset `[n, 1, 1]` of a mirrored axis where the gate is open, exactly."""
    flipped = per_map(gate.open.float())
    return 1 - 2 * flipped, (size - 1) * flipped


def horizontal_flip(gate: Gate, size: int) -> Map:
    sign, offset = flip(gate, size)
    return lambda at, rows: (at[0] * sign[rows] + offset[rows], at[1])


def vertical_flip(gate: Gate, size: int) -> Map:
    sign, offset = flip(gate, size)
    return lambda at, rows: (at[0], at[1] * sign[rows] + offset[rows])


def rotate90(gate: Gate, size: int) -> Map:
    quarters = torch.where(gate.open, 1 + (3 * gate.u[:, 0]).floor(), 0.0)
    none, one, two, three = ((quarters == k).float() for k in range(4))
    cosine, sine = none - two, three - one
    back = torch.stack([cosine, sine, -sine, cosine], dim=1).view(-1, 2, 2)
    return linear_map(about_centre(back, torch.zeros_like(back[:, 0]), size))


def about_centre(linear: Tensor, shift: Tensor, size: int) -> Tensor:
    """`[n, 2, 3]`: the map input = linear (output - centre - shift) + centre."""
    centre = torch.full_like(shift, (size - 1) / 2)  # [n, 2]
    moved = centre - (linear @ (centre + shift)[:, :, None])[:, :, 0]
    return torch.cat([linear, moved[:, :, None]], dim=2)


def rotation(gate: Gate, size: int) -> Map:
    degrees = torch.where(gate.open, both_ways(gate.u[:, 0], gate.values["degrees"]), 0.0)
    angle = degrees * (math.pi / 180)
    cosine, sine = angle.cos(), angle.sin()
    back = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
    return folded(linear_map(about_centre(back, torch.zeros_like(back[:, 0]), size)), size)


def affine(gate: Gate, size: int) -> Map:
    u, values, open_ = gate.u, gate.values, gate.open[:, None]
    shift = torch.where(open_, both_ways(u[:, 0:2], values["translate"] * size), 0.0)
    zoom = torch.where(gate.open, log_both_ways(u[:, 2], values["zoom"]), 1.0)
    shear = torch.where(open_, both_ways(u[:, 3:5], math.radians(values["shear"])), 0.0).tan()
    along_x, along_y = shear.unbind(1)
    one = torch.ones_like(along_x)
    # The inverse of Kornia's zoom x shear, whose shear has determinant 1.
    unsheared = torch.stack([one + along_x * along_y, along_x, along_y, one], dim=1)
    back = unsheared.view(-1, 2, 2) / zoom[:, None, None]
    return folded(linear_map(about_centre(back, shift, size)), size)


def perspective(gate: Gate, size: int) -> Map:
    last = size - 1.0
    most = size / 2 * gate.values["distortion"]
    inwards = torch.where(gate.open[:, None], gate.u * most, 0.0)  # [n, 8], x and y by corner
    x0, y0, x1, y1, x2, y2, x3, y3 = inwards.unbind(1)
    quad = (x0, y0, last - x1, y1, last - x2, last - y2, x3, last - y3)
    numbers = [per_map(number) for number in quad_to_square(*quad)]

    def apply(at: Coordinates, rows: Rows) -> Coordinates:
        x, y = at
        a, b, c, d, e, f, g, h, i = (number[rows] for number in numbers)
        depth = (g * x) + (h * y + i)
        across = ((a * x) + (b * y + c)).div_(depth).mul_(last)
        down = ((d * x) + (e * y + f)).div_(depth).mul_(last)
        return across, down

    return folded(apply, size)


def fisheye(gate: Gate, size: int) -> Map:
    """x + amount x r^power, in coordinates from -1 to 1; see `augment.warp.fisheye`."""
    half = max(size - 1, 1) / 2
    amount = per_map(torch.where(gate.open, gate.u[:, 0] * gate.values["amount"], 0.0))
    centre_x, centre_y = (
        per_map(axis) for axis in both_ways(gate.u[:, 1:3], gate.values["centre"]).unbind(1)
    )
    power = per_map(FISHEYE_POWER[0] + (FISHEYE_POWER[1] - FISHEYE_POWER[0]) * gate.u[:, 3])

    def apply(at: Coordinates, rows: Rows) -> Coordinates:
        x, y = at[0] / half - 1, at[1] / half - 1
        squared = (x - centre_x[rows]).square() + (y - centre_y[rows]).square()  # [m, S, S]
        stretch = squared.pow_(power[rows] / 2).mul_(amount[rows]).add_(1)
        return (x * stretch).add_(1).mul_(half), (y * stretch).add_(1).mul_(half)

    return folded(apply, size)


def quad_to_square(
    x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor, x3: Tensor, y3: Tensor
) -> tuple[Tensor, ...]:
    """The nine numbers of the projective map from a quadrilateral to the unit square.

    Corners run (0, 0), (1, 0), (1, 1), (0, 1). The inverse of Heckbert's closed form for the way
    from the square to the quadrilateral (1989, Fundamentals of Texture Mapping, section 2.2.3),
    as adjugate, so nothing is solved and no device waited for.
    """
    dx1, dy1, dx2, dy2 = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    determinant = dx1 * dy2 - dx2 * dy1
    g = (sx * dy2 - dx2 * sy) / determinant
    h = (dx1 * sy - sx * dy1) / determinant
    a, b, c = x1 - x0 + g * x1, x3 - x0 + h * x3, x0
    d, e, f = y1 - y0 + g * y1, y3 - y0 + h * y3, y0
    return (
        e - f * h, c * h - b, b * f - c * e,
        f * g - d, a - c * g, c * d - a * f,
        d * h - e * g, b * g - a * h, a * e - b * d,
    )  # fmt: skip


COORDINATES: dict[str, Callable[[Gate, int], Map]] = {
    "resized_crop": resized_crop,
    "horizontal_flip": horizontal_flip,
    "vertical_flip": vertical_flip,
    "rotate90": rotate90,
    "rotation": rotation,
    "affine": affine,
    "perspective": perspective,
    "fisheye": fisheye,
}


def sample(images: Tensor, at: Coordinates, size: int) -> Tensor:
    """The images `[m, C, H, W]` at those coordinates, bilinear: `[m, C, size, size]`."""
    height, width = images.shape[2:]
    grid = images.new_empty(len(images), size, size, 2)
    # From pixels to grid_sample's [-1, 1] between the centres of the outer pixels.
    grid[..., 0] = at[0] * (2 / max(width - 1, 1)) - 1
    grid[..., 1] = at[1] * (2 / max(height - 1, 1)) - 1
    return torch.nn.functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=True
    )
