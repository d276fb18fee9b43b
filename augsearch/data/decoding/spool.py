"""Pixels on their way from files to one array: in memory while they are few, then on disk."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

MEMORY_BYTES = 2**28  # 256 MB; more goes to disk


@dataclass(frozen=True)
class Place:
    """Where a block of pixels is kept; `shape` is `[K, H, W, C]`."""

    start: int
    shape: tuple[int, ...]


class Spool:
    """Keeps blocks of pixels for one writer who reads them back later.

    Args:
        folder: where files without a name hold what is too much for memory; None: all in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        # A limit of 0 means none.
        limit, where = (0, None) if folder is None else (MEMORY_BYTES, str(folder))
        self._file = tempfile.SpooledTemporaryFile(limit, dir=where)  # noqa: SIM115

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def keep(self, pixels: NDArray[np.uint8]) -> Place:
        """Append a block.

        Raises:
            OSError: the disk is full.
        """
        start = self._file.seek(0, 2)
        self._file.write(pixels.tobytes())
        return Place(start, pixels.shape)

    def read(self, place: Place) -> NDArray[np.uint8]:
        """A block that was kept."""
        self._file.seek(place.start)
        content = self._file.read(int(np.prod(place.shape)))
        return np.frombuffer(content, dtype=np.uint8).reshape(place.shape)

    def room(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """An array to be filled; a large one is a memory map that vanishes with its last user.

        Raises:
            OSError: the disk has too little space.
        """
        size = int(np.prod(shape))
        if self._folder is None or size <= MEMORY_BYTES:
            return np.empty(shape, dtype=np.uint8)
        with tempfile.TemporaryFile(dir=self._folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would be a crash later on
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
