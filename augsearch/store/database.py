"""Optuna's database that holds the studies: opened, found, and locked for one process at a time."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

import filelock
import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage
from sqlalchemy import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from augsearch.errors import StudyError, without_passwords
from augsearch.store.server import PatientStorage, ServerLock, is_held

__all__ = [
    "DEFAULT_STORAGE", "BaseStorage", "check_reachable", "find_storage", "is_running",
    "on_server", "open_storage", "owner_lock", "storage_flag", "told_when_unwritable",
]  # fmt: skip
"""Optuna's own type among them: other rooms know it from here."""
DEFAULT_STORAGE = "sqlite:///augsearch.db"
REMEDIES = {
    "locked": "close the program that holds the database",
    "readonly": "make the file and its directory writable",
    "onnection": "see that the server is there",
    "terminating": "see that the server is there",
}
"""By a sign in what a database said."""


FOR_A_MOMENT = (
    "already exists", "UNIQUE constraint", "unique constraint", "too many clients",
    "connection slots",
)  # fmt: skip
"""Signs in what a database said that another process is only faster."""
TRIES, PAUSE = 80, 0.25
"""To open it, and seconds between two."""
_opened: WeakValueDictionary[tuple[int, str], optuna.storages.RDBStorage] = WeakValueDictionary()
"""On servers, where each has connections of its own: one a process."""


def open_storage(url: str) -> optuna.storages.RDBStorage:
    """The database at `url`.

    Raises:
        StudyError: it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # What goes wrong with a connection is raised as well; a Ctrl-C in a query is all that is said
    # here beside, with a traceback.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    parts = _checked_url(url)
    try:
        if not _on_server(parts):
            return _made_once(url)
        key = os.getpid(), url  # a fork must not use its parent's connections
        if (opened := _opened.get(key)) is None:
            _opened[key] = opened = _made_once(url)
        return opened
    except (SQLAlchemyError, ImportError, RuntimeError, ValueError) as error:
        raise _not_opened(parts, error) from None


def _made_once(url: str) -> optuna.storages.RDBStorage:
    """Two processes that start together both find a new database empty; one makes its tables. When
    many start together, a server may have no connection left for a moment."""
    kind = PatientStorage if _on_server(make_url(url)) else optuna.storages.RDBStorage
    for _ in range(TRIES):
        try:
            return kind(url)
        except (OperationalError, IntegrityError, ProgrammingError) as error:
            if not any(sign in str(error) for sign in FOR_A_MOMENT):
                raise
            time.sleep(PAUSE)
    return kind(url)


def find_storage(url: str) -> optuna.storages.RDBStorage | None:
    """The database at `url`, or None if it is an SQLite file that no study has made yet.

    Raises:
        StudyError: it cannot be opened, or could not be made.
    """
    parts = _checked_url(url)
    file = _sqlite_file(parts)
    if _on_server(parts) or file.exists():
        return open_storage(url)
    if not file.parent.is_dir():
        raise StudyError(f"--storage {url}: there is no directory {file.parent} for it")
    return None


class _Taken(StudyError):
    """Another process holds the study."""


@contextmanager
def owner_lock(storage_url: str, name: str) -> Iterator[Callable[[], bool]]:
    """Hold the study while this process drives it; the system frees it if the process dies. Gives
    a function that says whether it is still held: a server that restarts frees it too.

    Beside an SQLite file that is a locked file, which every process of this machine sees. On
    PostgreSQL it is an advisory lock of a connection of its own, which every machine sees.

    Raises:
        StudyError: another live process holds it, or the database cannot be reached.
    """
    url = _checked_url(storage_url)
    taken = _Taken(
        f"the study {name!r} is being run by another process; wait for it, stop it, or "
        "choose another --name"
    )
    lock = _held_server(url, name, taken) if _on_server(url) else _held_file(url, name, taken)
    with lock as still_held:
        yield still_held


@contextmanager
def _held_file(url: URL, name: str, taken: StudyError) -> Iterator[Callable[[], bool]]:
    database = _sqlite_file(url).resolve()
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    # The file stays: if it were removed, two processes could hold one each.
    lock = filelock.FileLock(database.with_name(f".{database.name}.{safe}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise taken from None
    except OSError as error:
        raise StudyError(
            f"--storage {url}: {lock.lock_file} cannot be written ({error.strerror}), which keeps "
            "the study to one process; make its directory writable, or keep the database elsewhere"
        ) from None
    try:
        yield lambda: True
    finally:
        lock.release()


@contextmanager
def _held_server(url: URL, name: str, taken: StudyError) -> Iterator[Callable[[], bool]]:
    try:
        lock = ServerLock(url, name)
    except SQLAlchemyError as error:
        raise _not_opened(url, error) from None
    with lock:
        if not lock.held:
            raise taken
        yield lambda: not lock.lost


@contextmanager
def told_when_unwritable(storage_url: str, kept: str) -> Iterator[None]:
    """Turn a failure to write, such as a full disk, into one line.

    Args:
        kept: what is kept all the same, in words.

    Raises:
        StudyError: instead of Optuna's own error.
    """
    try:
        yield
    except StorageInternalError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        remedy = next((said for sign, said in REMEDIES.items() if sign in reason), "make room")
        raise StudyError(
            f"--storage {storage_url}: writing failed ({reason}); {kept} are kept: {remedy} and "
            "run the same command again"
        ) from None


def is_running(storage_url: str, name: str) -> bool:
    """Whether another process holds the study. Looking takes nothing from whoever wants it."""
    url = _checked_url(storage_url)
    if _on_server(url):
        try:
            return is_held(url, name)
        except SQLAlchemyError as error:
            raise _not_opened(url, error) from None
    try:
        with owner_lock(storage_url, name):
            return False
    except _Taken:
        return True


def check_reachable(storage_url: str) -> None:
    """Check that processes of several machines may write to a database.

    Raises:
        StudyError: it is a file.
    """
    if not on_server(storage_url):
        raise StudyError(
            f"--storage {storage_url}: workers need a database on a server; name one, like "
            "postgresql+psycopg://USER@HOST/DATABASE"
        )


def on_server(storage_url: str) -> bool:
    """Whether others may keep studies there as well."""
    return _on_server(_checked_url(storage_url))


def storage_flag(storage: str) -> str | None:
    """What `--storage` has to say in a command; None where it says what goes without saying."""
    return None if storage == DEFAULT_STORAGE else without_passwords(storage)


def _checked_url(url: str) -> URL:
    """The parts of a URL at which a study can be held for one process.

    Raises:
        StudyError: it is none, or of a database where that cannot be done.
    """
    try:
        parts = make_url(url)
    except ArgumentError:
        raise StudyError(
            f"--storage {url}: is no URL of a database; write sqlite:///FILE or "
            "postgresql://USER@HOST/DATABASE"
        ) from None
    kind = parts.get_backend_name()
    if kind == "sqlite" and parts.database in (None, "", ":memory:"):
        raise StudyError(
            f"--storage {url}: a database in memory would be lost; name a file, like "
            "sqlite:///augsearch.db"
        )
    if kind == "sqlite" and str(parts.database).startswith("file:"):
        raise StudyError(f"--storage {url}: name the file itself, like sqlite:///augsearch.db")
    if kind not in ("sqlite", "postgresql"):
        raise StudyError(
            f"--storage {url}: a study in {kind} could not be kept to one process at a "
            "time; use SQLite (sqlite:///FILE) or PostgreSQL (postgresql://USER@HOST/DATABASE)"
        )
    return parts


def _on_server(url: URL) -> bool:
    return url.get_backend_name() == "postgresql"


def _sqlite_file(url: URL) -> Path:
    return Path(str(url.database))


def _not_opened(url: URL, error: Exception) -> StudyError:
    reason = str(error).splitlines()[0]
    remedy = ""
    if isinstance(error.__cause__ or error, ImportError):
        remedy = "; install its driver with: pip install 'augsearch[postgresql]'"
    return StudyError(f"--storage {url}: cannot be opened ({reason}){remedy}")
