"""One image file becomes uint8 pixels that look as a person would expect. Knows Pillow and
nothing of labels, folders or caches.

- Transparent pixels are composited on white, as documents and browsers show them.
- Orientation tags are obeyed; of several pages or frames the first counts. Other metadata is
  ignored, and so is damage to it.
- CMYK, palette, 1-bit and other modes are converted by Pillow, without colour management.
- Files of more than 8 bits a channel, grey or colour, are brought to 8 bits by a window
  (`window.py`). A caller that has many files finds one for all of them.
- TIFF files of two or more than three bands keep them (`bands.py`), each with its own window.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from augsearch.data.config import DataConfig
from augsearch.data.decoding.bands import read_bands, size_of
from augsearch.data.decoding.fit import fit_squares
from augsearch.data.decoding.memory import LARGE, room_for
from augsearch.data.decoding.raw_files import deep_channels, read_sixteen_bits, without_metadata
from augsearch.data.decoding.window import Values, Window, find_window
from augsearch.errors import DataError

MAX_PIXELS = 2**29  # 2 GB once Pillow has decoded it
MAX_BYTES = 2**30  # of a file that is read whole, to leave damaged metadata out
DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
LOOK = 16  # side of the thumbnail by which pictures are compared
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF."""
Source = Path | io.BytesIO
Result = TypeVar("Result")
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Decoded:
    """What one file holds.

    Attributes:
        pixels: `[K, H, W, C]` uint8; K = 1 unless the picture was tiled, C = 1 (grey), 3 (RGB) or
            the number of bands.
        look: `[16, 16]` grey block means of the whole picture.
        values: the file's values if it has more than 8 bits a channel; of each band if there are
            bands.
        windows: by which they were shown.
        transparent: some pixels were not opaque.
        pages: the file holds more pages or frames than the one that was read.
    """

    pixels: NDArray[np.uint8]
    look: NDArray[np.float32]
    values: tuple[Values, ...] = ()
    windows: tuple[Window, ...] = ()
    transparent: bool = False
    pages: bool = False


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


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """Whatever goes wrong becomes a DataError: readers raise nearly anything on damaged files."""
    try:
        yield
    except DataError:
        raise
    except Image.DecompressionBombError:
        limit = f"{MAX_PIXELS / 1e6:.0f} million pixels"
        raise DataError(f"more than {limit}; cut or reduce it first") from None
    except UnidentifiedImageError:
        raise DataError("not an image of a known format") from None
    except Exception as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise DataError(" ".join(reason.split()) or type(error).__name__) from error


@_refused()
def decode_file(path: Path, config: DataConfig, windows: Sequence[Window] = ()) -> Decoded:
    """Decode one file to `config`'s size and channels; `channels: auto` keeps what the file has.

    `windows` replace the file's own if it has more than 8 bits a channel.

    Raises:
        DataError: the file cannot be read; the message is the reason alone, without the path.
    """
    bands = _bands(path, config)
    if bands is not None:
        return _decode_bands(bands, config, windows)

    def decode(image: Image.Image, source: Source) -> Decoded:
        whole: tuple[float, float, float, float] | None = None
        if config.fit != "tile":  # JPEG decodes to 1/2, 1/4 or 1/8 at a fraction of the cost
            drafted = image.draft(None, (2 * config.side, 2 * config.side))
            whole = drafted and drafted[1]  # without what fills the last block
        with _room_for(image, source):
            raw = _read(image, source)
            values = None if raw.deep is None else _values(raw.deep)
            shown_by = (windows[0] if windows else find_window([values])) if values else None
            flat, transparent = raw.shown(shown_by)
            grey = flat.convert("L").convert("F")
            look = np.asarray(grey.resize((LOOK, LOOK), Image.Resampling.BOX, box=whole))
            upright = flat if raw.turn is None else flat.transpose(raw.turn)
            if config.channels == "grey":
                upright = upright.convert("L")
            elif config.channels == "colour":
                upright = upright.convert("RGB")
            pixels = fit_squares(upright, config)
            if config.channels == "auto" and (pixels == pixels[..., :1]).all():
                pixels = pixels[..., :1]
            return Decoded(
                pixels=np.ascontiguousarray(pixels),
                look=_turned(look, raw.turn),
                values=() if values is None else (values,),
                windows=() if shown_by is None else (shown_by,),
                transparent=transparent,
                pages=_has_pages(image),
            )

    return _opened(path, decode)


@_refused()
def read_grey(path: Path) -> NDArray[np.uint8]:
    """`[H, W]`: one file in grey at its own size; raises as `decode_file` does."""
    bands = _bands(path, DataConfig())
    if bands is not None:
        return np.asarray(_shown_bands(bands, ())[0].mean(axis=-1).round().astype(np.uint8))

    def read(image: Image.Image, source: Source) -> NDArray[np.uint8]:
        with _room_for(image, source):
            raw = _read(image, source)
            window = None if raw.deep is None else find_window([_values(raw.deep)])
            return _turned(np.array(raw.shown(window)[0].convert("L")), raw.turn)

    return _opened(path, read)


@_refused()
def read_shown(path: Path, config: DataConfig) -> NDArray[np.uint8]:
    """`[H, W, C]`: one file in 8 bits at its own size and upright, C = 1 (grey), 3 (RGB) or the
    number of bands: what a camera would have given. Raises as `decode_file` does."""
    given = None if config.window == "auto" else config.window
    bands = _bands(path, config)
    if bands is not None:
        layers = [find_window([_values(band)], given) for band in np.moveaxis(bands, -1, 0)]
        return np.ascontiguousarray(_shown_bands(bands, layers)[0])

    def read(image: Image.Image, source: Source) -> NDArray[np.uint8]:
        with _room_for(image, source):
            raw = _read(image, source)
            window = None if raw.deep is None else find_window([_values(raw.deep)], given)
            pixels = _turned(np.asarray(raw.shown(window)[0]), raw.turn)
            return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1))

    return _opened(path, read)


@_refused()
def read_exactly(path: Path) -> NDArray[np.generic]:
    """`[H, W]` or `[H, W, C]`: every number that a file holds, at its own size and upright; three
    equal channels count as one. Raises as `decode_file` does."""
    bands = _bands(path, DataConfig())
    if bands is not None:
        return bands

    def read(image: Image.Image, source: Source) -> NDArray[np.generic]:
        with _room_for(image, source):
            raw = _read(image, source)
            flat = np.asarray(_flatten(raw.image)[0]) if raw.deep is None else raw.deep
            return _turned(flat, raw.turn)

    pixels = _opened(path, read)
    grey = pixels.ndim == 3 and bool((pixels == pixels[..., :1]).all())
    return pixels[..., 0] if grey else pixels


@_refused()
def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture in pixels; raises as `decode_file` does."""
    if found := size_of(path):
        return found
    with Image.open(path) as picture:
        return picture.size


def _bands(path: Path, config: DataConfig) -> NDArray[np.generic] | None:
    """`[H, W, C]` of a file of bands, else None.

    Raises:
        DataError: it cannot be read, or `config.channels` cannot be made of it.
    """
    try:
        bands = read_bands(path, config.bands)
    except DataError:
        raise
    except Exception:
        if config.bands is None:
            return None  # damaged: Pillow says what of, or reads it all the same
        raise
    count = 0 if bands is None else bands.shape[-1]
    made = {"auto": (count,), "grey": (0, 1), "colour": (0, 3)}
    if count not in made[config.channels]:
        raise DataError(
            f"holds {count} bands, of which channels: {config.channels} cannot be made; name the "
            "bands that you want with data.bands"
        )
    return bands


def _decode_bands(
    bands: NDArray[np.generic], config: DataConfig, windows: Sequence[Window]
) -> Decoded:
    """Each band as a grey picture of its own."""
    if bands.shape[0] * bands.shape[1] > MAX_PIXELS:
        raise DataError(f"more than {MAX_PIXELS / 1e6:.0f} million pixels; cut or reduce it first")
    shown, values, shown_by = _shown_bands(bands, windows)
    pictures = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(shown, -1, 0)]
    grey = Image.fromarray(shown.mean(axis=-1, dtype=np.float32))
    return Decoded(
        pixels=np.concatenate([fit_squares(picture, config) for picture in pictures], axis=-1),
        look=np.asarray(grey.resize((LOOK, LOOK), Image.Resampling.BOX)),
        values=values,
        windows=shown_by,
    )


def _shown_bands(
    bands: NDArray[np.generic], windows: Sequence[Window]
) -> tuple[NDArray[np.uint8], tuple[Values, ...], tuple[Window, ...]]:
    """`[H, W, C]` in 8 bits, each band by a window of its own, with the values behind it."""
    if bands.dtype == np.uint8:
        return np.asarray(bands), (), ()
    layers = np.moveaxis(bands, -1, 0)
    values = tuple(replace(_values(band), band=n) for n, band in enumerate(layers, 1))
    shown_by = tuple(windows) or tuple(find_window([one]) for one in values)
    shown = [one.shown(band) for band, one in zip(layers, shown_by, strict=True)]
    return np.stack(shown, axis=-1), values, shown_by


def _opened(path: Path, use: Callable[[Image.Image, Source], Result]) -> Result:
    """What `use` makes of the opened file, without its metadata if these are in the way."""
    try:
        with Image.open(path) as image:
            return use(image, path)
    except (DataError, Image.DecompressionBombError):
        raise
    except Exception:  # see `_refused`
        whole = path.stat().st_size <= MAX_BYTES
        pixels = without_metadata(path.read_bytes()) if whole else None
        if pixels is None:
            raise
        with Image.open(io.BytesIO(pixels)) as image:
            return use(image, io.BytesIO(pixels))


@dataclass(frozen=True)
class _Raw:
    """A picture as its file holds it.

    Attributes:
        image: what Pillow makes of it.
        deep: its values if they have more than 8 bits a channel, `[H, W]` or `[H, W, 3]`.
        alpha: beside `deep`, `[H, W]` in [0, 1]; None if all is opaque.
        turn: what puts it upright.
    """

    image: Image.Image
    turn: Image.Transpose | None
    deep: NDArray[np.generic] | None = None
    alpha: NDArray[np.float64] | None = None

    def shown(self, window: Window | None) -> tuple[Image.Image, bool]:
        """In mode L or RGB, not turned, and whether anything was transparent."""
        if self.deep is None or window is None:
            return _flatten(self.image)
        pixels = window.shown(self.deep)
        if self.alpha is None:
            return Image.fromarray(pixels), False
        alpha = self.alpha.reshape(*self.alpha.shape, *(1,) * (pixels.ndim - 2))
        on_white = alpha * pixels + (1 - alpha) * 255
        return Image.fromarray(on_white.round().astype(np.uint8)), True


def _read(image: Image.Image, source: Source) -> _Raw:
    """What the opened picture holds."""
    layers = read_sixteen_bits(image, source)
    turn = TURNS.get(_orientation(image))
    if layers is not None:
        return _Raw(image, turn, *layers)
    return _Raw(image, turn, np.asarray(image) if image.mode in DEEP_MODES else None)


def _room_for(image: Image.Image, source: Source) -> contextlib.AbstractContextManager[None]:
    """For an opened picture that nothing was read of yet, at the size at which it will be read."""
    if image.format == "PNG" and image.width * image.height >= LARGE:
        with Image.open(source) as whole:
            whole.verify()  # one that is cut off would take gigabytes before that is found
    return room_for(*image.size, deep_channels(image) or int(image.mode in DEEP_MODES))


def _turned(numbers: NDArray[Number], turn: Image.Transpose | None) -> NDArray[Number]:
    """`[H, W]` or `[H, W, C]`, turned as Pillow turns pictures."""
    if turn is None:
        return numbers
    height, width = numbers.shape[:2]
    places = np.arange(height * width, dtype=np.int32).reshape(height, width)
    order = np.asarray(Image.fromarray(places).transpose(turn))
    turned: NDArray[Number] = numbers.reshape(height * width, *numbers.shape[2:])[order]
    return turned


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # the tags are damaged; the pixels need not be
        return 1


def _has_pages(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # what follows the first page is damaged
        return True


def _values(deep: NDArray[np.generic]) -> Values:
    values = Values.of(deep)
    if values is None:
        raise DataError("holds no finite value")
    return values


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
