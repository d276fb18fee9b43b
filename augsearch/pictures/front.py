"""Two aims as a picture: every trial, and those that no other one beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from augsearch.pictures.figures import figure_png
from augsearch.pictures.intervals import CHOSEN, OTHER

Kind = Literal["front", "beaten", "broken", "baseline"]


@dataclass(frozen=True)
class PlottedPolicy:
    """One trial or baseline."""

    label: str
    x: float
    y: float
    kind: Kind


MARKS: dict[Kind, tuple[str, str, str]] = {
    "front": ("on the front", "o", CHOSEN),
    "beaten": ("beaten by another trial", "o", "#c3c9cd"),
    "broken": ("breaks the limit on classes", "x", "#b3402e"),
    "baseline": ("baseline", "s", OTHER),
}
"""In the legend, marker and colour."""


def front_png(points: Sequence[PlottedPolicy], *, title: str, x_axis: str, y_axis: str) -> bytes:
    """A scatter plot as PNG; points of the front are joined and named, baselines named."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.8), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for kind, (meaning, mark, colour) in MARKS.items():
        own = sorted((p for p in points if p.kind == kind), key=lambda p: p.x)
        if not own:
            continue
        line = "-" if kind == "front" else "none"
        x, y = [p.x for p in own], [p.y for p in own]
        axes.plot(x, y, mark, color=colour, linestyle=line, label=meaning)
        for p in own if kind in ("front", "baseline") else ():
            axes.annotate(p.label, (p.x, p.y), (6, 5), textcoords="offset points", fontsize=8)
    axes.set_xlabel(x_axis)
    axes.set_ylabel(y_axis)
    axes.set_title(title, loc="left", fontsize=10)
    axes.margins(x=0.15, y=0.1)
    axes.grid(color="#e3e6e8")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure_png(figure)
