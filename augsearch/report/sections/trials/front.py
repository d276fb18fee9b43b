"""With two aims: what can be had of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import value


@dataclass(frozen=True)
class FrontPoint:
    """A trial or baseline in two aims: `y` is the score in percent, `x` the other aim."""

    label: str
    x: float
    y: float
    kind: Literal["front", "beaten", "broken", "baseline"]


@dataclass(frozen=True)
class Front(Section):
    """What two aims at once leave: `x_axis` says what the second is, with its unit. `note` says
    how the scores shown differ from those that the search went by, or is empty."""

    template = "front"
    title = "Two aims at once"

    x_axis: str
    points: tuple[FrontPoint, ...]
    note: str = ""

    @property
    def shown(self) -> bool:
        return bool(self.points)

    def table(self, metric: str) -> Table:
        """What is on the front, best score first."""
        ranked = sorted(self.points, key=lambda point: -point.y)
        return Table(
            "On the front, in the search",
            ("policy", f"{metric}, %", self.x_axis),
            [(p.label, f"{p.y:.1f}", value(p.x)) for p in ranked if p.kind == "front"],
        )
