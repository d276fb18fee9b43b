"""The console, and times in words."""

from __future__ import annotations

import re
from typing import IO, Any

from rich.console import Console

from augsearch.progress import duration

__all__ = ["NARROWEST", "duration", "terminal"]

NARROWEST = 100
"""Columns of a log file, where nobody can widen a window to read a table."""


def terminal() -> Console:
    """Where everything is printed."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.soft_wrap = True  # whoever reads a file wraps it
        console.width = max(console.width, NARROWEST)
        console.file = _Unpadded(console.file)  # type: ignore[assignment]  # all that rich asks of it
    return console


class _Unpadded:
    """A file whose lines lose the spaces with which tables fill them."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(re.sub(r" +(?=\n)", "", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
