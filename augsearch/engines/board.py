"""A board of jobs in a database: one process posts them, workers on any machine do them.

A worker that has taken a job says again and again that it lives; if it does not, another one takes
the job. All times are the database's own, so no machine's clock matters. Nothing but text is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    NullPool,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, ProgrammingError

from augsearch.errors import StudyError

Result = TypeVar("Result")

LEASE = 30.0
"""Seconds without a sign of life after which a worker's job is another's."""
BEAT = 5.0
"""Seconds between two signs of life."""
MOST_TRIES = 3
"""Workers that may die with a job."""
PATIENCE = 120.0
"""Seconds that a database may be away."""

_metadata = MetaData()
_jobs = Table(
    "augsearch_jobs",
    _metadata,
    Column("number", Integer, primary_key=True),
    Column("study", String(512), nullable=False),
    Column("key", String(64), nullable=False),
    Column("work", String(256), nullable=False),
    Column("job", Text, nullable=False),
    Column("worker", String(256)),
    Column("beat", Float),
    Column("tries", Integer, nullable=False, default=0),
    Column("said", Text, nullable=False, default="[]"),
    Column("result", Text),
    Column("failed", Text),
    UniqueConstraint("study", "key"),
)
_workers = Table(
    "augsearch_workers",
    _metadata,
    Column("number", Integer, primary_key=True),
    Column("study", String(512), nullable=False),
    Column("worker", String(256), nullable=False),
    Column("beat", Float, nullable=False),
    Column("facts", Text, nullable=False),
    UniqueConstraint("study", "worker"),
)


@dataclass(frozen=True)
class Posted:
    """What is known of a job.

    Attributes:
        said: by the worker that has it, in order.
        result: what it came to; None while it has not ended, or if it failed.
        failed: why it did, or empty.
        lost: whether as many workers died with it as may.
    """

    said: tuple[str, ...]
    result: str | None
    failed: str
    lost: bool


@dataclass(frozen=True)
class Taken:
    """A job for a worker: which function does it, and the job as text."""

    key: str
    work: str
    job: str


class Board:
    """The jobs of one study.

    Every method waits for a database that is away, for up to `PATIENCE` seconds, and then raises a
    StudyError.

    Args:
        url: of a PostgreSQL or SQLite database.
        lease: seconds, see `LEASE`.
    """

    def __init__(self, url: str, study: str, *, lease: float = LEASE) -> None:
        self._url, self._study, self._lease = url, study, lease

    @cached_property
    def _engine(self) -> Engine:
        # A connection a call: a server has room for a hundred by default, workers may be more.
        return create_engine(self._url, poolclass=NullPool)

    def make(self) -> None:
        """Make the tables where there are none."""
        for _ in range(5):
            with suppress(IntegrityError, ProgrammingError):  # another process makes them
                self._do(_metadata.create_all)
                return
            time.sleep(0.2)
        self._do(_metadata.create_all)

    def is_made(self) -> bool:
        """Whether somebody has posted anything here."""
        return self._do(lambda c: inspect(c).has_table(_jobs.name))

    def post(self, key: str, work: str, job: str) -> None:
        """Ask for a job; one that was asked for before stays as it is."""
        try:
            row = {"study": self._study, "key": key, "work": work, "job": job}
            self._do(lambda c: c.execute(insert(_jobs).values(**row)))
        except IntegrityError:
            pass

    def look(self, keys: Sequence[str]) -> dict[str, Posted]:
        """What is known of some jobs."""
        rows = self._do(
            lambda c: c.execute(select(_jobs, self._now(c)).where(*self._of(_jobs, keys))).all()
        )
        return {row.key: self._posted(row) for row in rows}

    def _posted(self, row: Row[Any]) -> Posted:
        alive = row.worker is not None and row.beat > row[-1] - self._lease
        return Posted(
            tuple(json.loads(row.said)),
            row.result,
            row.failed or "",
            row.result is None and row.tries >= MOST_TRIES and not alive,
        )

    def take_down(self, keys: Sequence[str]) -> None:
        """Forget jobs. A worker that has one is told so when it next gives a sign of life."""
        if not keys:
            return
        self._do(lambda c: c.execute(delete(_jobs).where(*self._of(_jobs, keys))))

    def clear(self) -> None:
        """Forget all jobs of the study."""
        self._do(lambda c: c.execute(delete(_jobs).where(_jobs.c.study == self._study)))

    def workers(self) -> dict[str, dict[str, str]]:
        """What is known of those that live, by name; empty before the board is made."""
        if not self.is_made():
            return {}
        rows = self._do(
            lambda c: c.execute(
                select(_workers.c.worker, _workers.c.facts).where(
                    _workers.c.study == self._study,
                    _workers.c.beat > self._now(c) - self._lease,
                )
            ).all()
        )
        return {row.worker: json.loads(row.facts) for row in rows}

    def sign_in(self, worker: str, facts: Mapping[str, str]) -> None:
        """A worker is there."""
        self.sign_out(worker)
        values = {"study": self._study, "worker": worker, "facts": json.dumps(dict(facts))}
        self._do(lambda c: c.execute(insert(_workers).values(**values, beat=self._now(c))))

    def sign_out(self, worker: str) -> None:
        """A worker leaves."""
        mine = (_workers.c.study == self._study, _workers.c.worker == worker)
        self._do(lambda c: c.execute(delete(_workers).where(*mine)))

    def take(self, worker: str) -> Taken | None:
        """The oldest job that nobody does, or whose worker has died; it is this worker's now."""

        def claim(c: Connection) -> Row[Any] | None:
            stale = _jobs.c.beat < self._now(c) - self._lease
            free = (
                _jobs.c.study == self._study,
                _jobs.c.result.is_(None),
                _jobs.c.failed.is_(None),
                _jobs.c.tries < MOST_TRIES,
                _jobs.c.worker.is_(None) | stale,
            )
            first = select(func.min(_jobs.c.number)).where(*free).scalar_subquery()
            mine = update(_jobs).where(_jobs.c.number == first, *free)
            changed = {"worker": worker, "tries": _jobs.c.tries + 1, "said": "[]"}
            wanted = (_jobs.c.key, _jobs.c.work, _jobs.c.job)
            return c.execute(
                mine.values(**changed, beat=self._now(c)).returning(*wanted)
            ).one_or_none()

        row = self._do(claim)
        return None if row is None else Taken(row.key, row.work, row.job)

    def beat(self, worker: str, key: str | None) -> bool:
        """A sign of life; whether the worker's job, if it has one, is still wanted of it."""

        def both(c: Connection) -> bool:
            now = self._now(c)
            here = (_workers.c.study == self._study, _workers.c.worker == worker)
            c.execute(update(_workers).where(*here).values(beat=now))
            if key is None:
                return True
            mine = update(_jobs).where(*self._mine(worker, key)).values(beat=now)
            return bool(c.execute(mine).rowcount)

        return self._do(both)

    def say(self, worker: str, key: str, said: Sequence[str]) -> None:
        """All that a worker has to say of its job so far."""
        text = json.dumps(list(said))
        mine = self._mine(worker, key)
        self._do(lambda c: c.execute(update(_jobs).where(*mine).values(said=text)))

    def finish(self, worker: str, key: str, *, result: str | None, failed: str | None) -> None:
        """What a worker's job came to, or why it failed. Does nothing if the job is not its own."""
        values = {"result": result, "failed": failed}
        mine = self._mine(worker, key)
        self._do(lambda c: c.execute(update(_jobs).where(*mine).values(**values)))

    def give_back(self, worker: str, key: str) -> None:
        """A worker leaves its job to others."""
        values = {"worker": None, "beat": None, "said": "[]", "tries": _jobs.c.tries - 1}
        mine = self._mine(worker, key)
        self._do(lambda c: c.execute(update(_jobs).where(*mine).values(**values)))

    def _of(self, table: Table, keys: Sequence[str]) -> tuple[Any, ...]:
        return table.c.study == self._study, table.c.key.in_(list(keys))

    def _mine(self, worker: str, key: str) -> tuple[Any, ...]:
        return *self._of(_jobs, [key]), _jobs.c.worker == worker

    @staticmethod
    def _now(connection: Connection) -> Any:
        if connection.dialect.name == "sqlite":
            return literal_column("(julianday('now') - 2440587.5) * 86400.0")
        return literal_column("cast(extract(epoch from clock_timestamp()) as double precision)")

    def _do(self, action: Callable[[Connection], Result]) -> Result:
        begin, pause = time.monotonic(), 0.1
        while True:
            try:
                with self._engine.begin() as connection:
                    return action(connection)
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() - begin > PATIENCE:
                    reason = str(error).splitlines()[0]
                    raise StudyError(
                        f"--storage {self._url}: has not answered for {PATIENCE:.0f} s ({reason}); "
                        "what is finished is kept: run the same command again"
                    ) from None
                time.sleep(pause)
                pause = min(5.0, 2 * pause)
