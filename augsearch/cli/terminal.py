"""The console, and times in words."""

from __future__ import annotations

from rich.console import Console

NARROWEST = 100
"""Columns of a log file, where nobody can widen a window to read a table."""


def terminal() -> Console:
    """Where everything is printed."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST)
    return console


def duration(seconds: float) -> str:
    """`seconds` as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
