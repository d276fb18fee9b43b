"""Pictures of explanations: images with their maps and what lies near them, sheets of images with
words below, and features in two dimensions.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augsearch.pictures.figures import enlarged, figure_png, letters
from augsearch.pictures.matrix import GREY, GRID, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL, GAP, GROUP_GAP, LINE, MARGIN = 128, 8, 26, 15, 16
COLUMNS = 6
RIGHT, WRONG = "#0b6e4f", "#a32f2f"
MOST_GROUPS = 8
"""Groups that are coloured."""

Pixels = NDArray[np.uint8]
Line = tuple[str, str]
"""Words and their colour."""
Colour = str | tuple[float, float, float, float]


@dataclass(frozen=True)
class Tile:
    """A picture `[C, H, W]` with a few lines below it; over it a map `[H, W]` in [0, 1], and the
    edge of an area of it."""

    image: Pixels
    lines: tuple[Line, ...]
    heat: NDArray[np.float32] | None = None
    area: NDArray[np.bool_] | None = None


def rows_png(
    rows: Sequence[Sequence[Tile]], heads: Sequence[tuple[str, int]], *, title: str, remark: str
) -> bytes:
    """Tiles in rows of one kind.

    Args:
        heads: a title for each group of columns, and how many columns it has.
    """
    lefts, starts, left = [], [], MARGIN
    for _, columns in heads:
        starts.append(left)
        lefts += [left + number * (CELL + GAP) for number in range(columns)]
        left += columns * (CELL + GAP) - GAP + GROUP_GAP
    lines = max((len(tile.lines) for row in rows for tile in row), default=0)
    pitch = CELL + lines * LINE + 12
    said = _wrapped(remark, left - GROUP_GAP - MARGIN)
    top = MARGIN + 28 + 16 * len(said) + 26
    sheet, draw = _sheet(left - GROUP_GAP + MARGIN, top + len(rows) * pitch + MARGIN)
    draw.text((MARGIN, MARGIN), title, INK, letters(16, bold=True))
    for number, text in enumerate(said):
        draw.text((MARGIN, MARGIN + 26 + 16 * number), text, GREY, letters(12))
    for start, (text, _) in zip(starts, heads, strict=True):
        draw.text((start, top - 20), text, INK, letters(12, bold=True))
    for number, row in enumerate(rows):
        up = top + number * pitch
        if number:
            draw.line((MARGIN, up - 7, sheet.width - MARGIN, up - 7), GRID, 1)
        for place, tile in zip(lefts, row, strict=False):
            _draw(sheet, draw, tile, place, up)
    return _png(sheet)


def tiles_png(tiles: Sequence[Tile], *, title: str) -> bytes:
    """Tiles beside and below each other."""
    rows = max(1, -(-len(tiles) // COLUMNS))
    lines = max((len(tile.lines) for tile in tiles), default=0)
    pitch, top = CELL + lines * LINE + 12, MARGIN + 30
    width = 2 * MARGIN + COLUMNS * (CELL + GAP) - GAP
    sheet, draw = _sheet(width, top + rows * pitch + MARGIN - 12)
    draw.text((MARGIN, MARGIN), _short(title, width - 2 * MARGIN, 14), INK, letters(14, bold=True))
    for number, tile in enumerate(tiles):
        left = MARGIN + number % COLUMNS * (CELL + GAP)
        _draw(sheet, draw, tile, left, top + number // COLUMNS * pitch)
    return _png(sheet)


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (width, height), "white")
    return sheet, ImageDraw.Draw(sheet)


def _draw(sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, left: int, up: int) -> None:
    picture = enlarged(tile.image, CELL)
    if tile.heat is not None:
        picture = _heated(picture, tile.heat)
    sheet.paste(picture, (left, up))
    if tile.area is not None:
        sheet.paste("white", (left, up), _edge(tile.area))
    for number, (text, ink) in enumerate(tile.lines):
        shown = _short(text, CELL, 11)
        draw.text((left, up + CELL + 3 + number * LINE), shown, ink, letters(11))


def _heated(picture: Image.Image, heat: NDArray[np.float32]) -> Image.Image:
    """A grey picture under a colour that is stronger where the map is."""
    from matplotlib import colormaps

    shown = Image.fromarray(heat).resize((CELL, CELL), Image.Resampling.BILINEAR)
    strength = np.clip(np.asarray(shown), 0, 1)[..., None]
    colour = colormaps["inferno"](strength[..., 0])[..., :3]
    grey = np.asarray(picture.convert("L").convert("RGB")) / 255
    mixed = grey * (1 - 0.75 * strength) + colour * 0.75 * strength
    return Image.fromarray(np.rint(255 * mixed).astype(np.uint8))


def _edge(area: NDArray[np.bool_]) -> Image.Image:
    from scipy.ndimage import binary_erosion

    large = np.asarray(Image.fromarray(area).resize((CELL, CELL), Image.Resampling.NEAREST))
    return Image.fromarray(large & ~binary_erosion(large, border_value=1))


def _short(text: str, width: int, size: int) -> str:
    """Cut to a width: a path loses its beginning, other words their end."""
    font, path = letters(size), "/" in text
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[1:] if path else text[:-1]
    return f"…{text}" if path else f"{text}…"


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and letters(12).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _png(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Landscape:
    """What is known of n images that are drawn as points.

    Attributes:
        sealed: `[n]`; the others were learnt from.
        labels: `[n]` an index into `classes`.
        wrong: `[n]` sealed ones that are taken for another class.
        groups: `[n]`.
    """

    classes: tuple[str, ...]
    sealed: NDArray[np.bool_]
    labels: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    groups: NDArray[np.int64]


def landscape_png(
    places: Mapping[str, NDArray[np.float64]], images: Landscape, *, title: str
) -> bytes:
    """Points by class, by right and wrong, and by group; a row for each way to place them.

    Args:
        places: what made them -> `[n, 2]`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 0.6 + 4.7 * len(places)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(places), 3, squeeze=False)
    for row, (name, xy) in zip(axes, places.items(), strict=True):
        _by_class(row[0], xy, images)
        _by_error(row[1], xy, images)
        _by_group(row[2], xy, images)
        for one in row:
            one.set_xticks([])
            one.set_yticks([])
            one.set_aspect("equal", adjustable="datalim")
            for edge in one.spines.values():
                edge.set_color(GRID)
        row[0].set_ylabel(name)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    return figure_png(figure)


def _by_class(axes: Axes, xy: NDArray[np.float64], images: Landscape) -> None:
    from matplotlib import colormaps

    few = len(images.classes) <= 10
    colours = colormaps["tab10" if few else "tab20"]
    for label, name in enumerate(images.classes):
        colour = colours(label % (10 if few else 20))
        for sealed in (False, True):
            rows = (images.labels == label) & (images.sealed == sealed)
            _points(axes, xy[rows], colour, sealed, name if sealed else None)
    _finish(axes, "by class (pale: learnt from)", len(images.classes) <= 20)


def _by_error(axes: Axes, xy: NDArray[np.float64], images: Landscape) -> None:
    _points(axes, xy[~images.sealed], "#b8bcc4", False, "learnt from")
    _points(axes, xy[images.sealed & ~images.wrong], RIGHT, True, "sealed, right")
    x, y = xy[images.wrong].T
    axes.scatter(x, y, s=34, c=WRONG, marker="x", linewidths=1.6, label="sealed, wrong")
    _finish(axes, "right and wrong", True)


def _by_group(axes: Axes, xy: NDArray[np.float64], images: Landscape) -> None:
    from matplotlib import colormaps

    names, sizes = np.unique(images.groups, return_counts=True)
    several = names[np.argsort(-sizes, kind="stable")][: int((sizes > 1).sum())]
    largest = several[:MOST_GROUPS].tolist()
    rest = ~np.isin(images.groups, largest)
    _points(axes, xy[rest], "#c9ccd2", False, None)
    for number, group in enumerate(largest):
        rows = images.groups == group
        _points(axes, xy[rows], colormaps["tab10"](number), True, f"group {group}")
    said = f"by group, the {len(largest)} largest" if len(largest) else "every image is a group"
    _finish(axes, said, bool(len(largest)))


def _points(
    axes: Axes, xy: NDArray[np.float64], colour: Colour, strong: bool, name: str | None
) -> None:
    x, y = xy.T
    size, alpha = (20, 0.85) if strong else (11, 0.3)
    axes.scatter(x, y, s=size, color=colour, alpha=alpha, linewidths=0, label=name)


def _finish(axes: Axes, title: str, legend: bool) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    if legend:
        axes.legend(fontsize=7, frameon=False, loc="best", markerscale=1.2)
