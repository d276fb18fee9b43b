"""Large pictures share the memory that is free: a few are read at a time, and one that is too large
for all of it is refused. A few kilobytes can hold a picture of gigabytes.

The bytes a pixel were measured with pictures of 36 million pixels, `data.fit` crop and tile.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from augsearch.errors import DataError

LARGE = 2**22
"""Pixels of 8 bits; what takes less than so many is not counted."""
SHARE = 0.5
"""Of the free memory, for reading large pictures."""
BYTES, BYTES_DEEP = 20, 16
"""A pixel of up to four channels of 8 bits; each channel of more."""

_waiting = threading.Condition()
_held = 0


@contextmanager
def room_for(width: int, height: int, deep_channels: int = 0) -> Iterator[None]:
    """Wait until a picture can be read beside those that are being read.

    Args:
        deep_channels: of more than 8 bits; 0 for a picture of 8 bits.

    Raises:
        DataError: it is too large for the memory that is free.
    """
    pixels = width * height
    need = pixels * (deep_channels * BYTES_DEEP or BYTES)
    if need < LARGE * BYTES:
        yield
        return
    global _held  # noqa: PLW0603 of all threads
    with _waiting:
        while True:
            free = SHARE * (psutil.virtual_memory().available + _held)
            if _held == 0 and need > free:
                raise DataError(
                    f"its {width} × {height} pixels take {need / 1e9:.1f} GB to read, and "
                    f"{free / 1e9:.1f} GB may be used; cut or reduce it first"
                )
            if _held + need <= free:
                break
            _waiting.wait()
        _held += need
    try:
        yield
    finally:
        with _waiting:
            _held -= need
            _waiting.notify_all()
