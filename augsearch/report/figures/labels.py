"""Accuracy by number of labels."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from augsearch.report.figures.form import BLUE, figure_of
from augsearch.report.forms import Plot
from augsearch.report.sections.labels import LabelCurve, LabelCurves
from augsearch.words import label, listed, percent

OTHERS = ("#1b1f23", "#5b6770", "#D55E00", "#E69F00", "#CC79A7")
OURS = (BLUE, "#009E73", "#56B4E9")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "star", "x")
APART = 0.02
"""By how much of a number of labels neighbours stand apart, so that their intervals can be seen."""


def curves(found: LabelCurves) -> Plot:
    """Every way as a line over the logarithm of the labels; dashed without a pretraining."""
    colours = {True: iter(OURS * len(found.curves)), False: iter(OTHERS * len(found.curves))}
    middle = (len(found.curves) - 1) / 2
    traces: list[Any] = []
    for place, curve in enumerate(found.curves):
        colour = next(colours[curve.simclr])
        wide = 3.5 if curve.title in found.chosen else 1.8
        traces.append(
            go.Scatter(
                x=[labels * (1 + APART * (place - middle)) for labels, *_ in curve.points],
                y=[100 * mean for _, mean, _, _ in curve.points],
                error_y=_reach(curve),
                mode="lines+markers",
                line={"color": colour, "width": wide, "dash": "solid" if curve.simclr else "dot"},
                marker={"size": 8, "symbol": SYMBOLS[place % len(SYMBOLS)]},
                name=label(curve.title),
                customdata=[labels for labels, *_ in curve.points],
                hovertemplate=f"{label(curve.title)}, %{{customdata}} labels: %{{y:.1f}}"
                "<extra></extra>",
            )
        )
    figure = figure_of(traces, 480, "labels of each class", f"{found.score}, %", showlegend=True)
    counts = sorted({labels for curve in found.curves for labels, *_ in curve.points})
    figure.update_xaxes(type="log", tickvals=counts, ticktext=[str(count) for count in counts])
    ends = [
        f"{curve.title} {percent(curve.points[0][1])} to {percent(curve.points[-1][1])}"
        for curve in found.curves
    ]
    return Plot(figure, f"{found.score} from {counts[0]} to {counts[-1]} labels: {listed(ends)}.")


def _reach(curve: LabelCurve) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - mean) for _, mean, _, high in curve.points],
        "arrayminus": [100 * (mean - low) for _, mean, low, _ in curve.points],
        "thickness": 1,
        "width": 3,
    }
