"""A rung against the end."""

from __future__ import annotations

import plotly.graph_objects as go

from augsearch.report.figures.form import BLUE, figure_of
from augsearch.report.forms import Plot
from augsearch.report.sections.fidelity import RungAgreement


def rung(one: RungAgreement, steps: int) -> Plot:
    """Score at a rung against the score at the end."""
    dots = go.Scatter(
        x=[100 * x for x, _ in one.pairs],
        y=[100 * y for _, y in one.pairs],
        mode="markers",
        marker={"size": 7, "color": BLUE, "opacity": 0.75},
        hovertemplate="%{x:.1f} at the rung, %{y:.1f} at the end<extra></extra>",
    )
    figure = figure_of([dots], 280, f"%, step {one.step}", f"%, step {steps}")
    figure.update_xaxes(nticks=5)
    figure.update_yaxes(nticks=5)
    told = "" if one.spearman is None else f", rank correlation {one.spearman:.2f}"
    alt = f"{len(one.pairs)} runs: score at step {one.step} against step {steps}{told}."
    return Plot(figure, alt)
