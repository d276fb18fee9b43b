"""The confirmation as a picture: each policy's mean with its interval, and every seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from augsearch.pictures.figures import figure_png

CHOSEN, OTHER, FLOOR = "#0072B2", "#5b6770", "#b0b7bc"


@dataclass(frozen=True)
class Bar:
    """One policy: scores in [0, 1], one for each seed, with the interval of their mean.

    `wide` is an interval that allows for more, drawn as a thin line behind the other.
    """

    label: str
    scores: Sequence[float]
    mean: float
    low: float
    high: float
    chosen: bool = False
    floor: bool = False
    wide: tuple[float, float] | None = None


def intervals_png(bars: Sequence[Bar], *, title: str, axis: str) -> bytes:
    """A dot plot as PNG, the best policy on top.

    Args:
        bars: best first.
        axis: what the scores are.
    """
    # The object interface: pyplot would keep global state and look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.9 + 0.46 * len(bars)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, bar in enumerate(reversed(bars)):
        colour = CHOSEN if bar.chosen else FLOOR if bar.floor else OTHER
        low, mean, high = 100 * bar.low, 100 * bar.mean, 100 * bar.high
        right = max(high, 100 * max(bar.scores, default=0.0))
        if bar.wide:
            axes.plot([100 * end for end in bar.wide], [row, row], color=colour, linewidth=1)
            right = max(right, 100 * bar.wide[1])
        axes.plot([low, high], [row, row], color=colour, linewidth=5, solid_capstyle="round")
        axes.plot([100 * s for s in bar.scores], [row] * len(bar.scores), "|", color="black", ms=9)
        axes.plot([mean], [row], "o", color="white", markeredgecolor=colour, ms=7, mew=2)
        axes.annotate(f"{mean:.1f}", (right, row), (7, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(bars)), [bar.label for bar in reversed(bars)])
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left", fontsize=10)
    axes.margins(x=0.08)
    axes.grid(axis="x", color="#e3e6e8")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure_png(figure)
