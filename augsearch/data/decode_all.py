"""Many files become one array: in threads, with one depth and one number of channels for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augsearch.data.config import DataConfig
from augsearch.data.decode import Decoded, Depth, decode_file, large_files_allowed
from augsearch.data.store import DecodedFiles
from augsearch.errors import DataError

FEW_COLOURED = 0.02  # a share of colour pictures this small is worth a remark


def decode_files(
    files: Sequence[Path],
    config: DataConfig,
    pool: ThreadPoolExecutor,
    progress: Callable[[int, int], None] | None = None,
) -> DecodedFiles:
    """Decode all `files`; the unreadable ones are listed in the result, nothing is raised for them.

    `progress(done, total)` is called from this thread after each file.
    """

    def decode(file: Path, depth: Depth | None = None) -> Decoded | str:
        try:
            return decode_file(file, config, depth)
        except DataError as error:
            return str(error)

    results: list[Decoded | str] = []
    with large_files_allowed():
        for result in pool.map(decode, files):
            results.append(result)
            if progress is not None:
                progress(len(results), len(files))
        depths = _joint_depths(results)
        for index, result in enumerate(results):
            if isinstance(result, Decoded) and result.depth is not None:
                joint = depths[result.depth.kind]
                if joint.window != result.depth.window:
                    results[index] = decode(files[index], joint)

    readable = [result for result in results if isinstance(result, Decoded)]
    notes = _notes(readable, depths)
    counts = tuple(len(r.pixels) if isinstance(r, Decoded) else 0 for r in results)
    reasons = {index: r for index, r in enumerate(results) if isinstance(r, str)}
    results.clear()  # so that `_assemble` can free what it has copied
    return DecodedFiles(_assemble(readable, config.image_size), counts, reasons, notes)


def _joint_depths(results: Sequence[Decoded | str]) -> dict[str, Depth]:
    """One depth for all integer files and one for all float files."""
    found = [r.depth for r in results if isinstance(r, Decoded) and r.depth is not None]
    kinds = {depth.kind for depth in found}
    return {
        kind: reduce(Depth.join, (depth for depth in found if depth.kind == kind))
        for kind in sorted(kinds)
    }


def _assemble(readable: list[Decoded], size: int) -> NDArray[np.uint8]:
    """`[N, C, size, size]`, colour if any picture has it; empties `readable` on the way."""
    total = sum(len(decoded.pixels) for decoded in readable)
    channels = max((decoded.pixels.shape[-1] for decoded in readable), default=1)
    images = np.empty((total, channels, size, size), dtype=np.uint8)
    readable.reverse()
    start = 0
    while readable:
        pixels = readable.pop().pixels
        images[start : start + len(pixels)] = pixels.transpose(0, 3, 1, 2)
        start += len(pixels)
    return images


def _notes(readable: Sequence[Decoded], depths: dict[str, Depth]) -> tuple[str, ...]:
    notes = []
    transparent = sum(decoded.transparent for decoded in readable)
    if transparent:
        notes.append(f"pictures with transparent parts, shown on white: {transparent}")
    coloured = sum(decoded.pixels.shape[-1] == 3 for decoded in readable)
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
