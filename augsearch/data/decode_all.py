"""Many files become one array: in threads, with one depth and one number of channels for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augsearch.data.config import DataConfig
from augsearch.data.decode import Decoded, Depth, decode_file, large_files_allowed
from augsearch.data.spool import Place, Spool
from augsearch.data.store import DecodedFiles
from augsearch.errors import DataError

FEW_COLOURED = 0.02  # a share of colour pictures this small is worth a remark


@dataclass(frozen=True)
class _Kept:
    """A decoded file (see `Decoded`) whose pixels are in the spool."""

    place: Place
    depth: Depth | None
    transparent: bool

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

    def decode(file: Path, depth: Depth | None = None) -> Decoded | str:
        try:
            return decode_file(file, config, depth)
        except DataError as error:
            return str(error)

    def keep(decoded: Decoded | str) -> _Kept | str:
        if isinstance(decoded, str):
            return decoded
        return _Kept(spool.keep(decoded.pixels), decoded.depth, decoded.transparent)

    results: list[_Kept | str] = []
    with Spool(scratch) as spool:
        with large_files_allowed():
            for result in pool.map(decode, files):
                results.append(keep(result))
                if progress is not None:
                    progress(len(results), len(files))
            depths = _joint_depths(results)
            for index, kept in enumerate(results):
                if isinstance(kept, _Kept) and kept.depth is not None:
                    joint = depths[kept.depth.kind]
                    if joint.window != kept.depth.window:
                        results[index] = keep(decode(files[index], joint))

        readable = [kept for kept in results if isinstance(kept, _Kept)]
        return DecodedFiles(
            images=_assemble(readable, spool, config.image_size),
            counts=tuple(kept.count if isinstance(kept, _Kept) else 0 for kept in results),
            reasons={index: kept for index, kept in enumerate(results) if isinstance(kept, str)},
            notes=_notes(readable, depths),
        )


def _joint_depths(results: Sequence[_Kept | str]) -> dict[str, Depth]:
    """One depth for all integer files and one for all float files."""
    found = [r.depth for r in results if isinstance(r, _Kept) and r.depth is not None]
    kinds = {depth.kind for depth in found}
    return {
        kind: reduce(Depth.join, (depth for depth in found if depth.kind == kind))
        for kind in sorted(kinds)
    }


def _assemble(readable: Sequence[_Kept], spool: Spool, size: int) -> NDArray[np.uint8]:
    """`[N, C, size, size]`, colour if any picture has it."""
    channels = max((kept.channels for kept in readable), default=1)
    images = spool.room((sum(kept.count for kept in readable), channels, size, size))
    start = 0
    for kept in readable:
        images[start : start + kept.count] = spool.read(kept.place).transpose(0, 3, 1, 2)
        start += kept.count
    return images


def _notes(readable: Sequence[_Kept], depths: dict[str, Depth]) -> tuple[str, ...]:
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
    for kind, depth in depths.items():
        black, white = depth.window
        notes.append(
            f"{kind} files of more than 8 bits: {black:g} is shown as black, {white:g} as white"
        )
    return tuple(notes)
