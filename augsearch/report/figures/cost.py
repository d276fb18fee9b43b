"""Where the time went."""

from __future__ import annotations

import plotly.graph_objects as go

from augsearch.report.figures.form import GREY, LINE, figure_of, rows_of
from augsearch.report.forms import Plot
from augsearch.report.sections.cost import Costs
from augsearch.words import listed


def phases(costs: Costs) -> Plot:
    """Seconds of computing in each phase."""
    names = list(costs.phases)
    minutes = [costs.phases[name][1] / 60 for name in names]
    bars = go.Bar(
        x=minutes,
        y=list(range(len(names))),
        orientation="h",
        marker={"color": GREY},
        width=0.62,
        hovertemplate="%{x:.1f} min<extra></extra>",
    )
    figure = figure_of([bars], 60 + LINE * len(names), "minutes of computing", yaxis=rows_of(names))
    told = listed([f"{n} {m:.1f}" for n, m in zip(names, minutes, strict=True)])
    return Plot(figure, f"Minutes of computing: {told}.")
