"""Confirmed policies with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from augsearch.report.figures.form import (
    GREY,
    INK,
    LINE,
    PALE,
    PAPER,
    WINNER,
    figure_of,
    higher_is_better,
    rows_of,
    written,
)
from augsearch.report.forms import Plot
from augsearch.report.sections.results import PolicyRow
from augsearch.words import counted, label, percent

FAR = 0.3
"""Guessing that lies this far below all that is drawn is named at the edge: a line there would
press the rest together."""


def intervals(rows: Sequence[PolicyRow], metric: str, guessing: float | None) -> Plot:
    """Confirmed policies with their intervals and every seed, and what guessing reaches."""
    shown = [row for row in rows if row.mean is not None and row.interval is not None]
    traces: list[Any] = []
    for place, row in enumerate(shown):
        colour = WINNER if row.chosen else PALE if row.kind == "floor" else GREY
        for ends, width in ((row.interval, 1.5), (row.seeds_only or row.interval, 6)):
            traces.append(
                go.Scatter(
                    x=[100 * end for end in ends or ()],
                    y=[place, place],
                    mode="lines",
                    line={"color": colour, "width": width},
                    hoverinfo="skip",
                )
            )
        traces.append(
            go.Scatter(
                x=[100 * score for score in row.confirmed],
                y=[place] * len(row.confirmed),
                mode="markers",
                marker={"symbol": "line-ns-open", "size": 9, "color": INK},
                hovertemplate="%{x:.1f} with one seed<extra></extra>",
            )
        )
        traces.append(
            go.Scatter(
                x=[100 * (row.mean or 0)],
                y=[place],
                mode="markers",
                marker={"size": 11, "color": PAPER, "line": {"color": colour, "width": 3}},
                hovertemplate=f"{label(row.name)}: %{{x:.1f}}<extra></extra>",
            )
        )
        right = max(*(row.interval or ()), *row.confirmed)
        traces.append(written(100 * right, place, percent(row.mean), loud=row.chosen))
    figure = figure_of(
        traces,
        60 + LINE * len(shown),
        higher_is_better(f"{metric}, %"),
        yaxis=rows_of([row.name for row in shown]),
    )
    reached = [end for row in shown for end in (*(row.interval or ()), *row.confirmed)]
    low, high = min(reached), max(reached)
    room = 0.02 + 0.12 * (high - low)
    figure.update_xaxes(range=[100 * (low - room / 2), 100 * (high + room)])
    if guessing is not None:
        _draw_guessing(figure, guessing, low, high + room)
    best = shown[0]
    alt = (
        f"Confirmed {metric} of {counted(len(shown), 'policy').replace('policys', 'policies')} "
        f"with 95 % intervals; the highest mean is that of {best.name}, {percent(best.mean)} %."
    )
    return Plot(figure, alt)


def _draw_guessing(figure: go.Figure, guessing: float, low: float, high: float) -> None:
    text, near = f"guessing: {percent(guessing)}", guessing > low - FAR
    if near:
        figure.add_vline(100 * guessing, line={"color": GREY, "width": 1.5, "dash": "dot"})
        figure.update_xaxes(range=[100 * (min(low, guessing) - 0.02), 100 * high])
    figure.add_annotation(
        x=100 * guessing if near else 0,
        xref="x" if near else "paper",
        y=1,
        yref="paper",
        text=text if near else f"← {text}",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"size": 11, "color": GREY},
    )
    figure.update_layout(margin={"t": 22})
