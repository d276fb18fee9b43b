"""Inputs by chance, a few of each kind, and all that ever broke something; see `fed.py`.

Many more: `bash .ci/run fuzz`.
"""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from data.deep_files import png_chunk
from fuzz.fed import KINDS, check, made

FOUND = sorted((Path(__file__).parent / "found").iterdir())
DRAWN = {"image": 300, "table": 150, "text": 50, "array": 200, "checkpoint": 150}
SIDE = 19 * 1024
"""Of a picture that takes more than a gigabyte."""


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_inputs_are_taken_or_refused(kind, tmp_path):
    taken = sum(check(kind, made(kind, seed), tmp_path) for seed in range(DRAWN[kind]))
    assert 0 < taken < DRAWN[kind]


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.name)
def test_what_broke_something_is_refused(file, tmp_path):
    assert not check(file.name.partition("-")[0], file.read_bytes(), tmp_path)


def large_png():
    header = SIDE.to_bytes(4, "big") * 2 + bytes([8, 6, 0, 0, 0])
    packer = zlib.compressobj(9)
    row = bytes(1 + 4 * SIDE)
    pixels = b"".join(packer.compress(row) for _ in range(SIDE)) + packer.flush()
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def large_tiff(bands):
    file, tile = io.BytesIO(), (1024, 1024)
    tifffile.imwrite(
        file,
        (np.zeros((*tile, bands), np.uint8) for _ in range((SIDE // 1024) ** 2)),
        shape=(SIDE, SIDE, bands),
        dtype=np.uint8,
        photometric="minisblack",
        planarconfig="contig",
        compression="zlib",
        tile=tile,
    )
    return file.getvalue()


@pytest.mark.long
@pytest.mark.parametrize("made", [large_png, lambda: large_tiff(4), lambda: large_tiff(5)])
def test_what_is_cut_off_is_refused_before_its_pixels_take_gigabytes(made, tmp_path):
    content = made()
    assert not check("image", b"\0\0" + content[: -len(content) // 20], tmp_path)
