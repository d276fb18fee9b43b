"""Numbers as people read them."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def label(text: object) -> str:
    """Text for plotly, which reads some tags and entities in what it shows."""
    return html.escape(str(text), quote=False)


def percent(share: float | None) -> str:
    """A share in percent, without the sign of it; empty if there is none."""
    return "" if share is None else f"{100 * share:.1f}"


def interval(ends: tuple[float, float] | None) -> str:
    """An interval of shares in percent."""
    return "" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"


def points(difference: float) -> str:
    """Points with their sign; a minus sign, not a hyphen."""
    shown = f"{difference:+.1f}"
    return "0.0" if shown in ("+0.0", "-0.0") else shown.replace("-", "−")


def value(number: float) -> str:
    """A parameter's value: three significant digits."""
    return f"{number:.3g}"


@dataclass(frozen=True)
class Unit:
    """How a parameter's values are written: `15°`, `±40 %`, `×1.5`.

    Attributes:
        factor: what a value is multiplied by before it is written.
        before, after: what stands around the number; of a zero not what stands before it.
    """

    factor: float = 1.0
    before: str = ""
    after: str = ""

    def text(self, number: float) -> str:
        """A value, with three significant digits."""
        return f"{self.before if number else ''}{self.factor * number:.3g}{self.after}"

    def texts(self, numbers: Sequence[float]) -> str:
        """A range: the unit stands once, and so does a value that is all of it."""
        if numbers[0] == numbers[-1]:
            return self.text(numbers[0])
        low, high = (f"{self.factor * number:.3g}" for number in numbers)
        return f"{self.before}{low} to {high}{self.after}"


PLAIN = Unit()


def probability(p: float) -> str:
    """A p-value."""
    return "below 0.001" if p < 0.001 else f"{p:.2g}"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def counted(number: int, noun: str, several: str = "") -> str:
    """`1 trial`, `2 trials`.

    Args:
        several: the plural, where it does not end in a mere s.
    """
    return f"{number} {noun if number == 1 else several or noun + 's'}"


def without_colour(channels: int) -> str:
    """Why colour operations do nothing on images of another number of channels than three."""
    return "the images are grey" if channels == 1 else f"the images have {channels} channels"


def channels_in_words(channels: int) -> str:
    """What images of that many channels are: `grey`, `colour` or `5-band`."""
    return {1: "grey", 3: "colour"}.get(channels, f"{channels}-band")


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'kornia'?`, or nothing if no known word is near."""
    by_case = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_case, n=1, cutoff=0.5)
    return f"; did you mean {by_case[close[0]]!r}?" if close else ""
