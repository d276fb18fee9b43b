"""Files of many bands, as satellites and spectral cameras write them: TIFF, which Pillow reads up
to four channels of. Knows tifffile."""

from __future__ import annotations

import logging
import math
import operator
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from augsearch.data.decoding.memory import LARGE, room_for
from augsearch.errors import DataError

# What they find odd in a file's metadata is nothing that a user could mend.
for _reader in ("tifffile", "PIL"):
    logging.getLogger(_reader).setLevel(logging.CRITICAL)
BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Of TIFF and BigTIFF, in either order of bytes."""
GREY_OR_COLOUR = (1, 3)
EMPTY, EMPTIEST = 2**28, 10_000
"""Bytes of pixels from which on a file must hold some, and for each of its bytes; no compression
of pictures packs as many."""
MOST_BANDS = 16
"""Of an array whose last axis is taken for bands because it is so short."""


def is_tiff(path: Path) -> bool:
    """Whether the file begins as a TIFF does."""
    with path.open("rb") as stream:
        return stream.read(4) in BEGINNINGS


def read_bands(path: Path, wanted: Sequence[int] | None) -> NDArray[np.generic] | None:
    """`[H, W, C]`: the bands of a TIFF file, without alpha; of several pages the first counts.

    Args:
        wanted: numbers of bands from 1, in the order in which they are to come; None for all.

    Returns:
        None for what Pillow reads as it should be: grey or colour, with alpha or without, unless
        bands are named.

    Raises:
        DataError: a band that is not there; a compression that needs another package.
    """
    if not is_tiff(path):
        if wanted is None:
            return None
        raise DataError("data.bands names bands of TIFF files, and this is none")
    with tifffile.TiffFile(path) as file:
        page = _first_page(file)
        _check_large(page, file.filehandle.size)
        if _rows_as_pages(file):
            rows, columns, floats = file.series[0].shape
            with room_for(columns, rows, floats):
                pixels = file.series[0].asarray()
            return pixels if wanted is None else pixels[..., _chosen(wanted, pixels.shape[-1])]
        plain = page.photometric in (
            tifffile.PHOTOMETRIC.MINISBLACK,
            tifffile.PHOTOMETRIC.MINISWHITE,
            tifffile.PHOTOMETRIC.RGB,
        )
        alpha = [kind != tifffile.EXTRASAMPLE.UNSPECIFIED for kind in page.extrasamples]
        count = page.samplesperpixel - sum(alpha)
        if wanted is None and (not plain or count in GREY_OR_COLOUR):
            return None
        if not plain:
            raise DataError(f"data.bands: {_name(page.photometric)} pixels have no bands to name")
        if len(page.dataoffsets) < math.prod(page.chunked):
            raise ValueError("image file is truncated")  # what lacks would be filled, for minutes
        try:
            floats = math.ceil(page.samplesperpixel * page.bitspersample / 32)
            with room_for(page.imagewidth, page.imagelength, floats):
                pixels = page.asarray()
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise DataError(
                f"its compression ({_name(page.compression)}) needs the package imagecodecs: "
                "pip install 'augsearch[tiff]'"
            ) from None
        planes = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif planes:
        pixels = np.moveaxis(pixels, 0, -1)
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        raise DataError("several bands of which 0 is white; write them with 0 as black")
    opaque = np.ones(page.samplesperpixel, dtype=bool)
    opaque[len(opaque) - len(alpha) :] = np.logical_not(alpha)
    pixels = pixels[..., opaque]
    if pixels.ndim != 3 or pixels.size == 0:
        raise ValueError(f"its pixels have the shape {pixels.shape}")
    return pixels if wanted is None else pixels[..., _chosen(wanted, count)]


def _first_page(file: tifffile.TiffFile) -> tifffile.TiffPage:
    """ValueError if its tags give words for numbers."""
    page = file.pages.first.aspage()
    numbers = (page.imagewidth, page.imagelength, page.samplesperpixel, page.bitspersample)
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError(f"its size is {numbers}")
    return page


def _check_large(page: tifffile.TiffPage, size: int) -> None:
    """Refuse a large picture that lacks pixels before the rest of them has taken gigabytes.

    Args:
        size: of the file, bytes.
    """
    need = page.imagewidth * page.imagelength * page.samplesperpixel * page.bitspersample // 8
    if need < LARGE:
        return
    if need > max(EMPTY, EMPTIEST * sum(page.databytecounts)):
        raise DataError("nearly all of its pixels are missing")
    ends = map(operator.add, page.dataoffsets, page.databytecounts)
    if max(ends, default=0) > size:
        raise DataError("image file is truncated")


def _rows_as_pages(file: tifffile.TiffFile) -> bool:
    """Whether an array `[H, W, C]` was written row by row, each a page of W × C: tifffile does so
    unless it is told that the last axis holds bands."""
    shape = file.series[0].shape if file.is_shaped and len(file.series) == 1 else ()
    short = len(shape) == 3 and 1 < shape[2] <= MOST_BANDS < min(shape[:2])
    page = file.pages.first
    return short and (page.imagelength, page.imagewidth) == shape[1:]


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of a TIFF file in pixels; None for other files."""
    if not is_tiff(path):
        return None
    with tifffile.TiffFile(path) as file:
        if _rows_as_pages(file):
            height, width, _ = file.series[0].shape
            return width, height
        page = _first_page(file)
        return page.imagewidth, page.imagelength


def _name(tag: object) -> str:
    return str(getattr(tag, "name", tag))


def _chosen(wanted: Sequence[int], count: int) -> list[int]:
    if max(wanted) > count:
        raise DataError(
            f"has {count} band{'s' if count > 1 else ''}, and data.bands asks for {max(wanted)}"
        )
    return [number - 1 for number in wanted]
