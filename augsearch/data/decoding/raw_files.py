"""What Pillow does not give by itself: 16-bit colours in full, and pictures whose metadata is
damaged or too large.

Pillow reads 16-bit colours as 8 bits, by the upper byte of each. Told that the bytes come in the
other order, it gives the lower ones.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

OTHER_BYTE = {
    ";16B": ";16L",
    ";16L": ";16B",
    ";16N": ";16B" if sys.byteorder == "little" else ";16L",
}
COLOURS = ("RGB;16", "RGBA;16", "RGBX;16", "R;16", "G;16", "B;16", "A;16")
"""Pillow's names of 16-bit layers begin with one of these."""
GREY_ALPHA = "LA;16B"
PLANES, BITS_PER_SAMPLE = ("R", "G", "B", "A"), 258

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
JPEG_METADATA = (*range(0xE1, 0xEE), 0xEF, 0xFE)
"""Application segments and comments, but for JFIF's and Adobe's, which says how colours are
coded."""


def read_sixteen_bits(
    image: Image.Image, source: Path | io.BytesIO
) -> tuple[NDArray[np.uint16], NDArray[np.float64] | None] | None:
    """Colours of an opened file of 16 bits a channel, before anything of it is loaded; or grey
    ones with alpha.

    Args:
        source: what `image` was opened from, to be read again.

    Returns:
        `[H, W, 3]` or `[H, W]`, and alpha in [0, 1] where not all is opaque; None for other files.
    """
    if not isinstance(image, ImageFile.ImageFile):
        return None
    if image.tile and image.tile[0].codec_name == "ppm":
        arguments: Any = image.tile[0].args
        if arguments[0] == "RGB" and arguments[1] > 255:
            return _portable_pixmap(image, source), None
    image.tile = _with_depth(image)
    names = {_raw_mode(tile.args) for tile in image.tile}
    if names == {GREY_ALPHA}:
        # Four bytes a pixel, as RGBA has: both of the grey, both of alpha.
        pairs = _loaded(source, {GREY_ALPHA: "RGBA"}).astype(np.uint16)
        both = 256 * pairs[..., ::2] + pairs[..., 1::2]
        return both[..., 0], _alpha(both[..., 1])
    if not names or not all(name.startswith(COLOURS) for name in names):
        return None
    low = _loaded(source, {name: name[:-4] + OTHER_BYTE[name[-4:]] for name in names})
    high: NDArray[np.uint16] = np.asarray(image).astype(np.uint16)
    both = 256 * high + low
    return both[..., :3], _alpha(both[..., 3]) if both.shape[-1] == 4 else None


def deep_channels(image: Image.Image) -> int:
    """Channels of an opened file that have more than 8 bits each, if they are colours or grey with
    alpha; 0 for other files."""
    if not isinstance(image, ImageFile.ImageFile):
        return 0
    if image.tile and image.tile[0].codec_name == "ppm":
        arguments: Any = image.tile[0].args
        return 3 if arguments[0] == "RGB" and arguments[1] > 255 else 0
    names = {_raw_mode(tile.args) for tile in _with_depth(image)}
    deep = names and all(name.startswith((*COLOURS, GREY_ALPHA)) for name in names)
    return len(image.getbands()) if deep else 0


def _portable_pixmap(image: ImageFile.ImageFile, source: Path | io.BytesIO) -> NDArray[np.uint16]:
    """`[H, W, 3]` of a PPM file that has more than 255 levels, and two bytes for each number.

    Raises:
        OSError: the file is truncated.
    """
    content = source.read_bytes() if isinstance(source, Path) else source.getvalue()
    count = 3 * image.width * image.height
    numbers = content[image.tile[0].offset :][: 2 * count]
    if len(numbers) < 2 * count:
        raise OSError("image file is truncated")
    values = np.frombuffer(numbers, ">u2").astype(np.uint16)
    return values.reshape(image.height, image.width, 3)


def _with_depth(image: ImageFile.ImageFile) -> list[Any]:
    """The tiles; Pillow takes uncompressed planes of 16 bits in a TIFF for planes of 8."""
    tags = getattr(image, "tag_v2", None)
    if tags is None or 16 not in (tags.get(BITS_PER_SAMPLE) or ()):
        return image.tile
    order = ";16B" if tags.prefix == b"MM" else ";16L"
    return [
        _told(tile, _raw_mode(tile.args) + order) if _raw_mode(tile.args) in PLANES else tile
        for tile in image.tile
    ]


def _told(tile: Any, name: str) -> Any:
    """The tile as if its numbers were stored in another way."""
    return tile._replace(args=(name, *tile.args[1:]) if isinstance(tile.args, tuple) else name)


def _raw_mode(arguments: Any) -> str:
    """Pillow's name of how a tile's numbers are stored."""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _loaded(source: Path | io.BytesIO, names: Mapping[str, str]) -> NDArray[np.uint8]:
    """`[H, W, C]`: the pixels of `source`, its raw modes taken for others."""
    with Image.open(source) as image:
        image.tile = [_told(t, names[_raw_mode(t.args)]) for t in _with_depth(image)]
        return np.asarray(image)


def _alpha(values: NDArray[np.uint16]) -> NDArray[np.float64] | None:
    """In [0, 1]; None if all is equally opaque."""
    most = values.max()
    return None if most == values.min() else values / most


def without_metadata(content: bytes) -> bytes | None:
    """The PNG or JPEG file without what is not needed for its pixels; None if it has nothing of
    the kind, or is another file."""
    if content.startswith(PNG):
        kept = b"".join(_png_chunks(content))
    elif content.startswith(JPEG):
        kept = b"".join(_jpeg_segments(content))
    else:
        return None
    return kept if len(kept) < len(content) else None


def _png_chunks(content: bytes) -> Iterator[bytes]:
    yield PNG
    start = len(PNG)
    while start + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, start)
        end = start + 12 + length
        if kind in PNG_PIXELS:
            yield content[start:end]
        start = end


def _jpeg_segments(content: bytes) -> Iterator[bytes]:
    yield JPEG
    start = len(JPEG)
    while start + 4 <= len(content) and content[start] == 0xFF:
        kind, length = struct.unpack_from(">BH", content, start + 1)
        if kind in JPEG_METADATA:
            start += 2 + length
        elif kind == 0xDA:  # what follows are the pixels
            break
        else:
            yield content[start : start + 2 + length]
            start += 2 + length
    yield content[start:]
