"""The console, and times in words."""

from __future__ import annotations

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
    return console
