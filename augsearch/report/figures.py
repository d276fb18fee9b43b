"""The report's figures: plain data in, plotly figures with their description out.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; no meaning rests on
colour alone. Figures stand still (no zoom), so that a phone can scroll past them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from augsearch.report.content import (
    ClassEffects,
    Costs,
    FrontPoint,
    Interaction,
    Marginal,
    PolicyRow,
    RungAgreement,
    Scale,
    TrialPoint,
    Weight,
)
from augsearch.report.html import Plot
from augsearch.words import counted, label, listed, percent, points, value

BLUE, ORANGE, GREEN, GREY, PALE, INK = (
    "#0072B2", "#D55E00", "#009E73", "#5b6770", "#b0b7bc", "#1b1f23",
)  # fmt: skip
GRID = "#e3e6e8"
LINE = 30
"""Pixels of a row in a figure that has a row for each thing."""
MOST_CURVES = 300
MOST_CLASSES = 30


def _figure(
    traces: Sequence[Any],
    height: float,
    x: str = "",
    y: str = "",
    **layout: Any,
) -> go.Figure:
    axis = {"gridcolor": GRID, "zeroline": False, "fixedrange": True, "automargin": True}
    figure = go.Figure(
        list(traces),
        {
            "height": height,
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
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


def _title(text: str) -> dict[str, Any]:
    if not text:
        return {}
    # plotly breaks no lines by itself, and a phone shows some thirty letters.
    shown = "<br>".join(label(line) for line in wrap(text, 28))
    return {"title": {"text": shown, "standoff": 8, "font": {"size": 13}}}


def _rows(names: Sequence[str], **more: Any) -> dict[str, Any]:
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
    figure = _figure(
        traces, 60 + LINE * len(shown), f"{metric}, %", yaxis=_rows([row.name for row in shown])
    )
    best = shown[0]
    alt = (
        f"Confirmed {metric} of {counted(len(shown), 'policy').replace('policys', 'policies')} "
        f"with 95 % intervals; the highest mean is that of {best.name}, {percent(best.mean)} %."
    )
    return Plot(figure, alt)


def _forest(
    names: Sequence[str],
    middle: Sequence[float],
    ends: Sequence[tuple[float, float] | None],
    loud: Sequence[bool],
    axis: str,
) -> go.Figure:
    """Differences around 0 with their intervals; those that chance explains are pale."""
    traces: list[Any] = []
    for place, (mean, reach, shown) in enumerate(zip(middle, ends, loud, strict=True)):
        colour = PALE if not shown else BLUE if mean > 0 else ORANGE
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
    figure = _figure(traces, 60 + LINE * len(names), axis, yaxis=_rows(names))
    figure.update_xaxes(zeroline=True, zerolinecolor=INK, zerolinewidth=1)
    return figure


def class_effects(effects: ClassEffects) -> Plot:
    """What each class gains or loses; of very many those that move most."""
    ranked = sorted(effects.classes, key=lambda c: -abs(c.difference))[:MOST_CLASSES]
    ranked.sort(key=lambda c: -c.difference)
    figure = _forest(
        [c.name for c in ranked],
        [c.difference for c in ranked],
        [(c.low, c.high) if c.low is not None and c.high is not None else None for c in ranked],
        [c.finding != "open" for c in ranked],
        "points of recall",
    )
    moves = listed([f"{c.name} {points(c.difference)}" for c in ranked])
    return Plot(figure, f"Recall of {effects.ours} less that of {effects.theirs}: {moves} points.")


def weights(found: Sequence[Weight]) -> Plot:
    """Importance of each parameter, and what chance would reach."""
    names = [weight.name for weight in found]
    bars = go.Bar(
        x=[weight.over_chance for weight in found],
        y=list(range(len(found))),
        orientation="h",
        marker={"color": [BLUE if weight.shown else PALE for weight in found]},
        width=0.62,
        customdata=[100 * weight.share for weight in found],
        hovertemplate="%{x:.2f} times chance, %{customdata:.0f} % of all<extra></extra>",
    )
    figure = _figure([bars], 60 + LINE * len(found), "importance (chance: 1)", yaxis=_rows(names))
    most = max(1.0, *(weight.over_chance for weight in found))
    figure.update_xaxes(range=[0, 1.05 * most])
    figure.add_vline(1, line={"color": INK, "width": 2, "dash": "dot"})
    told = listed([f"{weight.name} {100 * weight.share:.0f} %" for weight in found[:5]])
    return Plot(figure, f"Importance of the parameters, the largest being {told}.")


def marginal(one: Marginal, ends: tuple[float, float]) -> Plot:
    """Score along one parameter; `ends` are those of the score, the same for all parameters."""
    shown = BLUE if one.shown else GREY
    dots = go.Scatter(
        x=[x for x, _ in one.points],
        y=[100 * y for _, y in one.points],
        mode="markers",
        marker={"size": 5, "color": PALE},
        hovertemplate="%{x:.3g}: %{y:.1f}<extra></extra>",
    )
    at, mean = list(one.at), [100 * score for score in one.score]
    low, high = [100 * score for score in one.low], [100 * score for score in one.high]
    if one.choices:
        drawn: list[Any] = [
            go.Scatter(
                x=at,
                y=mean,
                mode="markers",
                marker={"size": 10, "color": shown},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [h - m for h, m in zip(high, mean, strict=True)],
                    "arrayminus": [m - low_ for low_, m in zip(low, mean, strict=True)],
                    "color": shown,
                    "thickness": 3,
                },
                hovertemplate="%{x:.3g}: %{y:.1f}<extra></extra>",
            )
        ]
    else:
        drawn = [
            go.Scatter(
                x=at + at[::-1],
                y=high + low[::-1],
                fill="toself",
                fillcolor="rgba(0,114,178,0.15)" if one.shown else "rgba(91,103,112,0.12)",
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
            ),
            go.Scatter(
                x=at,
                y=mean,
                mode="lines",
                line={"color": shown, "width": 3},
                hovertemplate="%{x:.3g}: %{y:.1f}<extra></extra>",
            ),
        ]
    figure = _figure([dots, *drawn], 210)
    figure.update_yaxes(range=list(ends), nticks=5)
    figure.update_xaxes(nticks=5)
    if one.choices:
        figure.update_xaxes(tickvals=at, range=[at[0] - 0.4 * _span(at), at[-1] + 0.4 * _span(at)])
    if one.log:
        figure.update_xaxes(type="log")
    best = at[mean.index(max(mean))]
    alt = f"Score along {one.name}: {min(mean):.1f} to {max(mean):.1f} %, highest at {value(best)}."
    return Plot(figure, alt)


def _span(at: Sequence[float]) -> float:
    return at[-1] - at[0]


def interactions(found: Sequence[Interaction]) -> Plot:
    """The pairs that are least explained by chance."""
    names = [f"{i.first} × {i.second}" for i in found]
    figure = _forest(
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


def history(trials: Sequence[TrialPoint], baseline: tuple[str, float] | None, metric: str) -> Plot:
    """Every trial in its order; stopped ones where they were stopped."""
    complete = [t for t in trials if t.state == "complete" and t.score is not None]
    pruned = [t for t in trials if t.state == "pruned" and t.score is not None]
    traces: list[Any] = []
    if complete:
        best, steps = float("-inf"), []
        for t in complete:
            best = max(best, t.score or 0.0)
            steps.append(100 * best)
        last = max(t.number for t in trials)
        traces.append(
            go.Scatter(
                x=[*(t.number for t in complete), last],
                y=[*steps, steps[-1]],
                mode="lines",
                line={"shape": "hv", "color": BLUE, "width": 2},
                name="best so far",
                hoverinfo="skip",
            )
        )
    for name, some, marker in (
        ("complete", complete, {"color": BLUE, "size": 8}),
        ("stopped early", pruned, {"color": GREY, "size": 7, "symbol": "x-thin-open"}),
    ):
        if some:
            traces.append(
                go.Scatter(
                    x=[t.number for t in some],
                    y=[100 * (t.score or 0.0) for t in some],
                    mode="markers",
                    marker=marker,
                    name=name,
                    customdata=[t.curve[-1][0] if t.curve else 0 for t in some],
                    hovertemplate="trial %{x}: %{y:.1f} at step %{customdata}<extra></extra>",
                )
            )
    if baseline and trials:
        name, score = baseline
        traces.append(
            go.Scatter(
                x=[0, max(t.number for t in trials)],
                y=[100 * score] * 2,
                mode="lines",
                line={"color": ORANGE, "dash": "dash", "width": 2},
                name=f"baseline: {label(name)}",
                hovertemplate=f"{label(name)}: %{{y:.1f}}<extra></extra>",
            )
        )
    figure = _figure(traces, 360, "trial", f"{metric}, %", showlegend=True)
    alt = (
        f"{counted(len(complete), 'complete trial')} and {len(pruned)} stopped early, in their "
        f"order"
        + (f"; the best reaches {max(100 * (t.score or 0) for t in complete):.1f} %." if complete
           else ".")
    )  # fmt: skip
    return Plot(figure, alt)


def curves(trials: Sequence[TrialPoint], metric: str) -> Plot:
    """Score by optimiser step of every trial, the best one on top."""
    drawn = [t for t in trials if len(t.curve) > 0 and t.state != "fail"][-MOST_CURVES:]
    best = max(
        (t for t in drawn if t.state == "complete"), key=lambda t: t.score or 0.0, default=None
    )
    traces: list[Any] = []
    for name, state, colour, width in (
        ("stopped early", "pruned", PALE, 1),
        ("complete", "complete", "#7fb2d5", 1.2),
    ):
        x: list[float | None] = []
        y: list[float | None] = []
        for t in drawn:
            if t.state == state:
                x += [*(float(step) for step, _ in t.curve), None]
                y += [*(100 * score for _, score in t.curve), None]
        if x:
            traces.append(
                go.Scatter(
                    x=x,
                    y=y,
                    mode="lines+markers",
                    line={"color": colour, "width": width},
                    marker={"size": 4},
                    name=name,
                    hoverinfo="skip",
                )
            )
    if best:
        traces.append(
            go.Scatter(
                x=[step for step, _ in best.curve],
                y=[100 * score for _, score in best.curve],
                mode="lines+markers",
                line={"color": BLUE, "width": 3},
                name=f"best: trial {best.number}",
                hovertemplate="step %{x}: %{y:.1f}<extra></extra>",
            )
        )
    steps = sorted({step for t in drawn for step, _ in t.curve})
    figure = _figure(traces, 360, "optimiser steps", f"{metric}, %", showlegend=True)
    figure.update_xaxes(tickvals=steps)
    return Plot(figure, f"Score by optimiser step of {counted(len(drawn), 'trial')}.")


def parallel(trials: Sequence[TrialPoint], scales: Sequence[Scale], quarter: int) -> Plot:
    """Every trial as a line through its parameters; the best quarter in colour.

    Drawn as lines, not by plotly's own parallel coordinates: these need WebGL, which an office
    machine may lack and which prints badly.
    """
    ranked = sorted(
        (t for t in trials if t.score is not None),
        key=lambda t: (t.state == "complete", t.score or 0.0),
    )[-MOST_CURVES:]
    best = ranked[-quarter:] if quarter else []
    rest = ranked[: len(ranked) - len(best)]
    columns = list(range(len(scales)))

    def line(t: TrialPoint) -> list[float]:
        return [_height(scale, t.params[scale.name]) for scale in scales]

    x: list[float | None] = []
    y: list[float | None] = []
    for t in rest:
        x += [*map(float, columns), None]
        y += [*line(t), None]
    traces: list[Any] = []
    if rest:
        traces.append(
            go.Scatter(
                x=x, y=y, mode="lines", line={"color": "#c9ced2", "width": 1}, name="the others",
                hoverinfo="skip",
            )
        )  # fmt: skip
    for place, t in enumerate(best):
        told = "<br>".join(f"{label(s.name)} {value(t.params[s.name])}" for s in scales)
        top = place == len(best) - 1
        traces.append(
            go.Scatter(
                x=columns,
                y=line(t),
                mode="lines+markers",
                line={"color": ORANGE if top else BLUE, "width": 3.5 if top else 1.6},
                marker={"size": 6 if top else 4},
                opacity=1 if top else 0.65,
                name=f"the best: trial {t.number}" if top else f"best {len(best)}",
                legendgroup="top" if top else "best",
                showlegend=top or place == 0,
                text=f"trial {t.number}: {percent(t.score)} %<br>{told}",
                hovertemplate="%{text}<extra></extra>",
            )
        )
    ticks = [f"{label(scale.name).replace('.', '<br>', 1)}" for scale in scales]
    figure = _figure(traces, 480, showlegend=True)
    figure.update_xaxes(
        tickvals=columns,
        ticktext=ticks,
        tickangle=-90,
        showgrid=False,
        range=[-0.3, len(scales) - 0.7],
    )
    figure.update_yaxes(visible=False, range=[-0.12, 1.1])
    for column, scale in zip(columns, scales, strict=True):
        axis = {"type": "line", "layer": "below", "line": {"color": INK, "width": 1}}
        figure.add_shape(x0=column, x1=column, y0=0, y1=1, **axis)
        for end, shift in ((0.0, -11), (1.0, 11)):
            figure.add_annotation(
                x=column,
                y=end,
                yshift=shift,
                text=value((scale.low, scale.high)[int(end)]),
                showarrow=False,
                font={"size": 11, "color": GREY},
                bgcolor="white",
            )
    alt = (
        f"Parallel coordinates of {counted(len(ranked), 'trial')} over "
        f"{counted(len(scales), 'parameter')}; the best {len(best)} are coloured."
    )
    return Plot(figure, alt, wide=len(scales) > 4)


def _height(scale: Scale, number: float) -> float:
    """Where a value lies on its axis, from 0 to 1."""
    low, high = scale.low, scale.high
    if scale.log:
        number, low, high = log(number), log(low), log(high)
    return (number - low) / (high - low) if high > low else 0.5


def rung(one: RungAgreement, steps: int) -> Plot:
    """Score at a rung against the score at the end."""
    dots = go.Scatter(
        x=[100 * x for x, _ in one.pairs],
        y=[100 * y for _, y in one.pairs],
        mode="markers",
        marker={"size": 7, "color": BLUE, "opacity": 0.75},
        hovertemplate="%{x:.1f} at the rung, %{y:.1f} at the end<extra></extra>",
    )
    figure = _figure([dots], 280, f"%, step {one.step}", f"%, step {steps}")
    figure.update_xaxes(nticks=5)
    figure.update_yaxes(nticks=5)
    told = "" if one.spearman is None else f", rank correlation {one.spearman:.2f}"
    alt = f"{len(one.pairs)} runs: score at step {one.step} against step {steps}{told}."
    return Plot(figure, alt)


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
    figure = _figure([bars], 60 + LINE * len(names), "minutes of computing", yaxis=_rows(names))
    told = listed([f"{n} {m:.1f}" for n, m in zip(names, minutes, strict=True)])
    return Plot(figure, f"Minutes of computing: {told}.")


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
    figure = _figure(traces, 380, x_axis, y_axis, showlegend=True)
    names = listed([p.label for p in found if p.kind == "front"])
    return Plot(figure, f"{y_axis} against {x_axis}; on the front: {names}.")
