"""Many files become one array: in threads, with one window and one number of channels for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import (
    LOOK,
    Decoded,
    decode_file,
    large_files_allowed,
    read_exactly,
)
from augsearch.data.decoding.pixel_store import DecodedFiles
from augsearch.data.decoding.spool import Place, Spool
from augsearch.data.decoding.twins import near_twins, same_pixels
from augsearch.data.decoding.window import Values, Window, find_window
from augsearch.data.in_order import in_order
from augsearch.errors import DataError
from augsearch.words import listed

Shared = tuple[str, int]
"""Kind of numbers and band, which share a window."""
FEW_COLOURED = 0.02  # a share of colour pictures this small is worth a remark


@dataclass(frozen=True)
class _Kept:
    """A decoded file (see `Decoded`) whose pixels are in the spool, its look with the others."""

    place: Place
    values: tuple[Values, ...]
    windows: tuple[Window, ...]
    transparent: bool
    pages: bool

    @property
    def count(self) -> int:
        return self.place.shape[0]

    @property
    def channels(self) -> int:
        return self.place.shape[-1]


def decode_files(
    files: Sequence[Path],
    config: DataConfig,
    pool: ThreadPoolExecutor,
    progress: Callable[[int, int], None] | None = None,
    scratch: Path | None = None,
) -> DecodedFiles:
    """Decode all `files`; the unreadable ones are listed in the result, nothing is raised for them.

    `progress(done, total)` is called from this thread after each file. What is too large for
    memory goes to nameless files in the folder `scratch`, and the images are then a memory map;
    without it all stays in memory.

    Raises:
        OSError: no room in `scratch`.
    """
    with Spool(scratch) as spool:
        with large_files_allowed():
            results: list[_Kept | str] = []
            looks = np.zeros((len(files), LOOK, LOOK), dtype=np.float32)
            for result in in_order(pool, lambda file: _decode(file, config), files):
                if isinstance(result, Decoded):
                    looks[len(results)] = result.look
                results.append(_keep(result, spool))
                if progress is not None:
                    progress(len(results), len(files))
            windows = _windows(results, config)
            _show_through(windows, results, files, config, pool, spool)
            near, same = _twins(results, looks, files, pool)
        readable = [kept for kept in results if isinstance(kept, _Kept)]
        return DecodedFiles(
            images=_assemble(readable, spool, config.side),
            counts=tuple(kept.count if isinstance(kept, _Kept) else 0 for kept in results),
            reasons={index: kept for index, kept in enumerate(results) if isinstance(kept, str)},
            notes=_notes(readable, windows, config),
            pages=tuple(
                index
                for index, kept in enumerate(results)
                if isinstance(kept, _Kept) and kept.pages
            ),
            windows=tuple(
                (f"{kind} {band}" if band else kind, one.black, one.white)
                for (kind, band), one in windows.items()
            ),
            same=tuple(same.tolist()),
            near=tuple(near.tolist()),
        )


def _decode(file: Path, config: DataConfig, windows: Sequence[Window] = ()) -> Decoded | str:
    """What is in the file, or why it cannot be read."""
    try:
        return decode_file(file, config, windows)
    except DataError as error:
        return str(error)


def _keep(decoded: Decoded | str, spool: Spool) -> _Kept | str:
    if isinstance(decoded, str):
        return decoded
    return _Kept(
        place=spool.keep(decoded.pixels),
        values=decoded.values,
        windows=decoded.windows,
        transparent=decoded.transparent,
        pages=decoded.pages,
    )


def _show_through(
    windows: Mapping[Shared, Window],
    results: list[_Kept | str],
    files: Sequence[Path],
    config: DataConfig,
    pool: ThreadPoolExecutor,
    spool: Spool,
) -> None:
    """Decode again what was decoded with another window than that of its kind."""
    again = {
        index: wanted
        for index, kept in enumerate(results)
        if isinstance(kept, _Kept)
        and kept.windows != (wanted := tuple(windows[one.shared_by] for one in kept.values))
    }
    decoded = in_order(pool, lambda index: _decode(files[index], config, again[index]), list(again))
    for index, result in zip(again, decoded, strict=True):
        results[index] = _keep(result, spool)


def _twins(
    results: Sequence[_Kept | str],
    looks: NDArray[np.float32],
    files: Sequence[Path],
    pool: ThreadPoolExecutor,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each file the first one that looks like it, and the first one with the same pixels."""

    def read(index: int) -> NDArray[np.generic] | None:
        try:
            return read_exactly(files[index])
        except DataError:
            return None

    found = np.flatnonzero([isinstance(kept, _Kept) for kept in results])
    near, same = np.arange(len(files)), np.arange(len(files))
    if len(found):
        near[found] = found[near_twins(looks[found])]
        same = same_pixels(near, read, lambda digest, asked: in_order(pool, digest, asked))
    return near, same


def _windows(results: Sequence[_Kept | str], config: DataConfig) -> dict[Shared, Window]:
    """One window for all integer files and one for all float files; of each band if there are."""
    found: dict[Shared, list[Values]] = {}
    for result in results:
        for values in result.values if isinstance(result, _Kept) else ():
            found.setdefault(values.shared_by, []).append(values)
    given = None if config.window == "auto" else config.window
    return {shared: find_window(found[shared], given) for shared in sorted(found)}


def _assemble(readable: Sequence[_Kept], spool: Spool, size: int) -> NDArray[np.uint8]:
    """`[N, C, size, size]`, colour if any picture has it.

    Raises:
        DataError: files of bands beside others.
    """
    numbers = sorted({kept.channels for kept in readable}) or [1]
    channels = numbers[-1]
    if len(numbers) > 1 and numbers != [1, 3]:
        raise DataError(
            f"files hold different numbers of bands: {listed([str(n) for n in numbers])}; "
            "data.bands takes the same ones from all"
        )
    images = spool.room((sum(kept.count for kept in readable), channels, size, size))
    start = 0
    for kept in readable:
        images[start : start + kept.count] = spool.read(kept.place).transpose(0, 3, 1, 2)
        start += kept.count
    return images


def _notes(
    readable: Sequence[_Kept], windows: dict[Shared, Window], config: DataConfig
) -> tuple[str, ...]:
    notes = []
    transparent = sum(kept.transparent for kept in readable)
    if transparent:
        notes.append(f"pictures with transparent parts, shown on white: {transparent}")
    coloured = sum(kept.channels == 3 for kept in readable)
    if 0 < coloured <= FEW_COLOURED * len(readable):
        notes.append(
            f"only {coloured} of {len(readable)} pictures have colour: "
            "channels: grey would treat all alike"
        )
    for (kind, band), window in windows.items():
        count = sum((kind, band) in {one.shared_by for one in kept.values} for kept in readable)
        called = f"band {band} of {kind}" if band else kind
        notes.append(_on_window(called, window, count, given=config.window != "auto"))
    if config.window != "auto" and not windows:
        notes.append("data.window changes nothing: no file has more than 8 bits a channel")
    return tuple(notes)


def _on_window(kind: str, window: Window, count: int, *, given: bool) -> str:
    black, white = window.black, window.white
    parts = [
        f"{kind} files of more than 8 bits ({count}): {black:g} is shown as black, {white:g} as "
        "white"
    ]
    if given:
        parts[0] += ", as data.window says"
    outside = [value for value in window.no_data if not black <= value <= white]
    if outside:
        values = " and ".join(f"{value:g}" for value in outside)
        parts.append(f"{values} lies far from all other values and is taken for no data")
    if window.clipped:
        parts.append(
            f"{window.clipped} files hold values outside ({window.lowest:g} to "
            f"{window.highest:g}), which are clipped"
        )
    if (outside or window.clipped) and not given:
        parts.append("data.window: [black, white] in the study file sets other limits")
    return "; ".join(parts)
