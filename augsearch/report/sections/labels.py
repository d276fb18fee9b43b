"""Accuracy by number of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import interval, percent


@dataclass(frozen=True)
class LabelCurve:
    """A curve of one way to a classifier.

    Attributes:
        simclr: whether its encoder was pretrained on these images.
        points: labels of each class, then mean and ends in [0, 1].
    """

    title: str
    simclr: bool
    points: tuple[tuple[int, float, float, float], ...]


@dataclass(frozen=True)
class LabelCurves(Section):
    """Curves of several ways.

    Attributes:
        title: over the section.
        score: what is shown, in words.
        basis: what the intervals are for.
        chosen: titles that stand out.
    """

    template = "labels"

    title: str
    score: str
    basis: str
    curves: tuple[LabelCurve, ...]
    chosen: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        words = "".join(letter if letter.isalnum() else " " for letter in self.title.lower())
        return f"{self.template}-{'-'.join(words.split())}"

    @property
    def table(self) -> Table:
        """A row for each way."""
        counts = sorted({point[0] for curve in self.curves for point in curve.points})
        return Table(
            f"{self.score} by labels of each class",
            ("way", *map(str, counts)),
            [(curve.title, *_cells(curve, counts)) for curve in self.curves],
            marked=[place for place, c in enumerate(self.curves) if c.title in self.chosen],
        )


def _cells(curve: LabelCurve, counts: Sequence[int]) -> list[str]:
    known = {labels: (mean, (low, high)) for labels, mean, low, high in curve.points}
    return [
        f"{percent(known[count][0])} ({interval(known[count][1])})" if count in known else ""
        for count in counts
    ]
