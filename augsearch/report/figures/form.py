"""What all figures share: colours, axes, rows.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; no meaning rests on
colour alone. Figures stand still (no zoom), so that a phone can scroll past them.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from augsearch.words import label, points

BLUE, ORANGE, GREY, PALE, INK = (
    "#0072B2", "#D55E00", "#5b6770", "#b0b7bc", "#1b1f23",
)  # fmt: skip
WINNER, BASELINE, OTHERS = BLUE, ORANGE, "#7fb2d5"
"""The recommended policy, the best published one and complete trials, in every figure."""
PAPER = "white"
GRID = "#e3e6e8"
CLEAR = "rgba(0,0,0,0)"
"""The page shows through; `draw.js` has other colours for a dark one."""
LINE = 30
"""Pixels of a row in a figure that has a row for each thing."""
MOST_TRIALS = 300
"""Trials that are drawn as lines."""


def figure_of(
    traces: Sequence[Any],
    height: float,
    x: str = "",
    y: str = "",
    **layout: Any,
) -> go.Figure:
    """A figure of that height in pixels, with titles at its axes."""
    axis = {"gridcolor": GRID, "zeroline": False, "fixedrange": True, "automargin": True}
    figure = go.Figure(
        list(traces),
        {
            "height": height,
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "showlegend": False,
            "dragmode": False,
            "hoverlabel": {"bgcolor": "white", "font": {"size": 13}},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "xaxis": {**axis, **_title(x)},
            "yaxis": {**axis, **_title(y)},
            "template": "none",
        },
    )
    figure.update_layout(**layout)
    return figure


def higher_is_better(axis: str, *, upright: bool = False) -> str:
    """An axis title that says which way is better."""
    return f"{axis} (better {'↑' if upright else '→'})"


def _title(text: str) -> dict[str, Any]:
    if not text:
        return {}
    # plotly breaks no lines by itself, and a phone shows some forty letters.
    shown = "<br>".join(label(line) for line in wrap(text, 36))
    return {"title": {"text": shown, "standoff": 8, "font": {"size": 13}}}


def rows_of(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """A y axis with a row for each name, the first on top."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [f"{label(_shortened(name))}  " for name in names],
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        **more,
    }


def _shortened(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def written(x: float, y: float, text: str, *, loud: bool = True) -> go.Scatter:
    """A number to the right of what was drawn up to `x`."""
    return go.Scatter(
        x=[x],
        y=[y],
        mode="text",
        text=[f"  <b>{text}</b>" if loud else f"  {text}"],
        textposition="middle right",
        textfont={"size": 12, "color": INK if loud else GREY},
        hoverinfo="skip",
        cliponaxis=False,
    )


def forest(
    names: Sequence[str],
    middle: Sequence[float],
    ends: Sequence[tuple[float, float] | None],
    loud: Sequence[bool],
    axis: str,
) -> go.Figure:
    """Differences around 0 with their intervals; those that chance explains are grey."""
    traces: list[Any] = []
    for place, (mean, reach, shown) in enumerate(zip(middle, ends, loud, strict=True)):
        colour = GREY if not shown else BLUE if mean > 0 else ORANGE
        if reach is not None:
            traces.append(
                go.Scatter(
                    x=list(reach),
                    y=[place, place],
                    mode="lines",
                    line={"color": colour, "width": 5 if shown else 3},
                    hoverinfo="skip",
                )
            )
        symbol = "circle-open" if not shown else "triangle-right" if mean > 0 else "triangle-left"
        traces.append(
            go.Scatter(
                x=[mean],
                y=[place],
                mode="markers",
                marker={
                    "size": 12,
                    "color": colour,
                    "symbol": symbol,
                    "line": {"width": 2, "color": colour},
                },
                hovertemplate=f"{label(names[place])}: %{{x:+.1f}} points<extra></extra>",
            )
        )
        traces.append(written(max([mean, *(reach or ())]), place, points(mean), loud=shown))
    figure = figure_of(traces, 60 + LINE * len(names), axis, yaxis=rows_of(names))
    drawn = [0.0, *middle, *(end for reach in ends if reach for end in reach)]
    low, high = min(drawn), max(drawn)
    room = 0.04 * (high - low) or 1.0
    figure.update_xaxes(zeroline=True, zerolinecolor=INK, zerolinewidth=1)
    figure.update_xaxes(range=[low - room, high + 5 * room])
    return figure
