"""A database on a server: it may be away for a while, and one process holds a study there."""

from __future__ import annotations

import _thread
import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from inspect import isfunction
from types import TracebackType
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from sqlalchemy import URL, Connection, NullPool, create_engine, func, select, text
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from augsearch.errors import StudyError

PATIENCE = 120.0
"""Seconds that a server may be away."""
IDLE = 5.0
"""Seconds without a call after which connections are given back."""
LOOK = 5.0
"""Seconds between two looks whether a study is still held."""

_waiting = threading.local()


def _patient(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, called again while the server is away. What it writes may be there twice then:
    a trial of which nobody knows is buried with the dead."""

    @wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        if getattr(_waiting, "inside", False):  # within another call that waits
            return method(*arguments, **options)
        begin, again = time.monotonic(), False
        storage: PatientStorage = arguments[0]
        while True:
            _waiting.inside = True
            storage.used()
            try:
                return method(*arguments, **options)
            except UpdateFinishedTrialError:
                if again and method.__name__ == "set_trial_state_values":
                    return True  # the first attempt had come through
                raise
            except (StorageInternalError, OperationalError, InterfaceError) as error:
                cause = error.__cause__ if isinstance(error, StorageInternalError) else error
                away = isinstance(cause, (OperationalError, InterfaceError))
                if not away or time.monotonic() - begin > PATIENCE:
                    raise
            finally:
                storage.used()
                _waiting.inside = False
            again = True
            time.sleep(0.5)

    return call


class PatientStorage(optuna.storages.RDBStorage):
    """Optuna's storage on a server, which waits for one that restarts, and gives its connections
    back when it is not called for a while: a server has room for a hundred, workers may be more.
    """

    def __init__(self, url: str) -> None:
        self._used, self._watched = 0.0, False
        super().__init__(url, engine_kwargs={"pool_pre_ping": True, "pool_size": 1})

    def used(self) -> None:
        """A call begins or ends."""
        self._used = time.monotonic()
        if not self._watched:
            self._watched = True
            threading.Thread(target=self._give_back, daemon=True).start()

    def _give_back(self) -> None:
        while (rest := self._used + IDLE - time.monotonic()) > 0:
            time.sleep(rest)
        self._watched = False
        self.engine.dispose()


# Optuna's cache before it calls methods of its own that begin with an underscore.
for _name, _method in vars(optuna.storages.RDBStorage).items():
    if isfunction(_method) and not _name.startswith("__"):
        setattr(PatientStorage, _name, _patient(_method))


def _key(name: str) -> int:
    digest = hashlib.blake2b(f"augsearch study {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def is_held(url: URL, name: str) -> bool:
    """Whether somebody has the lock on a study. SQLAlchemyError if the database does not answer.

    https://www.postgresql.org/docs/current/view-pg-locks.html
    """
    key = _key(name) % 2**64
    held = text(
        "select count(*) from pg_locks where locktype = 'advisory' and objsubid = 1 and granted "
        "and classid = :high and objid = :low and database = "
        "(select oid from pg_database where datname = current_database())"
    )
    with create_engine(url, poolclass=NullPool).connect() as connection:
        parts = {"high": key >> 32, "low": key % 2**32}
        return bool(connection.scalar(held, parts))


class ServerLock:
    """An advisory lock on a study, taken when this is made and held until the block ends.

    It belongs to a connection, so it goes with the process, and with a server that restarts. Then
    it is taken again; if another process was faster, the main thread is interrupted.
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS

    Attributes:
        held: whether nobody else held the study.
        lost: whether another process has it by now.

    Raises:
        SQLAlchemyError: the database cannot be reached.
    """

    def __init__(self, url: URL, name: str) -> None:
        self._key = _key(name)
        self._name = name
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._over, self.lost = threading.Event(), False
        self._connection, self.held = self._take()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def _take(self) -> tuple[Connection, bool]:
        connection = self._engine.connect()
        return connection, bool(connection.scalar(select(func.pg_try_advisory_lock(self._key))))

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            try:
                self._connection.scalar(select(1))
            except SQLAlchemyError:
                self._connection.invalidate()
                try:
                    self._connection, held = self._take()
                except SQLAlchemyError:
                    continue  # it is still away
                if not held:
                    self.lost = True
                    _thread.interrupt_main()
                    return

    def __enter__(self) -> ServerLock:
        if self.held:
            self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self.held:
            self._watcher.join()
            with suppress(SQLAlchemyError):  # closing frees it too, a moment later
                self._connection.scalar(select(func.pg_advisory_unlock(self._key)))
        self._connection.close()
        if self.lost:
            raise StudyError(
                f"the database was away, and another process has taken the study {self._name!r}"
            ) from error
