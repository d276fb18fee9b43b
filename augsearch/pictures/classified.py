"""Pictures of a classifier's answers: which class is taken for which, and where it errs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augsearch.pictures.figures import enlarged, figure_png, letters

COLUMNS, CELL, GAP, LINES, MARGIN = 6, 128, 10, 34, 12
WIDEST = 22
"""Letters of a class's name below a picture."""


@dataclass(frozen=True)
class Error:
    """A picture that was taken for another class; `image` is `[C, H, W]` uint8."""

    image: NDArray[np.uint8]
    truth: str
    guess: str
    confidence: float


def confusion_png(table: Sequence[Sequence[int]], classes: Sequence[str], *, title: str) -> bytes:
    """Pictures by true class (rows) and guessed class (columns)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    side = 2.2 + 0.62 * len(classes)
    figure = Figure(figsize=(side + 0.9, side), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shown = ConfusionMatrixDisplay(np.array(table), display_labels=list(classes))
    shown.plot(ax=axes, cmap="Blues", colorbar=False, values_format="d")
    for label in axes.get_xticklabels():
        label.set(rotation=35, ha="right", rotation_mode="anchor")
    axes.set_ylabel("true class")
    axes.set_xlabel("guessed class")
    axes.set_title(title, loc="left", fontsize=10)
    return figure_png(figure)


def errors_png(errors: Sequence[Error], *, title: str) -> bytes:
    """A sheet of errors, each with its true and its guessed class and how sure the guess was."""
    rows = max(1, -(-len(errors) // COLUMNS))
    width = 2 * MARGIN + COLUMNS * (CELL + GAP) - GAP
    top = MARGIN + 26
    sheet = Image.new("RGB", (width, top + rows * (CELL + LINES + GAP) + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, fill="black", font=letters(14, bold=True))
    for number, error in enumerate(errors):
        left = MARGIN + number % COLUMNS * (CELL + GAP)
        up = top + number // COLUMNS * (CELL + LINES + GAP)
        sheet.paste(enlarged(error.image, CELL), (left, up))
        below = up + CELL + 2
        draw.text((left, below), f"is {_short(error.truth)}", fill="#0b6e4f", font=letters(11))
        said = f"said {_short(error.guess)} {100 * error.confidence:.0f} %"
        draw.text((left, below + 15), said, fill="#a32f2f", font=letters(11))
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG")
    return buffer.getvalue()


def _short(name: str) -> str:
    return name if len(name) <= WIDEST else f"{name[: WIDEST - 1]}…"
