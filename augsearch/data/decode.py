"""One image file becomes uint8 pixels that look as a person would expect. Knows Pillow and
nothing of labels, folders or caches.

- Transparent pixels are composited on white, as documents and browsers show them.
- Orientation tags are obeyed; of an animation the first frame counts.
- CMYK, palette, 1-bit and other modes are converted by Pillow, without colour management.
- Integer files of more than 8 bits are scaled by the smallest depth of 8, 10, 12, 14 or 16 bits
  that holds their largest value, float files by 1 or by such a depth; values outside all of these
  are stretched from lowest to highest. `Depth` makes that choice, and a caller that has many
  files joins their depths first, so that a dark exposure stays darker than its neighbours.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from augsearch.data.config import DataConfig
from augsearch.errors import DataError

MAX_PIXELS = 2**29  # 2 GB once Pillow has decoded it
DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
INTEGER_WHITES = (255, 1023, 4095, 16383, 65535)
# Pillow sizes before filtering by at most this factor with a box; 3 is visually lossless.
REDUCING_GAP = 3.0


@dataclass(frozen=True)
class Depth:
    """The values that files of more than 8 bits hold, and which of them are black and white."""

    kind: Literal["integer", "float"]
    low: float
    high: float

    def join(self, other: Depth) -> Depth:
        """The depth of both together; both are of one kind."""
        return Depth(self.kind, min(self.low, other.low), max(self.high, other.high))

    @property
    def window(self) -> tuple[float, float]:
        """`(black, white)`; resampled float files may overshoot by 1 %."""
        whites = INTEGER_WHITES if self.kind == "integer" else (1, *INTEGER_WHITES)
        slack = 0.0 if self.kind == "integer" else 0.01
        for white in whites:
            if self.low >= -slack * self.high and self.high <= (1 + slack) * white:
                return 0.0, float(white)
        return self.low, max(self.high, self.low + 1)


@dataclass(frozen=True)
class Decoded:
    """What one file holds.

    Attributes:
        pixels: `[K, H, W, C]` uint8; K = 1 unless the picture was tiled, C = 1 (grey) or 3 (RGB).
        depth: the file's values if it has more than 8 bits a channel.
        transparent: some pixels were not opaque.
    """

    pixels: NDArray[np.uint8]
    depth: Depth | None = None
    transparent: bool = False


@contextlib.contextmanager
def large_files_allowed() -> Iterator[None]:
    """Raise Pillow's limit on pixels to `MAX_PIXELS` and silence its remarks on odd files.

    Pillow keeps the limit, and Python the warning filters, for the whole process: enter this
    around a pool of threads, not inside one.
    """
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow warns there and refuses at twice the number
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def decode_file(path: Path, config: DataConfig, depth: Depth | None = None) -> Decoded:
    """Decode one file to `config`'s size and channels; `channels: auto` keeps what the file has.

    `depth` replaces the file's own depth if it has more than 8 bits a channel.

    Raises:
        DataError: the file cannot be read; the message is the reason alone, without the path.
    """
    with _opened(path) as image:
        if config.fit != "tile":  # JPEG decodes to 1/2, 1/4 or 1/8 at a fraction of the cost
            image.draft(None, (2 * config.image_size, 2 * config.image_size))
        upright, own_depth, transparent = _upright(image, depth)
        if config.channels == "grey":
            upright = upright.convert("L")
        elif config.channels == "colour":
            upright = upright.convert("RGB")
        pixels = _fit(upright, config)
    if config.channels == "auto" and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    return Decoded(np.ascontiguousarray(pixels), own_depth, transparent)


def read_grey(path: Path) -> NDArray[np.uint8]:
    """`[H, W]`: one file in grey at its own size; raises as `decode_file` does."""
    with _opened(path) as image:
        return np.array(_upright(image, None)[0].convert("L"))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The opened file; whatever goes wrong inside becomes a DataError."""
    try:
        with Image.open(path) as image:
            yield image
    except DataError:
        raise
    except Image.DecompressionBombError:
        limit = f"{MAX_PIXELS / 1e6:.0f} million pixels"
        raise DataError(f"more than {limit}; cut or reduce it first") from None
    except UnidentifiedImageError:
        raise DataError("not an image of a known format") from None
    except Exception as error:  # Pillow's readers raise nearly anything on damaged files
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise DataError(" ".join(reason.split()) or type(error).__name__) from error


def _upright(image: Image.Image, depth: Depth | None) -> tuple[Image.Image, Depth | None, bool]:
    """The picture in mode L or RGB, its own depth if above 8 bits, and whether it had alpha."""
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode in DEEP_MODES:
        values = np.asarray(image)
        own_depth = _depth_of(values)
        return Image.fromarray(_to_eight_bits(values, depth or own_depth)), own_depth, False
    flat, transparent = _flatten(image)
    return flat, None, transparent


def _depth_of(values: NDArray[np.generic]) -> Depth:
    """Depth of one file's values `[H, W]`."""
    if values.dtype.kind != "f":
        return Depth("integer", float(values.min()), float(values.max()))
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise DataError("holds no finite value")
    return Depth("float", float(finite.min()), float(finite.max()))


def _to_eight_bits(values: NDArray[np.generic], depth: Depth) -> NDArray[np.uint8]:
    """`[H, W]` of any number type to uint8, black to white; what is no number becomes black."""
    black, white = depth.window
    scaled = (values.astype(np.float64) - black) * (255 / (white - black))
    return (
        np.nan_to_num(scaled, nan=0.0, posinf=255, neginf=0).clip(0, 255).round().astype(np.uint8)
    )


def _flatten(image: Image.Image) -> tuple[Image.Image, bool]:
    """An opaque image of mode L or RGB, and whether anything was transparent."""
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        lowest, _ = layers.getchannel("A").getextrema()
        if lowest == 255:
            return layers.convert("RGB"), False
        white = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(white, layers).convert("RGB"), True
    return image.convert("L" if image.mode in ("1", "L") else "RGB"), False


def _fit(image: Image.Image, config: DataConfig) -> NDArray[np.uint8]:
    """`[K, image_size, image_size, C]` by one of the three ways of `DataConfig.fit`."""
    size = config.image_size
    width, height = image.size
    if config.fit == "squash":
        return _as_batch(_resize(image, (size, size), (0, 0, width, height)))
    short = min(width, height)
    if config.fit == "crop":
        left, top = (width - short) / 2, (height - short) / 2
        return _as_batch(_resize(image, (size, size), (left, top, left + short, top + short)))
    if short < size:
        larger = (round(width * size / short), round(height * size / short))
        image = _resize(image, larger, (0, 0, width, height))
    return _tiles(_as_batch(image)[0], size)


def _resize(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=REDUCING_GAP)


def _as_batch(image: Image.Image) -> NDArray[np.uint8]:
    """`[1, H, W, C]` of an image of mode L or RGB."""
    pixels = np.asarray(image)
    return pixels.reshape(1, *pixels.shape[:2], -1)


def _tiles(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """`[H, W, C]` to `[K, size, size, C]`, row by row, the grid centred."""
    rows, columns = pixels.shape[0] // size, pixels.shape[1] // size
    top, left = (pixels.shape[0] - rows * size) // 2, (pixels.shape[1] - columns * size) // 2
    grid = pixels[top : top + rows * size, left : left + columns * size]
    channels = pixels.shape[2]
    cells = grid.reshape(rows, size, columns, size, channels).swapaxes(1, 2)
    return cells.reshape(-1, size, size, channels)
