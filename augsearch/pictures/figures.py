"""Pictures of views: a row for each image, the original first, then its views. Also what every
picture made of pixels needs: letters, and images large enough to be seen.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL = 96
GAP = 4
HEADER = 22
LINE = 16
MARGIN = 10


def views_png(
    originals: NDArray[np.uint8],
    views: Sequence[NDArray[np.uint8]],
    titles: Sequence[str],
    footnote: str = "",
    names: Sequence[str] = (),
) -> bytes:
    """A contact sheet as PNG.

    Args:
        originals: `[N, C, H, W]` uint8.
        views: each `[N, C, H, W]` uint8.
        titles: one for the originals, then one for each entry of `views`.
        footnote: one line below the pictures.
        names: below each original; may be empty.
    """
    columns = [originals, *views]
    rows = len(originals)
    width = 2 * MARGIN + len(columns) * (CELL + GAP) + GAP
    pitch = CELL + GAP + (LINE if any(names) else 0)
    bottom = HEADER + rows * pitch
    sheet = Image.new("RGB", (width, bottom + (HEADER if footnote else MARGIN)), "white")
    draw = ImageDraw.Draw(sheet)
    font = letters(12)
    for column, (images, title) in enumerate(zip(columns, titles, strict=True)):
        # A wider gap sets the originals apart from what was made of them.
        left = MARGIN + column * (CELL + GAP) + (3 * GAP if column else 0)
        draw.text((left, 4), title, fill="black", font=font)
        for row, image in enumerate(images):
            sheet.paste(enlarged(image, CELL), (left, HEADER + row * pitch))
    for row, name in enumerate(names):
        place = MARGIN, HEADER + row * pitch + CELL + 1
        draw.text(place, name, fill="black", font=letters(11))
    if footnote:
        draw.text((MARGIN, bottom + 2), footnote, fill="dimgray", font=font)
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG")
    return buffer.getvalue()


@cache
def letters(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font of the other pictures, which comes with matplotlib; `size` in pixels."""
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / name, size)


OTHER_LETTERS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "WenQuanYi Zen Hei"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Hiragino Sans", "PingFang SC"),
    *("Noto Sans Arabic", "Noto Sans Devanagari", "Arial Unicode MS"),
)
"""Fonts of systems with letters that DejaVu lacks, where class names have them."""


def figure_png(figure: Figure) -> bytes:
    """A figure of matplotlib as PNG. Letters that no font here has are boxes."""
    from matplotlib.font_manager import fontManager
    from matplotlib.text import Text

    here = {font.name for font in fontManager.ttflist}
    family = ["DejaVu Sans", *(name for name in OTHER_LETTERS if name in here)]
    for text in figure.findobj(Text):
        text.set_fontfamily(family)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def enlarged(image: NDArray[np.uint8], side: int) -> Image.Image:
    """An image `[C, H, W]` as a square; the pixels of a small one keep their edges. Of more than
    three bands the first three are shown, of two the mean."""
    if image.shape[0] == 2:
        image = image.mean(axis=0, keepdims=True).astype(np.uint8)
    pixels = image[0] if image.shape[0] == 1 else image[:3].transpose(1, 2, 0)
    nearest = max(image.shape[1:]) < side
    filtering = Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS
    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    return picture.resize((side, side), filtering)
