"""Importance, marginals and interactions of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from augsearch.report.figures.form import BLUE, GREY, INK, LINE, PALE, figure_of, forest, rows_of
from augsearch.report.forms import Plot
from augsearch.report.sections.trials.parameter_findings import Interaction, Marginal, Weight
from augsearch.words import label, listed, points


def weights(found: Sequence[Weight]) -> Plot:
    """Importance of each parameter, and what chance would reach."""
    names = [weight.name for weight in found]
    bars = go.Bar(
        x=[weight.over_chance for weight in found],
        y=list(range(len(found))),
        orientation="h",
        marker={"color": [BLUE if weight.shown else GREY for weight in found]},
        width=0.62,
        customdata=[100 * weight.share for weight in found],
        hovertemplate="%{x:.2f} times chance, %{customdata:.0f} % of all<extra></extra>",
    )
    figure = figure_of(
        [bars], 60 + LINE * len(found), "importance (chance: 1)", yaxis=rows_of(names)
    )
    most = max(1.0, *(weight.over_chance for weight in found))
    figure.update_xaxes(range=[0, 1.05 * most])
    figure.add_vline(1, line={"color": INK, "width": 2, "dash": "dot"})
    told = listed([f"{weight.name} {100 * weight.share:.0f} %" for weight in found[:5]])
    return Plot(figure, f"Importance of the parameters, the largest being {told}.")


def marginal(one: Marginal, ends: tuple[float, float]) -> Plot:
    """Score along one parameter; `ends` are those of the score, the same for all parameters."""
    shown = BLUE if one.shown else GREY
    factor = one.unit.factor
    dots = go.Scatter(
        x=[factor * x for x, _ in one.points],
        y=[100 * y for _, y in one.points],
        mode="markers",
        marker={"size": 5, "color": PALE},
        hovertemplate="%{x:.3g}: %{y:.1f}<extra></extra>",
    )
    drawn = _choices(one, shown) if one.choices else _curve(one, shown)
    at, mean = [factor * x for x in one.at], [100 * score for score in one.score]
    unit = f"{one.unit.before}{one.unit.after}".strip()
    figure = figure_of([dots, *drawn], 230, f"{one.name}, {unit}" if unit else one.name, "score, %")
    figure.update_yaxes(range=list(ends), nticks=5)
    figure.update_xaxes(nticks=5)
    if one.choices:
        room = 0.4 * (at[-1] - at[0])
        figure.update_xaxes(tickvals=at, range=[at[0] - room, at[-1] + room])
    if one.log:
        figure.update_xaxes(type="log")
    best = one.unit.text(one.at[mean.index(max(mean))])
    alt = f"Score along {one.name}: {min(mean):.1f} to {max(mean):.1f} %, highest at {best}."
    return Plot(figure, alt)


def _choices(one: Marginal, colour: str) -> list[Any]:
    """The mean of each choice with its interval."""
    mean, low, high = ([100 * score for score in some] for some in (one.score, one.low, one.high))
    return [
        go.Scatter(
            x=[one.unit.factor * x for x in one.at],
            y=mean,
            mode="markers",
            marker={"size": 10, "color": colour},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [h - m for h, m in zip(high, mean, strict=True)],
                "arrayminus": [m - low_ for low_, m in zip(low, mean, strict=True)],
                "color": colour,
                "thickness": 3,
            },
            hovertemplate="%{x:.3g}: %{y:.1f}<extra></extra>",
        )
    ]


def _curve(one: Marginal, colour: str) -> list[Any]:
    """The mean along the parameter, in its band."""
    return [
        go.Scatter(
            x=[one.unit.factor * x for x in one.at + one.at[::-1]],
            y=[100 * score for score in one.high + one.low[::-1]],
            fill="toself",
            fillcolor="rgba(0,114,178,0.15)" if one.shown else "rgba(91,103,112,0.12)",
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
        ),
        go.Scatter(
            x=[one.unit.factor * x for x in one.at],
            y=[100 * score for score in one.score],
            mode="lines",
            line={"color": colour, "width": 3},
            hovertemplate="%{x:.3g}: %{y:.1f}<extra></extra>",
        ),
    ]


def interactions(found: Sequence[Interaction]) -> Plot:
    """The pairs that are least explained by chance."""
    names = [f"{i.first} × {i.second}" for i in found]
    figure = forest(
        names,
        [i.difference for i in found],
        [(i.low, i.high) for i in found],
        [i.shown for i in found],
        "change of the effect, points",
    )
    ticks = [f"{label(i.first)}<br>× {label(i.second)}  " for i in found]
    figure.update_yaxes(ticktext=ticks)
    figure.update_layout(height=60 + 44 * len(found))
    alt = "Interactions: " + listed(
        [f"{n} {points(i.difference)} points" for n, i in zip(names, found, strict=True)]
    )
    return Plot(figure, f"{alt}.")
