"""Confirmed policies with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from augsearch.report.figures.form import BLUE, GREY, INK, LINE, PALE, figure_of, rows_of
from augsearch.report.forms import Plot
from augsearch.report.sections.results import PolicyRow
from augsearch.words import counted, label, percent


def intervals(rows: Sequence[PolicyRow], metric: str) -> Plot:
    """Confirmed policies with their intervals and every seed."""
    shown = [row for row in rows if row.mean is not None and row.interval is not None]
    traces: list[Any] = []
    for place, row in enumerate(shown):
        colour = BLUE if row.chosen else PALE if row.kind == "floor" else GREY
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
                marker={"size": 11, "color": "white", "line": {"color": colour, "width": 3}},
                hovertemplate=f"{label(row.name)}: %{{x:.1f}}<extra></extra>",
            )
        )
    figure = figure_of(
        traces, 60 + LINE * len(shown), f"{metric}, %", yaxis=rows_of([row.name for row in shown])
    )
    best = shown[0]
    alt = (
        f"Confirmed {metric} of {counted(len(shown), 'policy').replace('policys', 'policies')} "
        f"with 95 % intervals; the highest mean is that of {best.name}, {percent(best.mean)} %."
    )
    return Plot(figure, alt)
