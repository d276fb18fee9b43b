"""Names of files, classes and groups: made printable, and compared as people read them."""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable


def printable(name: str) -> str:
    r"""The name with `\\x..` or `\\u....` for what no text file can hold or no line should: bytes
    that are not UTF-8, line breaks and other control characters."""
    return "".join(_escaped(sign) for sign in name)


def _escaped(sign: str) -> str:
    if 0xDC80 <= ord(sign) <= 0xDCFF:  # how Python reads a byte that is not UTF-8
        return f"\\x{ord(sign) - 0xDC00:02x}"
    if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp"):
        return sign.encode("unicode_escape").decode("ascii")
    return sign


def confusable(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names that differ, but hardly to a reader: by case, spaces, the Unicode form of a letter, or
    as numbers (`1` and `1.0`)."""
    alike: defaultdict[str | float, set[str]] = defaultdict(set)
    for name in names:
        alike[_as_read(name)].add(name)
    return sorted(tuple(sorted(same)) for same in alike.values() if len(same) > 1)


def _as_read(name: str) -> str | float:
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    try:
        number = float(plain)
    except ValueError:
        return plain
    # "nan" is a name, and Python's underscores in numbers are nobody's else.
    return plain if "_" in plain or math.isnan(number) else number


def shown(name: str) -> str:
    """In quotation marks, and with escapes where the way it is written would not be seen."""
    return f"'{name}'" if name.isascii() or unicodedata.is_normalized("NFC", name) else ascii(name)
