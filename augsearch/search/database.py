"""Optuna's database that holds the studies: opened, found, and locked for one process at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import optuna
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from augsearch.errors import StudyError

DEFAULT_STORAGE = "sqlite:///augsearch.db"


def open_storage(url: str) -> optuna.storages.RDBStorage:
    """The database at `url`.

    Raises:
        StudyError: it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return _made_once(url)
    except (SQLAlchemyError, ImportError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"--storage {url}: cannot be opened ({reason})") from None


def _made_once(url: str) -> optuna.storages.RDBStorage:
    """Two processes that start together both find a new database empty; one makes its tables."""
    for _ in range(20):
        try:
            return optuna.storages.RDBStorage(url)
        except (OperationalError, IntegrityError) as error:
            if not any(sign in str(error) for sign in ("already exists", "UNIQUE constraint")):
                raise
            time.sleep(0.25)
    return optuna.storages.RDBStorage(url)


def find_storage(url: str) -> optuna.storages.RDBStorage | None:
    """The database at `url`, or None if it is an SQLite file that no study has made yet.

    Raises:
        StudyError: it cannot be opened, or could not be made.
    """
    file = _sqlite_file(url)
    if file is None or file.exists():
        return open_storage(url)
    if not file.parent.is_dir():
        raise StudyError(f"--storage {url}: there is no directory {file.parent} for it")
    return None


@contextmanager
def owner_lock(storage_url: str, name: str) -> Iterator[None]:
    """Hold the study while this process drives it; the system frees it if the process dies.

    Raises:
        StudyError: another live process holds it.
    """
    database = _sqlite_file(storage_url)
    if database is None:
        yield
        return
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    lock = filelock.FileLock(database.with_name(f".{database.name}.{safe}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise StudyError(
            f"the study {name!r} is being run by another process; wait for it, stop it, or "
            "choose another --name"
        ) from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def is_running(storage_url: str, name: str) -> bool:
    """Whether another process holds the study; not known, and so False, beside a shared server."""
    try:
        with owner_lock(storage_url, name):
            return False
    except StudyError:
        return True


def _sqlite_file(url: str) -> Path | None:
    """The file behind an SQLite URL; None for other databases."""
    if not url.startswith("sqlite:///"):
        return None
    return Path(url.removeprefix("sqlite:///").partition("?")[0])
