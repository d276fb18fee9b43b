"""Every policy at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import plotly.graph_objects as go

from augsearch.report.figures.form import GREY, INK, MOST_TRIALS, OTHERS, WINNER, figure_of
from augsearch.report.forms import Plot
from augsearch.report.sections.trials.history import History, Scale, TrialPoint
from augsearch.words import counted, label, percent


def parallel(found: History) -> Plot:
    """Every trial as a line through its parameters; the best quarter and the winner in colour.

    Drawn as lines, not by plotly's own parallel coordinates: these need WebGL, which an office
    machine may lack and which prints badly.
    """
    scales, quarter = found.scales, found.quarter
    ranked = sorted(
        found.scored,
        key=lambda t: (t.state == "complete", t.score or 0.0),
    )[-MOST_TRIALS:]
    best = ranked[-quarter:] if quarter else []
    rest = ranked[: len(ranked) - len(best)]
    winner = [t for t in ranked if t.number == found.winner]
    columns = list(range(len(scales)))
    traces = [
        *_others(rest, scales),
        *_lines(best, scales, f"best quarter: {counted(len(best), 'trial')}", OTHERS, 1.6),
        *_lines(winner, scales, found.winner_role, WINNER, 4),
    ]
    ticks = [f"{label(scale.name).replace('.', '<br>', 1)}" for scale in scales]
    figure = figure_of(traces, 480, showlegend=True)
    figure.update_xaxes(
        tickvals=columns,
        ticktext=ticks,
        tickangle=-90,
        showgrid=False,
        range=[-0.3, len(scales) - 0.7],
    )
    figure.update_yaxes(visible=False, range=[-0.12, 1.1])
    _draw_axes(figure, scales)
    alt = (
        f"Parallel coordinates of {counted(len(ranked), 'trial')} over "
        f"{counted(len(scales), 'parameter')}; the best {len(best)} are coloured."
    )
    return Plot(figure, alt, wide=len(scales) > 4)


def _others(trials: Sequence[TrialPoint], scales: Sequence[Scale]) -> list[Any]:
    """All of them as one trace, with a gap after each."""
    if not trials:
        return []
    x: list[float | None] = []
    y: list[float | None] = []
    for trial in trials:
        x += [*map(float, range(len(scales))), None]
        y += [*_line(trial, scales), None]
    line = {"color": "#c9ced2", "width": 1}
    return [go.Scatter(x=x, y=y, mode="lines", line=line, name="the others", hoverinfo="skip")]


def _lines(
    trials: Sequence[TrialPoint], scales: Sequence[Scale], role: str, colour: str, width: float
) -> list[Any]:
    """A trace for each, one entry in the legend for all."""
    traces = []
    for place, trial in enumerate(trials):
        told = "<br>".join(f"{label(s.name)} {s.unit.text(trial.params[s.name])}" for s in scales)
        traces.append(
            go.Scatter(
                x=list(range(len(scales))),
                y=_line(trial, scales),
                mode="lines+markers",
                line={"color": colour, "width": width},
                marker={"size": 3 + width},
                name=role if len(trials) > 1 else f"{role}: trial {trial.number}",
                legendgroup=role,
                showlegend=place == 0,
                text=f"trial {trial.number}: {percent(trial.score)} %<br>{told}",
                hovertemplate="%{text}<extra></extra>",
            )
        )
    return traces


def _draw_axes(figure: go.Figure, scales: Sequence[Scale]) -> None:
    """A line for each parameter, with its lowest and highest value at the ends."""
    for column, scale in enumerate(scales):
        axis = {"type": "line", "layer": "below", "line": {"color": INK, "width": 1}}
        figure.add_shape(x0=column, x1=column, y0=0, y1=1, **axis)
        for end, shift in ((0.0, -11), (1.0, 11)):
            figure.add_annotation(
                x=column,
                y=end,
                yshift=shift,
                text=scale.unit.text((scale.low, scale.high)[int(end)]),
                showarrow=False,
                font={"size": 11, "color": GREY},
            )


def _line(trial: TrialPoint, scales: Sequence[Scale]) -> list[float]:
    return [_height(scale, trial.params[scale.name]) for scale in scales]


def _height(scale: Scale, number: float) -> float:
    """Where a value lies on its axis, from 0 to 1."""
    low, high = scale.low, scale.high
    if scale.log:
        number, low, high = log(number), log(low), log(high)
    return (number - low) / (high - low) if high > low else 0.5
