"""Content hashes of files, remembered so that a second run reads no file twice.

A file is trusted to be unchanged if its size, modification and change times are those of the last
run; the change time catches tools that restore the modification time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from augsearch.data.decoding.pixel_store import mark_used
from augsearch.data.in_order import in_order

Stamp = tuple[int, int, int]  # size in bytes, modification and change time in ns


def content_hashes(
    root: Path, paths: Sequence[str], index_dir: Path, pool: ThreadPoolExecutor
) -> tuple[str, ...]:
    """BLAKE2b of every file's bytes, in the order of `paths`; "" for a file that cannot be read.

    The index of `root` in `index_dir` is used and renewed; where it cannot be, files are hashed.
    """
    index_file = index_dir / f"{_hash_text(os.path.realpath(root))}.json"
    index = _read_index(index_file)

    def stamp_and_hash(path: str) -> tuple[Stamp, str]:
        try:
            stat = (root / path).stat()
            stamp = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            known = index.get(path)
            if known is not None and known[0] == stamp:
                return known
            with (root / path).open("rb") as file:
                return stamp, hashlib.file_digest(file, _blake2b).hexdigest()
        except OSError:
            return (0, 0, 0), ""

    entries = dict(zip(paths, in_order(pool, stamp_and_hash, paths), strict=True))
    readable = {path: entry for path, entry in entries.items() if entry[1]}
    if readable != index:
        _write_index(index_file, readable)
    else:
        mark_used(index_file)
    return tuple(entry[1] for entry in entries.values())


def _blake2b() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def _hash_text(text: str) -> str:
    return hashlib.blake2b(os.fsencode(text), digest_size=16).hexdigest()


def _read_index(file: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return {
            path: ((int(size), int(modified), int(changed)), str(digest))
            for path, (size, modified, changed, digest) in stored.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_index(file: Path, entries: dict[str, tuple[Stamp, str]]) -> None:
    rows = {path: [*stamp, digest] for path, (stamp, digest) in entries.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".index-")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(rows, stream)
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError:
        return  # an optimisation only; the pixel store reports an unwritable cache
