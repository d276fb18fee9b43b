"""Short names of studies. The name of a study that nobody named ends in digits of all that decides
it where two would otherwise be called the same; older versions always put them there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

DIGITS = re.compile(r"-[0-9a-f]{6}$")


def made_name(space: str, data: str, digits: str) -> str:
    """What a study is called that nobody named."""
    return f"{_slug(space)}-{_slug(data)}-{digits}"


def is_made(name: str, space: str, data: str) -> bool:
    """Whether a study of that space and data, or an ablation, has a name that nobody gave it."""
    return bool(DIGITS.search(name)) and DIGITS.sub("", name).endswith(
        f"{_slug(space)}-{_slug(data)}"
    )


def full_name(name: str, stored: Iterable[str]) -> str:
    """The stored study that is meant: the one of that very name, else the only one that is called
    so but for its digits; else the name as it is."""
    known = list(stored)
    if name in known:
        return name
    found = [one for one in known if DIGITS.search(one) and DIGITS.sub("", one) == name]
    return found[0] if len(found) == 1 else name


def short_names(made: Iterable[str], stored: Iterable[str]) -> dict[str, str]:
    """Name -> what `full_name` also finds it by, where there is such a name.

    Args:
        made: those of the stored names that augsearch made; others end as somebody wanted.
    """
    known = list(stored)
    short = {name: DIGITS.sub("", name) for name in made}
    alike = Counter(DIGITS.sub("", name) for name in known)
    return {name: one for name, one in short.items() if alike[one] == 1}


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:40] or "study"
