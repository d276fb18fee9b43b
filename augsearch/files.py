"""Files that belong together, written so that a killed process leaves no mixture."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import filelock
import psutil
from pydantic import BaseModel, ConfigDict, PrivateAttr

from augsearch.errors import OutputError, StudyError
from augsearch.notebook import Card, Carded

if TYPE_CHECKING:
    import pandas as pd

LAST = "result.json"
"""It is there only while all that was written with it is."""


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files as a set into a directory that is there.

    All are written beside their places before the first old one is touched, so that a full disk
    changes nothing. Then the old ones that differ go, and the new ones take their places. A process
    that is killed leaves old files alone or new files alone, maybe not all of them, and never
    `result.json` without the rest; writing the same again completes the set.

    Raises:
        OutputError: a file cannot be written; the study itself is safe in its storage.
    """
    _clear_away(directory)
    changed = [name for name, content in files.items() if not _holds(directory / name, content)]
    if changed and LAST in files:
        changed = [name for name in (LAST, *changed) if name != LAST] + [LAST]
    waiting = directory / _waiting_name()
    path = directory
    try:
        if changed:
            waiting.mkdir()
        for name in changed:
            path = directory / name
            if path.is_dir():
                raise IsADirectoryError(0, "is a directory")
            (waiting / name).write_bytes(files[name])
        for name in reversed(changed):  # result.json first
            path = directory / name
            path.unlink(missing_ok=True)
        for name in changed:
            path = directory / name
            (waiting / name).replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); nothing is lost: make room, or run the "
            "same command again with another --output"
        ) from None
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


@contextmanager
def held_directory(directory: Path) -> Iterator[None]:
    """Keep other processes out of a directory; the system frees it if this one dies.

    Raises:
        StudyError: another process works there.
        OutputError: there is no room for its lock.
    """
    place = directory.resolve()
    lock = filelock.FileLock(place.parent / f".{place.name}.lock", timeout=0)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise StudyError(
            f"{directory}: another process works there, or no file can be made beside it; wait for "
            "that process, stop it, or give another --output"
        ) from None
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None
    try:
        yield
    finally:
        lock.release()


def json_bytes(content: object) -> bytes:
    """A file of JSON for people and programs."""
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for something to compute, or to run."""


def csv_bytes(table: pd.DataFrame, *, float_format: str | None = None) -> bytes:
    """A table for spreadsheets: text that one would take for a formula has an apostrophe before
    it, as a spreadsheet itself writes it."""
    from pandas.api.types import is_numeric_dtype

    def plain(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value

    safe = table.rename(columns=plain)
    for name in safe.columns[[not is_numeric_dtype(kind) for kind in safe.dtypes]]:
        safe[name] = safe[name].map(plain)
    return safe.to_csv(index=False, float_format=float_format).encode()


def as_written(text: str) -> str:
    """A cell's text without the apostrophe of `csv_bytes`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that one that was there stays if writing fails. OSError if it does."""
    if path.exists() and not path.is_file():  # a device has no place beside it
        path.write_bytes(content)
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class Written(Carded, BaseModel):
    """Something found that lies in files; they are no part of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    _files: dict[str, Path] = PrivateAttr(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        """Where the files are makes no difference."""
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = BaseModel.__hash__

    @property
    def files(self) -> dict[str, Path]:
        """Name -> path of what was written with it; empty if that is not known."""
        return dict(self._files)

    def card(self) -> Card:
        """What a notebook shows."""
        return Card(self._title(), self._lines() + self._where())

    def _title(self) -> str:
        """What it is, in a line."""
        return str(getattr(self, "name", ""))

    def _lines(self) -> tuple[str, ...]:
        """What was found, in sentences."""
        return ()

    def _where(self) -> tuple[str, ...]:
        places = {path.parent for path in self.files.values()}
        return tuple(f"Files: {place}" for place in sorted(places))

    def written(self, directory: Path, names: Iterable[str]) -> Self:
        """The same, with where its files are."""
        found = self.model_copy()
        found._files = {name: directory / name for name in names}
        return found


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _waiting_name(process: int | str = "") -> str:
    return f".augsearch-{socket.gethostname()}-{process or os.getpid()}.part"


def _clear_away(directory: Path) -> None:
    """Remove what processes of this machine that were killed have left."""
    for left in directory.glob(_waiting_name("*")):
        process = left.stem.rpartition("-")[2]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
