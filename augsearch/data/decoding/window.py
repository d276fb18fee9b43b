"""Which values of files of more than 8 bits are shown as black and white. Knows numbers only.

One rule for grey and colour, over all files of a set together, so that a dark exposure stays
darker than its neighbours:

1. In each file, NaN and infinity are left out, and hot and dead pixels: the `STRAY` most extreme
   values on a side, where they lie farther from the rest than this spans.
2. An extreme value that lies farther from all others than these span is taken for "no data".
3. If the bulk of the values, `CORE` of them, then gets at least `LEVELS` of the 255 grey levels
   under the smallest depth of 8, 10, 12, 14 or 16 bits (for floats also 1) that holds the largest
   value, that depth is the window. If not, lowest and highest value are.
4. If the bulk gets too few levels even so, values farther from it than its own width are clipped,
   and 3. is asked again.

It depends on the files alone, not on the order in which they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

INTEGER_WHITES = (255, 1023, 4095, 16383, 65535)
SAMPLE = 256  # values that speak for a file
STRAY, STRAY_SHARE = 2, 1e-4  # values that a file may have wrong on either side, whichever is more
FEWEST = 50  # a file of fewer values has none to spare
CORE = (0.001, 0.999)
LEVELS = 40
DISTINCT = 16  # different values that must be left beside a "no data"
BLOCK = 2**20  # values that are brought to 8 bits at a time
SLACK = 0.01  # by which resampled float files overshoot


@dataclass(frozen=True)
class Values:
    """What one file of more than 8 bits holds.

    Attributes:
        kind: of its numbers; integers and floats have windows of their own.
        sample: sorted, evenly spread over its values.
        low, high: without strays.
        lowest, highest: of all its finite values.
        band: number of the band from 1; 0 of files that are grey or colour.
    """

    kind: Literal["integer", "float"]
    sample: NDArray[np.float32]
    low: float
    high: float
    lowest: float
    highest: float
    band: int = 0

    @property
    def shared_by(self) -> tuple[str, int]:
        """What values of one window have in common."""
        return self.kind, self.band

    @classmethod
    def of(cls, numbers: NDArray[np.generic]) -> Values | None:
        """Of a picture of any shape; None if it holds no finite number."""
        kind: Literal["integer", "float"] = "float" if numbers.dtype.kind == "f" else "integer"
        flat = numbers.ravel()
        # float32 throughout, so that a sampled value equals the one that it was taken from
        ordered = np.sort(flat[np.isfinite(flat)] if kind == "float" else flat).astype(np.float32)
        n = len(ordered)
        if n == 0:
            return None
        stray = 0 if n < FEWEST else max(STRAY, int(n * STRAY_SHARE))
        kept = ordered[stray : n - stray]
        width = float(kept[-1]) - float(kept[0])
        strays_below = float(kept[0]) - float(ordered[0]) > width > 0
        strays_above = float(ordered[-1]) - float(kept[-1]) > width > 0
        places = (
            (2 * np.arange(min(SAMPLE, len(kept))) + 1) * len(kept) // (2 * min(SAMPLE, len(kept)))
        )
        return cls(
            kind=kind,
            sample=kept[places],
            low=float((kept if strays_below else ordered)[0]),
            high=float((kept if strays_above else ordered)[-1]),
            lowest=float(ordered[0]),
            highest=float(ordered[-1]),
        )


@dataclass(frozen=True)
class Window:
    """`black` and `white`, and what lies outside.

    Attributes:
        no_data: values that were taken for "no data".
        clipped: files that hold values outside the window which are not "no data".
        lowest, highest: of all values.
    """

    black: float
    white: float
    no_data: tuple[float, ...] = ()
    clipped: int = 0
    lowest: float = 0.0
    highest: float = 0.0

    def shown(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Numbers of any type to uint8, black to white; what is no number becomes black."""
        found = np.empty(values.shape, dtype=np.uint8)
        step = max(1, BLOCK // max(1, values[:1].size))
        for start in range(0, len(values), step):  # of float64 eight times as much is in memory
            rows = values[start : start + step].astype(np.float64)
            scaled = (rows - self.black) * (255 / (self.white - self.black))
            known = np.nan_to_num(scaled, nan=0.0, posinf=255, neginf=0)
            found[start : start + step] = known.clip(0, 255).round()
        return found


def find_window(files: Sequence[Values], given: tuple[float, float] | None = None) -> Window:
    """The window of some files of one kind by the rule above, or `given`."""
    values = np.sort(np.concatenate([one.sample for one in files]).astype(np.float64))
    values, no_data = _without_no_data(values)
    low = min((one.low for one in files if one.low not in no_data), default=values[0])
    high = max((one.high for one in files if one.high not in no_data), default=values[-1])
    low, high = min(low, values[0]), max(high, values[-1])
    black, white = given or _limits(values, low, high, files[0].kind)

    def outside(one: Values) -> bool:
        slack = SLACK * (white - black)
        below = one.lowest < black - slack and one.lowest not in no_data
        return below or (one.highest > white + slack and one.highest not in no_data)

    return Window(
        black=black,
        white=white,
        no_data=no_data,
        clipped=sum(map(outside, files)),
        lowest=min(one.lowest for one in files),
        highest=max(one.highest for one in files),
    )


def _without_no_data(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """Sorted values without those at either end that stand apart, and these."""
    found: list[float] = []
    while True:
        for end in (values[0], values[-1]):
            rest = values[values != end]
            if len(np.unique(rest)) < DISTINCT:
                continue
            low, high = _core(rest)
            gap = rest[0] - end if end < rest[0] else end - rest[-1]
            if gap > high - low:
                found.append(float(end))
                values = rest
                break
        else:
            return values, tuple(sorted(found))


def _core(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, CORE, method="nearest")
    return float(low), float(high)


def _limits(
    values: NDArray[np.float64], low: float, high: float, kind: Literal["integer", "float"]
) -> tuple[float, float]:
    """Black and white for sorted values that lie between `low` and `high`."""
    core_low, core_high = _core(values)
    width = core_high - core_low
    near = values[(values >= core_low - width) & (values <= core_high + width)]
    for lowest, highest in ((low, high), (float(near[0]), float(near[-1]))):
        for black, white in _candidates(lowest, highest, kind):
            if width == 0 or 255 * width >= LEVELS * (white - black):
                return black, white
    return float(near[0]), float(near[-1])


def _candidates(
    low: float, high: float, kind: Literal["integer", "float"]
) -> Iterator[tuple[float, float]]:
    whites = INTEGER_WHITES if kind == "integer" else (1, *INTEGER_WHITES)
    slack = 0.0 if kind == "integer" else SLACK
    for white in whites:
        if low >= -slack * high and high <= (1 + slack) * white:
            yield 0.0, float(white)
            break
    if high > low:
        yield low, high
    else:
        yield low, low + 1
