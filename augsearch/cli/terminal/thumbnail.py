"""Small pictures in the terminal, for terminals that can show them.

The protocols: kitty's graphics (https://sw.kovidgoyal.net/kitty/graphics-protocol/), iTerm2's
inline images (https://iterm2.com/documentation-images.html), and where colours are true, two
pixels in each character. The terminal is known by what it says of itself in the environment; it is
not asked, since a terminal that does not answer would leave the program waiting.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image
from rich.color import Color
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style

from augsearch.pictures.figures import enlarged

if TYPE_CHECKING:
    from numpy.typing import NDArray

Protocol = Literal["kitty", "iterm2", "blocks"]
WIDEST = 100
"""Columns; a larger thumbnail would be none."""
CHUNK = 4096  # most letters that kitty takes at a time


def show_thumbnail(
    rows: Sequence[Sequence[NDArray[np.uint8]]], caption: str, console: Console
) -> None:
    """Print rows of images `[C, H, W]` below a caption, or nothing where nothing can be shown."""
    protocol = protocol_of(console, os.environ)
    if protocol is None:
        return
    console.print(caption, markup=False)
    columns = min(console.width, WIDEST)
    if protocol == "blocks":
        console.print(Blocks(grid(rows, _blocks_side(columns, len(rows[0])), gap=2)))
        return
    picture = io.BytesIO()
    grid(rows, 96, gap=6).save(picture, "PNG")
    encode = _kitty if protocol == "kitty" else _iterm2
    console.file.write(encode(picture.getvalue(), columns) + "\n")


def protocol_of(console: Console, environment: Mapping[str, str]) -> Protocol | None:
    """How this terminal shows pictures; None if it is none, wants no colour, or cannot."""
    # rich takes a pipe for a terminal where FORCE_COLOR is set.
    if not (console.is_terminal and console.file.isatty()):
        return None
    if console.is_dumb_terminal or console.no_color:
        return None
    term = environment.get("TERM", "")
    # Multiplexers do not hand pictures on.
    if "TMUX" not in environment and not term.startswith(("screen", "tmux")):
        if term in ("xterm-kitty", "xterm-ghostty"):
            return "kitty"
        if environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm"):
            return "iterm2"
    true_colours = console.color_system == "truecolor" and not console.legacy_windows
    return "blocks" if true_colours and console.encoding.startswith("utf") else None


def grid(rows: Sequence[Sequence[NDArray[np.uint8]]], side: int, *, gap: int) -> Image.Image:
    """Images `[C, H, W]` in rows and columns, transparent between them."""
    pitch = side + gap
    size = (pitch * len(rows[0]) - gap, pitch * len(rows) - gap)
    sheet = Image.new("RGBA", size, (0, 0, 0, 0))
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            sheet.paste(enlarged(image, side).convert("RGBA"), (x * pitch, y * pitch))
    return sheet


class Blocks:
    """A picture for rich, a character for two pixels: `▀` in the colours of both."""

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        pixels = np.asarray(self.picture)
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
            for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
                yield _character(above, below)
            yield Segment.line()


def _character(above: Sequence[int], below: Sequence[int]) -> Segment:
    if not above[3]:
        return Segment(" ")
    return Segment("▀", Style(color=Color.from_rgb(*above[:3]), bgcolor=Color.from_rgb(*below[:3])))


def _blocks_side(columns: int, images: int) -> int:
    """An even number of pixels, so that images begin and end with whole characters."""
    return max(2, (columns - 2 * (images - 1)) // images // 2 * 2)


def _kitty(png: bytes, columns: int) -> str:
    text = base64.standard_b64encode(png).decode()
    chunks = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
    # a=T: show at once; f=100: a PNG; q=2: answer nothing, which would turn up as typed text.
    first = f"a=T,f=100,q=2,c={columns},"
    return "".join(
        f"\x1b_G{first if number == 0 else ''}m={int(number < len(chunks) - 1)};{chunk}\x1b\\"
        for number, chunk in enumerate(chunks)
    )


def _iterm2(png: bytes, columns: int) -> str:
    text = base64.standard_b64encode(png).decode()
    return f"\x1b]1337;File=inline=1;size={len(png)};width={columns}:{text}\a"
