"""Command lines that people can paste."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from itertools import chain


def command_line(verb: str, flags: Mapping[str, object]) -> str:
    """`augsearch VERB` with these flags, quoted for a shell; flags that are None are left out."""
    given = [(flag, str(value)) for flag, value in flags.items() if value is not None]
    return shlex.join(["augsearch", verb, *chain.from_iterable(given)])


def handed_over(objects: Mapping[str, bool]) -> str:
    """Why a command alone cannot repeat what was begun in Python; empty if it can.

    Args:
        objects: what may be an object -> whether it was one, and no file.
    """
    named = [what for what, is_object in objects.items() if is_object]
    if not named:
        return ""
    return (
        f"begun in Python with objects ({', '.join(named)}), which no command can name: make the "
        "same call again"
    )
