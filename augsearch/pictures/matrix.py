"""Pictures of ablations: composition matrix, class table, strength curves, gains of operations.

What is not shown to differ is drawn paler, so that the eye falls on what is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from augsearch import words
from augsearch.pictures.figures import figure_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALE = 0.6  # share of white in what is not shown to differ
INK, GREY, GRID = "#1d2528", "#545e64", "#e3e6e8"
LINES = ("#0b6e4f", "#b5541c")
UP, DOWN = "#0b6e4f", "#a32f2f"


@dataclass(frozen=True)
class Square:
    """One cell of a table.

    Attributes:
        value: decides the colour; None for a cell without a score.
        low, high: interval of `value`.
        clear: shown to differ, drawn in full colour.
        framed: set apart by a frame, as a diagonal is.
    """

    value: float | None
    low: float = 0.0
    high: float = 0.0
    clear: bool = True
    framed: bool = False


@dataclass(frozen=True)
class StrengthPoint:
    """One strength of a sweep: share of the bound, mean with its interval in percent."""

    share: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """What one operation gains, in points."""

    label: str
    points: float
    low: float
    high: float
    clear: bool


def matrix_png(
    names: Sequence[str],
    squares: Sequence[Sequence[Square]],
    row_means: Sequence[float | None],
    *,
    title: str,
    footnote: str,
) -> bytes:
    """A composition matrix: a row for the first operation, a column for the second, row means last.

    Args:
        squares: `[n][n]`, values in percent.
        row_means: `[n]` in percent.
    """
    table = [[*row, Square(mean)] for row, mean in zip(squares, row_means, strict=True)]
    known = [s.value for row in squares for s in row if s.value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    figure, axes = _table(
        names, [*names, "row mean"], table, "YlGnBu", (low, high + 1e-9), gap=0.25, signed=False
    )
    axes.set_ylabel("first operation", color=GREY)
    axes.set_xlabel("second operation", color=GREY)
    axes.xaxis.set_label_position("top")
    return _png(figure, title, footnote)


def class_png(
    ops: Sequence[str],
    classes: Sequence[str],
    squares: Sequence[Sequence[Square]],
    *,
    title: str,
    footnote: str,
) -> bytes:
    """Points of recall that each operation (rows) gives or takes from each class (columns)."""
    known = [abs(s.value) for row in squares for s in row if s.value is not None]
    most = max([*known, 1e-9])
    figure, _ = _table(ops, classes, squares, "BrBG", (-most, most), gap=0.0, signed=True)
    return _png(figure, title, footnote)


def curves_png(
    curves: Mapping[str, Sequence[StrengthPoint]],
    *,
    title: str,
    x_axis: str,
    y_axis: str,
    footnote: str,
) -> bytes:
    """Score over the strength of one operation, a line with a band for each way of training."""
    figure, axes = _figure(7.2, 4.4)
    highest = max((point.mean for points in curves.values() for point in points), default=0.0)
    for colour, (label, points) in zip(LINES, curves.items(), strict=False):
        shares = [100 * point.share for point in points]
        means = [point.mean for point in points]
        axes.fill_between(
            shares,
            [p.low for p in points],
            [p.high for p in points],
            color=colour,
            alpha=0.16,
            lw=0,
        )
        axes.plot(shares, means, "o-", color=colour, label=label, lw=2, ms=6)
        best = max(points, key=lambda point: point.mean)
        # Above the point, but below it if another line may lie there.
        offset = 8 if best.mean == highest else -16
        axes.annotate(
            f"{best.mean:.1f}", (100 * best.share, best.mean), (0, offset),
            textcoords="offset points", ha="center", color=colour, weight="bold",
        )  # fmt: skip
    axes.set_xlabel(x_axis)
    axes.set_ylabel(y_axis)
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.margins(x=0.04, y=0.12)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(curves) > 1:
        axes.legend(frameon=False, loc="best")
    return _png(figure, title, footnote)


def gains_png(rows: Sequence[Row], *, title: str, axis: str, footnote: str) -> bytes:
    """What each operation gains, with intervals about a line at zero; the most useful on top."""
    figure, axes = _figure(7.2, 1.3 + 0.42 * len(rows))
    axes.axvline(0, color=GREY, lw=1)
    ordered = sorted(rows, key=lambda row: row.points)
    for place, row in enumerate(ordered):
        colour = _mixed(UP if row.points > 0 else DOWN, 0.0 if row.clear else PALE)
        axes.plot([row.low, row.high], [place, place], color=colour, lw=5, solid_capstyle="round")
        axes.plot([row.points], [place], "o", color="white", mec=colour, ms=7, mew=2)
        axes.annotate(
            _number(row.points, signed=True), (row.high, place), (8, 0), textcoords="offset points",
            va="center", color=INK if row.clear else GREY,
            weight="bold" if row.clear else "normal",
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [row.label for row in ordered])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(axis)
    axes.margins(x=0.1)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return _png(figure, title, footnote)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    # The object interface: pyplot would keep global state and look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _table(
    rows: Sequence[str],
    columns: Sequence[str],
    squares: Sequence[Sequence[Square]],
    palette: str,
    limits: tuple[float, float],
    *,
    gap: float,
    signed: bool,
) -> tuple[Figure, Axes]:
    """A table of coloured squares; the last column stands `gap` apart."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    longest = max(len(name) for name in rows)
    steep = max(len(name) for name in columns) > 8
    figure, axes = _figure(
        1.4 + 0.085 * longest + 0.86 * len(columns),
        1.5 + 0.62 * len(rows) + (0.6 if steep else 0.0),
    )
    scale, colours = Normalize(*limits), colormaps[palette]
    places = [column + (gap if column == len(columns) - 1 else 0) for column in range(len(columns))]
    for y, row in enumerate(squares):
        for x, square in zip(places, row, strict=True):
            colour: Any = "white"
            if square.value is not None:
                # The darkest ends of a palette make letters hard to read.
                colour = colours(0.08 + 0.8 * float(scale(square.value)))
            _draw_square(axes, x, y, square, colour, signed=signed)
    axes.set_xlim(-0.52, places[-1] + 0.52)
    axes.set_ylim(len(rows) - 0.48, -0.52)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_xticks(places, list(columns))
    axes.xaxis.tick_top()
    if steep:
        for label in axes.get_xticklabels():
            label.set(rotation=35, ha="left", rotation_mode="anchor")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure, axes


def _draw_square(
    axes: Axes, x: float, y: float, square: Square, colour: Any, *, signed: bool
) -> None:
    from matplotlib.patches import Rectangle

    face = _mixed(colour, 0.0 if square.clear else PALE)
    side = 0.96
    axes.add_patch(
        Rectangle((x - side / 2, y - side / 2), side, side, facecolor=face, edgecolor=face, lw=0)
    )
    if square.framed:
        inner = side - 0.05
        axes.add_patch(
            Rectangle(
                (x - inner / 2, y - inner / 2), inner, inner, fill=False, edgecolor=INK, lw=1.6
            )
        )
    if square.value is None:
        axes.text(x, y, "failed", ha="center", va="center", color=GREY, fontsize=8)
        return
    light = float(np.dot(face, (0.299, 0.587, 0.114))) > 0.55
    ink = (INK if square.clear else GREY) if light else "white"
    has_interval = square.high > square.low
    axes.text(
        x, y - (0.13 if has_interval else 0), _number(square.value, signed=signed),
        ha="center", va="center",
        color=ink, fontsize=10, weight="bold" if square.clear else "normal",
    )  # fmt: skip
    if has_interval:
        axes.text(
            x, y + 0.24, f"±{(square.high - square.low) / 2:.1f}", ha="center", va="center",
            color=ink, fontsize=7,
        )  # fmt: skip


def _number(value: float, *, signed: bool) -> str:
    return words.points(value) if signed else f"{value:.1f}".replace("-", "−")


def _wrapped(text: str, letters: float) -> str:
    return "\n".join(textwrap.fill(line, round(letters)) for line in text.splitlines())


def _mixed(colour: Any, white: float) -> tuple[float, ...]:
    """The colour with a share of white in it."""
    from matplotlib.colors import to_rgb

    return tuple(white + (1 - white) * part for part in to_rgb(colour))


def _png(figure: Figure, title: str, footnote: str) -> bytes:
    width = float(figure.get_figwidth())
    # Letters of 10 and of 8 points are about so many inches wide.
    figure.suptitle(_wrapped(title, width / 0.085), x=0.01, ha="left", fontsize=10)
    figure.supxlabel(_wrapped(footnote, width / 0.068), x=0.01, ha="left", fontsize=8, color=GREY)
    return figure_png(figure)
