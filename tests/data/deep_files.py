"""Files of 16 bits a channel as cameras write them, which Pillow reads but does not write."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path: Path, values: NDArray[np.integer]) -> Path:
    """`[H, W]` or `[H, W, C]`: grey, with alpha, RGB or RGBA."""
    height, width = values.shape[:2]
    kind = COLOUR_TYPES[values.reshape(height, width, -1).shape[2]]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )
    return path


def write_tiff(path: Path, values: NDArray[np.integer], order: str, *, planes: bool) -> Path:
    """`[H, W, 3]`, uncompressed; `order` is `<` or `>`; a strip, or one for each colour."""
    height, width, channels = values.shape
    parts = [values[..., c] for c in range(channels)] if planes else [values]
    strips = [np.ascontiguousarray(part).astype(f"{order}u2").tobytes() for part in parts]
    tags = [
        (256, [width]), (257, [height]), (258, [16] * channels), (259, [1]), (262, [2]),
        (277, [channels]), (278, [height]), (284, [2 if planes else 1]),
    ]  # fmt: skip
    count = len(tags) + 2
    extra_at = 8 + 2 + 12 * count + 4
    extra = struct.pack(f"{order}{channels}H", *[16] * channels)
    places_at = extra_at + len(extra)
    data_at = places_at + 8 * len(strips)
    places = [data_at + sum(map(len, strips[:k])) for k in range(len(strips))]
    sizes = list(map(len, strips))
    entries = []
    for tag, numbers in tags:
        if len(numbers) == 1:
            entries.append((tag, struct.pack(f"{order}HHIHH", tag, 3, 1, numbers[0], 0)))
        else:
            entries.append((tag, struct.pack(f"{order}HHII", tag, 3, len(numbers), extra_at)))
    n = len(strips)
    for tag, numbers, at in ((273, places, places_at), (279, sizes, places_at + 4 * n)):
        value = numbers[0] if n == 1 else at
        entries.append((tag, struct.pack(f"{order}HHII", tag, 4, n, value)))
    path.write_bytes(
        (b"II" if order == "<" else b"MM")
        + struct.pack(f"{order}HI", 42, 8)
        + struct.pack(f"{order}H", count)
        + b"".join(entry for _, entry in sorted(entries))
        + struct.pack(f"{order}I", 0)
        + extra
        + struct.pack(f"{order}{2 * n}I", *places, *sizes)
        + b"".join(strips)
    )
    return path
