"""Draws the strips of `docs/images/ops/` with the reference executor's operations."""

from __future__ import annotations

import io
from functools import cache

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from augsearch.augment.draws import Draws
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.space.catalogue import GRAIN
from tools.ops_page.scenes import scenes
from tools.ops_page.strips import MOST, Column, Strip

IMAGE_SIZE = 96
GAP = 4
HEADER = 20
SEED = 7  # of all that is drawn by pixel: noise, clouds, drops
QUALITIES = (52, 36, 20)
"""Of WebP, the best first; a lower one is for strips that are larger than `LARGE` with it."""
LARGE = 22_000  # bytes


def strip_webp(strip: Strip) -> bytes:
    """The strip as WebP: a row for each scene, a column for each setting, titles above."""
    originals = _originals()
    pitch = IMAGE_SIZE + GAP
    size = (len(strip.columns) * pitch - GAP, HEADER + len(originals) * pitch - GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number, column in enumerate(strip.columns):
        left = number * pitch
        font = _font(column.title)
        draw.text((left + IMAGE_SIZE / 2, 15), column.title, "black", font, anchor="ms")
        for row, image in enumerate(_rendered(strip, column, originals)):
            pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
            sheet.paste(Image.fromarray(pixels.numpy()), (left, HEADER + row * pitch))
    encoded = (_webp(sheet, quality) for quality in QUALITIES)
    return next((data for data in encoded if len(data) <= LARGE), _webp(sheet, QUALITIES[-1]))


def _webp(sheet: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, format="WEBP", quality=quality, method=6)
    return buffer.getvalue()


@cache
def _originals() -> Tensor:
    """`[n, 3, H, W]` float32 in [0, 1]."""
    return torch.from_numpy(scenes(IMAGE_SIZE)).float() / 255


def _font(title: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font in which the title is no wider than a picture."""
    fonts = (ImageFont.load_default(size=size) for size in (13, 12, 11, 10))
    return next(font for font in fonts if font.getlength(title) <= IMAGE_SIZE)


@torch.no_grad()
def _rendered(strip: Strip, column: Column, originals: Tensor) -> Tensor:
    """`[n, 3, H, W]`: every original by the same numbers, its fields its own."""
    if column.values is None:
        return originals
    name, count = strip.operation.name, len(originals)
    implementation = IMPLEMENTATIONS[name]
    numbers = column.uniform or (MOST,) * implementation.slots
    if len(numbers) != implementation.slots:
        raise ValueError(f"{name} has {implementation.slots} slots, {len(numbers)} are given")
    uniform = torch.tensor(numbers).expand(count, -1)
    draws = Draws(SEED, 0, 0, (0,), count, originals.device)
    rows = torch.arange(count)

    def field(slot: int, shape: tuple[int, ...]) -> Tensor:
        return draws.field(name, rows, shape, slot)

    values = {GRAIN.name: GRAIN.default, **column.values}
    return implementation.apply(originals, uniform, values, field)
