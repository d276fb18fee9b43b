"""Files as they should be, small ones of every kind that is read: what fuzzing begins with."""

from __future__ import annotations

import io
import itertools
import random
import struct
import warnings
import zlib
from collections.abc import Iterator

import numpy as np
import tifffile
import torch
from PIL import Image
from safetensors.torch import save

from augsearch.data.decoding.pixel_store import DecodedFiles

MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "LA", "PA", "I", "F", "I;16")
UNSAFE = ("BUFR", "GRIB", "HDF5", "EPS", "PDF", "WMF", "MPEG")
"""Formats that Pillow writes and does not read by itself."""
SIDE = 6


def images() -> Iterator[bytes]:
    """Every format × mode that Pillow writes, TIFF in its compressions, and tifffile's own."""
    Image.init()
    rng = np.random.default_rng(0)
    for mode in MODES:
        plain = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
        with warnings.catch_warnings(action="ignore"):
            picture = _in_mode(plain, mode)
            for kind in sorted(set(Image.SAVE) - set(UNSAFE)):
                yield from _saved(picture, kind)
            for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "group4", "jpeg"):
                yield from _saved(picture, "TIFF", compression=compression)
            yield from _saved(picture, "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
            yield from _saved(picture, "GIF", save_all=True, append_images=[picture] * 2)
            yield from _saved(picture, "JPEG", progressive=True)
    for bands, dtype, planes in itertools.product((2, 4, 5), "BHhfd", (1, 2)):
        pixels = (200 * rng.random((SIDE, SIDE, bands))).astype(dtype)
        for tile, compression in ((None, None), ((16, 16), "zlib")):
            file = io.BytesIO()
            tifffile.imwrite(
                file,
                pixels if planes == 1 else np.moveaxis(pixels, -1, 0),
                photometric="minisblack",
                planarconfig="contig" if planes == 1 else "separate",
                tile=tile,
                compression=compression,
                metadata=None,
            )
            yield file.getvalue()


def _in_mode(plain: Image.Image, mode: str) -> Image.Image:
    try:
        return plain.convert(mode)
    except ValueError:
        return plain.convert("L").convert("I" if mode == "I;16" else "RGBA").convert(mode)


def _saved(picture: Image.Image, kind: str, **options: object) -> Iterator[bytes]:
    file = io.BytesIO()
    try:
        picture.save(file, kind, **options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return  # the format has no such mode
    yield file.getvalue()


TAGS: dict[int, tuple[int, ...]] = {
    256: (0, 1, 6, 6, 6, 40, 30_000, 65_535),  # width
    257: (0, 1, 6, 6, 6, 40, 30_000, 65_535),  # height
    258: (0, 1, 2, 4, 8, 8, 8, 12, 16, 16, 24, 32, 64),  # bits
    259: (0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 32_773, 32_946, 34_712, 34_887, 34_925, 50_000, 50_001),
    262: (0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 9, 10, 32_803, 32_844, 32_845, 34_892),  # photometric
    266: (1, 2, 3),
    274: (0, 1, 3, 6, 9),  # orientation
    277: (0, 1, 1, 2, 3, 3, 4, 5, 16, 65_535),  # samples
    278: (0, 1, 3, 6, 2**32 - 1),  # rows of a strip
    284: (0, 1, 1, 1, 2, 3),  # planes
    317: (0, 1, 1, 2, 3, 34_892),  # predictor
    320: (0, 768),  # palette
    322: (0, 16, 65_535),
    323: (0, 16, 65_535),  # tiles
    330: (0, 8, 2**31),  # further pages
    338: (0, 1, 2, 3, 9),  # alpha
    339: (0, 1, 1, 2, 3, 4, 5, 6),  # kind of numbers
    347: (0, 4),  # JPEG tables
    530: (0, 1, 2, 4),
    34_675: (0, 16),
}  # fmt: skip
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 11: 4, 12: 8, 16: 8}
"""Bytes of a number, by TIFF's types."""


def tiff(rng: random.Random) -> bytes:
    """A TIFF whose tags are drawn: few go together, all could be met."""
    order, big = rng.choice("<>"), rng.random() < 0.1
    pixels = rng.randbytes(rng.choice((0, 36, 108, 400)))
    packed = zlib.compress(pixels) if rng.random() < 0.3 else pixels
    begin = struct.pack(
        f"{order}2sHHHQ" if big else f"{order}2sHI",
        b"II" if order == "<" else b"MM",
        *((43, 8, 0, 16) if big else (42, 8)),
    )
    always, rare = (256, 257, 258, 259, 262, 277), set(TAGS)
    tags = {tag: rng.choice(TAGS[tag]) for tag in always if rng.random() < 0.98}
    tags |= {tag: rng.choice(TAGS[tag]) for tag in rare - set(always) if rng.random() < 0.25}
    where = (
        (len(begin) + 8 + 20 * (len(tags) + 2)) if big else len(begin) + 6 + 12 * (len(tags) + 2)
    )
    if 322 in tags and 323 in tags:
        tags |= {324: where, 325: len(packed)}
    else:
        tags |= {273: where, 279: rng.choice((len(packed), len(packed), 0, 2**31))}
    entries = []
    for tag, value in sorted(tags.items()):
        kind = 4 if value > 65_535 or rng.random() < 0.2 else 3
        kind = rng.choice(list(SIZES)) if rng.random() < 0.02 else kind
        count = tags.get(277, 1) if tag in (258, 339) and rng.random() < 0.7 else 1
        count = rng.choice((0, 2, 2**31)) if rng.random() < 0.02 else count
        width = 8 if big else 4
        size = {1: "B", 3: "H", 4: "I"}.get(kind, "Q" if big else "I")
        many = max(1, min(count, width // struct.calcsize(size)))
        room = struct.pack(f"{order}{many}{size}", *[value % 256 ** struct.calcsize(size)] * many)
        if count > many:  # the value is elsewhere: in the pixels, whatever they say
            room = struct.pack(f"{order}{'Q' if big else 'I'}", where)
        entries.append(
            struct.pack(f"{order}HH{'Q' if big else 'I'}", tag, kind, count)
            + room.ljust(width, b"\0")
        )
    count_of = struct.pack(f"{order}{'Q' if big else 'H'}", len(entries))
    end = struct.pack(f"{order}{'Q' if big else 'I'}", 0)
    return begin + count_of + b"".join(entries) + end + packed


TABLES = (
    b"path,label\na.png,ok\nb.png,rust\n",
    b"path;label;group;split\r\na.png;ok;1;train\r\nsub/c.png;rust;2;test\r\n",
    "\ufeffpath\tlabel\na.png\tRöst\nb.png\tok\n".encode(),
    "path,label\na.png,Röst\n".encode("utf-16"),
    b'"path","label"\n"a.png","o""k"\n',
    b"Path, Label \n a.png , 01 \n\n,\nb.png,NA\n",
    b"path|group\na.png|1\n",
)


def checkpoints() -> Iterator[bytes]:
    """What torch and safetensors write."""
    state = {"conv.weight": torch.ones(2, 3, 1, 1), "bn.count": torch.tensor(3)}
    for content in (state, {"state_dict": state, "epoch": 3}, [1], {"w": torch.ones(2).half()}):
        for new in (True, False):
            file = io.BytesIO()
            torch.save(content, file, _use_new_zipfile_serialization=new)
            yield file.getvalue()
    yield save(state, {"augsearch.mean": "[0.5]", "augsearch.std": "[0.2]"})


DECODED = DecodedFiles(
    images=np.zeros((2, 1, 4, 4), np.uint8), counts=(1, 1), reasons={}, notes=(), pages=(),
    windows=(), same=(0, 1), near=(0, 1),
)  # fmt: skip


def arrays() -> Iterator[bytes]:
    """What numpy writes."""
    file = io.BytesIO()
    np.savez(file, guesses=np.zeros(2, np.int64), confidence=np.ones(2), seconds=1.0)
    yield file.getvalue()
    for kept in (DECODED.images, np.array([None, {}], dtype=object), np.zeros(3, "i4,f8")):
        file = io.BytesIO()
        np.save(file, kept)
        yield file.getvalue()


NUMBERS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**32 - 1)


def changed(content: bytes, rng: random.Random, others: tuple[bytes, ...]) -> bytes:
    """The file otherwise: numbers, bits and parts of it, cut off, twice, or another's."""
    data = bytearray(content)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        at, kind = rng.randrange(len(data) + 1), rng.randrange(9)
        if rng.random() < 0.5:
            at = min(at, rng.randrange(64))  # where headers are
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            size = rng.choice((1, 2, 4, 8))
            number = rng.choice(NUMBERS) % 256**size
            data[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at : at + rng.randrange(1, 9)]
        elif kind == 4:
            data[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif kind == 5:
            data[at:at] = data[at : at + rng.randrange(1, 40)]
        elif kind == 6:
            other = rng.choice(others)
            data[at:] = other[min(at, len(other)) :]
        elif kind == 7:
            data += rng.choice(others)
        elif kind == 8:
            data[:0] = rng.choice(others)[: rng.randrange(1, 40)]
    return bytes(data[:4000])
