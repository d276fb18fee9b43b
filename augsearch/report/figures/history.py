"""Trials in their order and along their training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from augsearch.report.figures.form import (
    BASELINE,
    GREY,
    INK,
    MOST_TRIALS,
    OTHERS,
    PALE,
    WINNER,
    figure_of,
    higher_is_better,
)
from augsearch.report.forms import Plot
from augsearch.report.sections.trials.history import History, TrialPoint
from augsearch.words import counted, label, percent


def trials_in_order(found: History, metric: str) -> Plot:
    """Every trial in its order; stopped ones where they were stopped."""
    trials, baseline = found.trials, found.baseline
    complete = [t for t in trials if t.state == "complete" and t.score is not None]
    pruned = [t for t in trials if t.state == "pruned" and t.score is not None]
    traces: list[Any] = []
    if complete:
        traces.append(_best_so_far(complete, max(t.number for t in trials)))
    for name, some, marker in (
        ("complete", complete, {"color": OTHERS, "size": 8}),
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
    if winner := next((t for t in complete if t.number == found.winner), None):
        traces.append(
            go.Scatter(
                x=[winner.number],
                y=[100 * (winner.score or 0.0)],
                mode="markers+text",
                marker={"color": WINNER, "size": 13, "symbol": "star"},
                text=[f"<b>{percent(winner.score)}</b>"],
                textposition="top center",
                textfont={"size": 12, "color": INK},
                cliponaxis=False,
                name=f"{found.winner_role}: trial {winner.number}",
                hovertemplate=f"trial {winner.number}: %{{y:.1f}}<extra></extra>",
            )
        )
    if baseline and trials:
        name, score = baseline
        traces.append(
            go.Scatter(
                x=[0, max(t.number for t in trials)],
                y=[100 * score] * 2,
                mode="lines",
                line={"color": BASELINE, "dash": "dash", "width": 2},
                name=f"best baseline: {label(name)}, {percent(score)}",
                hovertemplate=f"{label(name)}: %{{y:.1f}}<extra></extra>",
            )
        )
    figure = figure_of(
        traces, 360, "trial", higher_is_better(f"{metric}, %", upright=True), showlegend=True
    )
    alt = (
        f"{counted(len(complete), 'complete trial')} and {len(pruned)} stopped early, in their "
        f"order"
        + (f"; the best reaches {max(100 * (t.score or 0) for t in complete):.1f} %." if complete
           else ".")
    )  # fmt: skip
    return Plot(figure, alt)


def _best_so_far(complete: Sequence[TrialPoint], last: int) -> go.Scatter:
    """The best score up to each trial, drawn on to the trial `last`."""
    best = [100 * score for score in accumulate((t.score or 0.0 for t in complete), max)]
    return go.Scatter(
        x=[*(t.number for t in complete), last],
        y=[*best, best[-1]],
        mode="lines",
        line={"shape": "hv", "color": OTHERS, "width": 2},
        name="best so far",
        hoverinfo="skip",
    )


def curves(found: History, metric: str) -> Plot:
    """Score by optimiser step of every trial, the winner on top."""
    drawn = [t for t in found.trials if len(t.curve) > 0 and t.state != "fail"][-MOST_TRIALS:]
    winner = next((t for t in drawn if t.number == found.winner), None)
    traces: list[Any] = []
    for name, state, colour, width in (
        ("stopped early", "pruned", PALE, 1),
        ("complete", "complete", OTHERS, 1.2),
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
    if winner:
        traces.append(
            go.Scatter(
                x=[step for step, _ in winner.curve],
                y=[100 * score for _, score in winner.curve],
                mode="lines+markers",
                line={"color": WINNER, "width": 3},
                name=f"{found.winner_role}: trial {winner.number}",
                hovertemplate="step %{x}: %{y:.1f}<extra></extra>",
            )
        )
    steps = sorted({step for t in drawn for step, _ in t.curve})
    title = higher_is_better(f"{metric}, %", upright=True)
    figure = figure_of(traces, 360, "optimiser steps", title, showlegend=True)
    figure.update_xaxes(tickvals=steps)
    return Plot(figure, f"Score by optimiser step of {counted(len(drawn), 'trial')}.")
