"""From a camera's picture to the encoder's square, as a part of the network.

What `data.decoding.fit` does to a file's pixels with Pillow, this does to a tensor, so that it
can be exported with the network: the same box means and the same Lanczos filter, rounded to whole
grey levels where Pillow rounds. Shapes may be symbols (`torch.export`), so no branch looks at them.

Source of the arithmetic: Pillow's `Resample.c` and `Reduce.c`, and `Image.resize`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from augsearch.data.decoding.fit import FINER, REDUCING_GAP

LUMA = (19595.0, 38470.0, 7471.0)
"""Pillow's weights of red, green and blue in grey, of 65,536."""
LOBES = 3.0
"""Half of the Lanczos filter's width, in pixels of the smaller picture."""
FIXED = 2**22
"""Parts of 1 in which Pillow counts the filter's weights."""


class Pixels(nn.Module):
    """`[N, H, W, C]` uint8 pictures of any size to `[N, K, C, S, S]` normalised, K = 1 unless they
    are cut into tiles. A grey network takes colour and a colour network grey."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        size: int,
        channels: int,
        fit: Literal["crop", "squash", "pad", "tile"],
        mean: tuple[float, ...],
        std: tuple[float, ...],
    ) -> None:
        super().__init__()
        self.size, self.channels, self.fit = size, channels, fit
        self.register_buffer("mean", torch.tensor(mean).view(1, 1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        pixels = self.fitted(self._channels(images.permute(0, 3, 1, 2).float()))
        found: Tensor = (pixels / 255 - self.mean) / self.std
        return found

    def _channels(self, images: Tensor) -> Tensor:
        given, height, width = images.shape[1:]
        # What is no picture asks for a channel that is not there: too few pixels, or any number of
        # channels but 1 and 3. A graph knows no other error.
        least = self.size if self.fit == "tile" else 1
        lacking = _larger(0, least - _smaller(height, width)) * given
        if self.channels not in (1, 3):
            return images.index_select(1, torch.arange(given) + lacking)
        # Grey stands for all three.
        place = torch.arange(3) * _smaller(1, given - 1) + _larger(0, given - 3) * given
        colour = images.index_select(1, place + lacking)
        if self.channels == 3:
            return colour
        grey = torch.einsum("nchw,c->nhw", colour, colour.new_tensor(LUMA))
        return torch.floor((grey + 32768) / 65536)[:, None]

    def fitted(self, images: Tensor) -> Tensor:
        """`[N, C, H, W]` of whole grey levels to `[N, K, C, S, S]`, of whole ones too."""
        height, width = images.shape[2:]
        if self.fit == "tile":
            return self._tiles(images)
        if self.fit == "pad":
            return self._padded(images)[:, None]
        rows, columns = Span.whole(height), Span.whole(width)
        if self.fit == "crop":
            short = _smaller(height, width)
            rows, columns = Span.middle(height, short), Span.middle(width, short)
        return resized(images, rows, columns, (self.size, self.size))[:, None]

    def _padded(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        long = _larger(height, width)
        side = _settled(_smaller(long, FINER * self.size))
        high = _settled(_larger(1, _rounded(height * side, long)))
        wide = _settled(_larger(1, _rounded(width * side, long)))
        inner = resized(images, Span.whole(height), Span.whole(width), (high, wide))
        square = inner.index_select(2, _mirrored(high, side)).index_select(3, _mirrored(wide, side))
        return resized(square, Span.whole(side), Span.whole(side), (self.size, self.size))

    def _tiles(self, images: Tensor) -> Tensor:
        """Of pictures that are no smaller than a tile; none of others."""
        size = self.size
        count, channels, height, width = images.shape
        rows, columns = height // size, width // size
        top, left = (height - rows * size) // 2, (width - columns * size) // 2
        grid = images.narrow(2, top, rows * size).narrow(3, left, columns * size)
        cells = grid.reshape(count, channels, rows, size, columns, size)
        return cells.permute(0, 2, 4, 1, 3, 5).reshape(count, rows * columns, channels, size, size)


@dataclass(frozen=True)
class Span:
    """A part of one axis of a picture; all whole numbers, or symbols of such.

    Attributes:
        of: pixels of the axis.
        low: twice where the part begins, as it may begin between two pixels.
        length: pixels of the part.
    """

    of: int
    low: int
    length: int

    @classmethod
    def whole(cls, of: int) -> Span:
        """All of an axis."""
        return cls(of, 0, of)

    @classmethod
    def middle(cls, of: int, length: int) -> Span:
        """So many pixels in its middle."""
        return cls(of, of - length, length)


def resized(images: Tensor, rows: Span, columns: Span, size: tuple[int, int]) -> Tensor:
    """`[N, C, H, W]` of whole grey levels to `[N, C, *size]` of whole ones, as Pillow resizes a
    part of a picture with Lanczos and `REDUCING_GAP`: box means first where that is much smaller.
    """
    factors = (_factor(rows, size[0]), _factor(columns, size[1]))
    cut = _smaller(1, factors[0] + factors[1] - 2)
    tall = _Axis.plan(rows, size[0], factors[0], cut)
    wide = _Axis.plan(columns, size[1], factors[1], cut)
    part = images.narrow(2, tall.start, tall.length).narrow(3, wide.start, wide.length)
    more = (0, wide.cells * wide.factor - wide.length, 0, tall.cells * tall.factor - tall.length)
    grid = nn.functional.pad(part, more).reshape(
        *images.shape[:2], tall.cells, tall.factor, wide.cells, wide.factor
    )
    counts = tall.counts()[:, None] * wide.counts()
    means = torch.floor((grid.sum(dim=(3, 5)) + torch.floor(counts / 2)) / counts)
    across = _levels(means @ wide.weights().T)
    return _levels(tall.weights() @ across)


def _factor(span: Span, size: int) -> int:
    """Pixels whose mean is taken before the filter."""
    return _larger(1, span.length // (int(REDUCING_GAP) * size))


@dataclass(frozen=True)
class _Axis:
    """How one axis is resized.

    Attributes:
        start, length: the pixels that count.
        factor: of them are averaged to one cell; fewer to the last.
        low, high: the part, times `2 * factor`, counted from `start`.
        size: pixels that become of it.
    """

    start: int
    length: int
    factor: int
    low: int
    high: int
    size: int

    @classmethod
    def plan(cls, span: Span, size: int, factor: int, cut: int) -> _Axis:
        """What Pillow does to make `size` pixels of a part. Where it takes means along any axis
        (`cut` 1, else 0), it leaves out what lies more than 2.5 of the smaller pixels beyond."""
        beyond = 5 * span.length
        begin = _larger(0, (span.low * size - beyond) // (2 * size))
        end = -((-(span.low + 2 * span.length) * size - beyond) // (2 * size))
        start = begin * cut
        length = span.of - (span.of - _smaller(span.of, end)) * cut - start
        low = span.low - 2 * start
        return cls(start, length, factor, low, low + 2 * span.length, size)

    @property
    def cells(self) -> int:
        return (self.length + self.factor - 1) // self.factor

    def counts(self) -> Tensor:
        """`[cells]` pixels in each cell."""
        left = self.length - self.factor * torch.arange(self.cells)
        return left.clamp(max=self.factor).float()

    def weights(self) -> Tensor:
        """`[size, cells]` of the filter, rounded as Pillow's."""
        # Pillow hands the part's ends on as floats of 32 bits.
        ends = torch.stack([_number(self.low), _number(self.high)]) / _number(2 * self.factor)
        low, high = ends.float().double()
        scale = (high - low) / self.size
        stretch = scale.clamp(min=1)
        centres = low + (torch.arange(self.size, dtype=torch.float64) + 0.5) * scale
        centres = centres[:, None]
        cells = torch.arange(self.cells, dtype=torch.float64)
        reach = LOBES * stretch
        inside = (cells >= torch.trunc(centres - reach + 0.5)) & (
            cells < torch.trunc(centres + reach + 0.5)
        )
        x = (cells - centres + 0.5) / stretch
        lanczos = torch.where(inside & (x.abs() < LOBES), _sinc(x) * _sinc(x / LOBES), 0.0)
        share = lanczos / lanczos.sum(dim=1, keepdim=True) * FIXED
        return (torch.sign(share) * torch.floor(share.abs() + 0.5) / FIXED).float()


def _number(value: int) -> Tensor:
    return torch.full((), value, dtype=torch.float64)


def _sinc(x: Tensor) -> Tensor:
    turned = math.pi * x
    return torch.where(turned == 0, 1.0, torch.sin(turned) / torch.where(turned == 0, 1.0, turned))


def _levels(pixels: Tensor) -> Tensor:
    return torch.floor(pixels + 0.5).clamp(0, 255)


def _larger(one: int, other: int) -> int:
    return cast("int", torch.sym_max(one, other))


def _smaller(one: int, other: int) -> int:
    return cast("int", torch.sym_min(one, other))


def _settled(count: int) -> int:
    """The same number; a symbol of its own where it was a long expression of others, which would
    be carried through everything after it."""
    value = torch.full((), count, dtype=torch.int64).item()
    torch._check(value >= 1)
    return cast("int", value)  # `int` would make a constant of a symbol


def _rounded(numerator: int, denominator: int) -> int:
    """Their quotient as Python's `round` rounds it, half to even."""
    twice = 2 * numerator + denominator
    near = twice // (2 * denominator)
    is_half = 1 - _smaller(1, twice % (2 * denominator))
    return near - is_half * (near % 2)


def _mirrored(length: int, side: int) -> Tensor:
    """`[side]` which of `length` pixels stands where, if they are in the middle and mirrored into
    the rest."""
    period = torch.full((), 2 * length, dtype=torch.int64)
    place = torch.remainder(torch.arange(side) - (side - length) // 2, period)
    return torch.minimum(place, period - 1 - place)
