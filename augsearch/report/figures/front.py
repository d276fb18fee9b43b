"""Two aims at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from augsearch.report.figures.form import BLUE, GREY, ORANGE, PALE, figure_of
from augsearch.report.forms import Plot
from augsearch.report.sections.trials.front import FrontPoint
from augsearch.words import label, listed

MARKS: Mapping[str, tuple[str, str, str]] = {
    "front": ("on the front", "circle", BLUE),
    "beaten": ("beaten by another trial", "circle-open", PALE),
    "broken": ("breaks the limit on classes", "x-thin-open", ORANGE),
    "baseline": ("baseline", "square", GREY),
}
"""In the legend, symbol and colour."""


def front(found: Sequence[FrontPoint], x_axis: str, y_axis: str) -> Plot:
    """Trials and baselines in two aims; those that none beats in both are joined."""
    traces: list[Any] = []
    for kind, (meaning, symbol, colour) in MARKS.items():
        own = sorted((p for p in found if p.kind == kind), key=lambda p: p.x)
        if not own:
            continue
        named = kind in ("front", "baseline")
        traces.append(
            go.Scatter(
                x=[p.x for p in own],
                y=[p.y for p in own],
                mode="lines+markers" if kind == "front" else "markers",
                line={"color": colour, "width": 2},
                marker={"symbol": symbol, "size": 9, "color": colour},
                name=meaning,
                text=[label(p.label) for p in own],
                hovertemplate="%{text}: %{x:.3g}, %{y:.1f}<extra></extra>",
                legendrank=1 if named else 2,
            )
        )
    figure = figure_of(traces, 380, x_axis, y_axis, showlegend=True)
    names = listed([p.label for p in found if p.kind == "front"])
    return Plot(figure, f"{y_axis} against {x_axis}; on the front: {names}.")
