"""A contact sheet: images with their views under one policy and under another, then operations one
by one from nothing to full strength. Arranges and draws what it is given.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from augsearch.pictures.figures import enlarged, letters
from augsearch.pictures.matrix import GREY, GRID, INK

SMALL, LARGE = 96, 128
"""Pixels of a picture's side: smaller images are enlarged, larger ones reduced."""
GAP, PAIR_GAP, GROUP_GAP = 4, 10, 24
COLUMNS = 5
"""Of an operation's strip."""
MARGIN = 20
LINE = 16
TALLEST = 4500
"""Pixels of a page, about; operations that do not fit go to the next one."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ViewPairs:
    """Pairs of views of every image: view 1 and view 2 in turn, each `[N, C, H, W]`."""

    heading: str
    views: tuple[Pixels, ...]


@dataclass(frozen=True)
class Strengths:
    """One operation from nothing to full strength.

    Attributes:
        title, text: what it is called, and what it does.
        images: up to `COLUMNS`, each `[C, H, W]`, the first one untouched.
        values: a label, and what to write below each image.
    """

    title: str
    text: str
    images: tuple[Pixels, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class ContactSheet:
    """All that a contact sheet shows.

    Attributes:
        originals: `[N, C, H, W]`.
        captions: below each original; may be empty.
        groups: of views, side by side.
        strengths_title, strengths_remark: above `strengths`, if there are any.
    """

    title: str
    remark: str
    originals: Pixels
    captions: tuple[str, ...]
    groups: tuple[ViewPairs, ...]
    strengths_title: str
    strengths_remark: str
    strengths: tuple[Strengths, ...]
    footnote: str

    def pages(self) -> tuple[bytes, ...]:
        """The sheet as PNG files; more than one if it is very tall."""
        blocks = [_views(self)]
        for number, strengths in enumerate(self.strengths):
            block = _strengths(strengths, _side(self), blocks[0].width)
            if number == 0:
                heading = (self.strengths_title, self.strengths_remark)
                block = _stacked([_heading(*heading, blocks[0].width, ruled=True), block])
            blocks.append(block)
        blocks.append(_lines([self.footnote], letters(11), GREY, blocks[0].width))
        pages = _paged(blocks)
        for number, page in enumerate(pages[1:], 2):
            line = f"{self.title}, page {number} of {len(pages)}"
            page.insert(0, _lines([line], letters(12), GREY, page[0].width, line=30))
        return tuple(_png(_framed(_stacked(page))) for page in pages)


def side_of(image_size: int) -> int:
    """The side of the picture of an image: whole multiples of a small one, so that pixels are
    squares of one size."""
    if image_size < SMALL:
        return image_size * math.ceil(SMALL / image_size)
    return min(image_size, LARGE)


def _side(sheet: ContactSheet) -> int:
    return side_of(min(sheet.originals.shape[2:]))


def _views(sheet: ContactSheet) -> Image.Image:
    """Title, headings, and a row for each image."""
    side, columns = _side(sheet), list(_columns(sheet))
    width = columns[-1][0] + side
    head = _heading(sheet.title, sheet.remark, width, ruled=False)
    pitch = side + (LINE + 8 if any(sheet.captions) else GAP)
    top = 2 * LINE + 8
    block = _blank(width, top + len(sheet.originals) * pitch)
    draw = ImageDraw.Draw(block)
    for number, group in enumerate(sheet.groups):
        first = 1 + sum(len(before.views) for before in sheet.groups[:number])
        left, right = columns[first][0], columns[first + len(group.views) - 1][0] + side
        shown = _shortened(group.heading, letters(13, bold=True), right - left)
        draw.text((left, 0), shown, INK, letters(13, bold=True))
    for left, title, images in columns:
        draw.text((left, LINE + 3), title, GREY, letters(11))
        for row, image in enumerate(images):
            block.paste(enlarged(image, side), (left, top + row * pitch))
    for row, text in enumerate(sheet.captions):
        draw.text(
            (0, top + row * pitch + side + 1),
            _shortened(text, letters(11), side),
            GREY,
            letters(11),
        )
    return _stacked([head, block])


def _columns(sheet: ContactSheet) -> Iterator[tuple[int, str, Pixels]]:
    """Left edge, title and images of every column; gaps show what belongs together."""
    side = _side(sheet)
    yield 0, "original", sheet.originals
    right = side
    for group in sheet.groups:
        for number, images in enumerate(group.views):
            gap = GROUP_GAP if number == 0 else GAP if number % 2 else PAIR_GAP
            yield right + gap, f"view {1 + number % 2}", images
            right += gap + side


def _strengths(strengths: Strengths, side: int, width: int) -> Image.Image:
    """What the operation is on the left; its pictures on the right, with values below."""
    first = width - COLUMNS * (side + GAP) + GAP
    room = first - GROUP_GAP
    left = [
        _lines([strengths.title], letters(13, bold=True), INK, room),
        _lines([strengths.text], letters(11), GREY, room),
    ]
    labels = [_wrapped(label, letters(11), room) or [""] for label, _ in strengths.values]
    below = LINE * sum(map(len, labels))
    start = max(side + 4, sum(part.height for part in left))
    block = _blank(width, start + below + 16)
    block.paste(_stacked(left), (0, 0))
    draw = ImageDraw.Draw(block)
    for number, image in enumerate(strengths.images):
        block.paste(enlarged(image, side), (first + number * (side + GAP), 0))
    y = start
    for lines, (_, values) in zip(labels, strengths.values, strict=True):
        for number, line in enumerate(lines):
            draw.text((room, y + number * LINE), line, GREY, letters(11), anchor="ra")
        for number, value in enumerate(values):
            middle = first + number * (side + GAP) + side / 2
            draw.text((middle, y), value, INK, letters(11), anchor="ma")
        y += LINE * len(lines)
    return block


def _heading(title: str, remark: str, width: int, *, ruled: bool) -> Image.Image:
    parts = [
        _lines([title], letters(17, bold=True), INK, width, line=24),
        _lines(remark.splitlines(), letters(12), GREY, width, line=17),
        _blank(width, 10),
    ]
    if ruled:
        rule = _blank(width, 16)
        ImageDraw.Draw(rule).line((0, 4, width, 4), GRID, 2)
        parts.insert(0, rule)
    return _stacked(parts)


def _lines(
    texts: Sequence[str], font: ImageFont.FreeTypeFont, ink: str, width: int, line: int = LINE
) -> Image.Image:
    """Texts below each other, each broken into lines of that width."""
    lines = [part for text in texts for part in _wrapped(text, font, width)]
    block = _blank(width, line * len(lines))
    draw = ImageDraw.Draw(block)
    for number, text in enumerate(lines):
        draw.text((0, number * line), text, ink, font)
    return block


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines no wider than `width`; a word that is wider is cut short."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(_shortened(word, font, width))
    return lines


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _blank(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


def _stacked(blocks: Sequence[Image.Image]) -> Image.Image:
    sheet = _blank(blocks[0].width, sum(block.height for block in blocks))
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    return sheet


def _paged(blocks: Sequence[Image.Image]) -> list[list[Image.Image]]:
    pages: list[list[Image.Image]] = [[]]
    for block in blocks:
        if pages[-1] and sum(b.height for b in pages[-1]) + block.height > TALLEST:
            pages.append([])
        pages[-1].append(block)
    return pages


def _framed(page: Image.Image) -> Image.Image:
    framed = _blank(page.width + 2 * MARGIN, page.height + 2 * MARGIN)
    framed.paste(page, (MARGIN, MARGIN))
    return framed


def _png(page: Image.Image) -> bytes:
    buffer = io.BytesIO()
    page.save(buffer, format="PNG")
    return buffer.getvalue()
