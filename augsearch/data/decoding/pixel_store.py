"""The pixel store: decoded images on disk, one folder an entry, read back as a memory map.

An entry appears by one rename, so readers never see half of it, and of two writers the first
wins. An entry that is damaged is thrown away.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIXELS_FILE = "pixels.npy"
FACTS_FILE = "facts.json"


@dataclass(frozen=True)
class DecodedFiles:
    """What decoding a sequence of files gave, without their names.

    Attributes:
        images: `[N, C, H, W]` uint8, in the order of the files.
        counts: images that each file gave: 0 if unreadable, more than 1 if tiled.
        reasons: why a file is unreadable, by its index.
        notes: sentences for the user about the pixels.
        pages: files of several pages or frames, by index.
        windows: `(kind, black, white)` of the files of more than 8 bits.
        same: for each file the first one of the same pixels.
        near: for each file the first one that it is linked with by near twins.
    """

    images: NDArray[np.uint8]
    counts: tuple[int, ...]
    reasons: dict[int, str]
    notes: tuple[str, ...]
    pages: tuple[int, ...]
    windows: tuple[tuple[str, float, float], ...]
    same: tuple[int, ...]
    near: tuple[int, ...]


def read_entry(folder: Path) -> DecodedFiles | None:
    """The entry at `folder`, its images a read-only memory map; None if absent or damaged."""
    if not folder.is_dir():
        return None
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        images = np.lib.format.open_memmap(folder / PIXELS_FILE, mode="r")  # no pickles
        decoded = DecodedFiles(
            images,
            tuple(facts["counts"]),
            {int(index): reason for index, reason in facts["reasons"].items()},
            tuple(facts["notes"]),
            tuple(facts["pages"]),
            tuple((kind, black, white) for kind, black, white in facts["windows"]),
            tuple(facts["same"]),
            tuple(facts["near"]),
        )
        sums = facts.pop("crc32"), facts.pop("crc32_of_facts")
        if images.dtype == np.uint8 and sums == (zlib.crc32(images.data), _checksum(facts)):
            mark_used(folder)
            return decoded
    except Exception:  # numpy raises nearly anything on damaged files
        pass
    shutil.rmtree(folder, ignore_errors=True)
    return None


def write_entry(folder: Path, decoded: DecodedFiles) -> None:
    """Store an entry at `folder`; does nothing if one is there already.

    Raises:
        OSError: the place cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as temporary:
        entry = Path(temporary) / "entry"
        entry.mkdir()
        np.save(entry / PIXELS_FILE, decoded.images)
        facts = {
            "counts": decoded.counts,
            "reasons": decoded.reasons,
            "notes": decoded.notes,
            "pages": decoded.pages,
            "windows": decoded.windows,
            "same": decoded.same,
            "near": decoded.near,
        }
        sums = {"crc32": zlib.crc32(decoded.images.data), "crc32_of_facts": _checksum(facts)}
        (entry / FACTS_FILE).write_text(json.dumps(facts | sums), encoding="utf-8")
        try:
            entry.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def mark_used(path: Path) -> None:
    """Note that a file or folder of the cache is in use; its time says when it was last."""
    with suppress(OSError):  # another user's cache
        os.utime(path)


def _checksum(facts: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(facts, sort_keys=True).encode())
