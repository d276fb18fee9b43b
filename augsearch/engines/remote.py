"""The engine of workers that come from anywhere: jobs are posted in a database (`board.py`)."""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any, Generic, get_type_hints

from pydantic import TypeAdapter

from augsearch.engines.board import LEASE, Board
from augsearch.engines.engine import Job, Lost, Result, Returned, Shared, Talk
from augsearch.errors import StudyError

POLL = 0.3
"""Seconds between two looks at the board."""
ALONE = 20.0
"""Seconds without a worker after which it is said."""


@dataclass(frozen=True)
class Codec:
    """How the jobs of a function and their results become text, by the function's annotations.

    Attributes:
        name: that workers know the function by.
    """

    name: str
    job: TypeAdapter[Any]
    result: TypeAdapter[Any]

    @classmethod
    def of(cls, work: Callable[..., Any]) -> Codec:
        hints = get_type_hints(work)
        _, job, *_ = inspect.signature(work).parameters
        name = f"{work.__module__}.{work.__qualname__}"
        return cls(name, TypeAdapter(hints[job]), TypeAdapter(hints["return"]))

    def post(self, board: Board, job: object) -> str:
        """Post a job; its key, which follows from what it is."""
        text = self.job.dump_json(job).decode()
        key = hashlib.blake2b(f"{self.name} {text}".encode(), digest_size=16).hexdigest()
        board.post(key, self.name, text)
        return key


@dataclass(frozen=True)
class Remote:
    """Posts jobs of a study in its database and waits for what workers make of them.

    Args:
        url: of the database.
        name: the study's name.
        tell: told a sentence when nobody is there to work.
        study: what the board knows the study by, asked for when it is first needed.
        lease: seconds without a sign of life after which a worker is dead.
    """

    url: str
    name: str
    tell: Callable[[str], None] = field(default=lambda _: None, compare=False)
    lease: float = LEASE
    study: Callable[[], str] | None = None

    @cached_property
    def board(self) -> Board:
        study = self.name if self.study is None else self.study()
        return Board(self.url, study, lease=self.lease)

    def at_once(self, jobs: int) -> int:
        """Workers that are there, at most one a job, at least one."""
        return max(1, min(len(self.board.workers()), jobs))

    def is_here(self, _jobs: int) -> bool:
        """Never."""
        return False

    def run(
        self, work: Callable[[Shared, Job], Result], shared: Shared, jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Result]]:
        """See `Engine.run`. Workers have what is shared: they open the study themselves."""
        del shared
        codec, board, waiter = Codec.of(work), self.board, _Waiter(self)
        board.make()
        waiting = {codec.post(board, job): job for job in jobs}
        while waiting:
            for key, posted in board.look(list(waiting)).items():
                if posted.lost:
                    board.take_down([key])
                    raise _lost()
                if posted.failed:
                    board.take_down([key])
                    raise StudyError(posted.failed)
                if posted.result is not None:
                    yield waiting.pop(key), codec.result.validate_json(posted.result)
                    board.take_down([key])  # kept by now
            waiter.wait()

    def crew(
        self, work: Callable[[Shared, Job, Talk], Any], shares: Sequence[Shared]
    ) -> RemoteCrew[Job]:
        """See `Engine.crew`."""
        self.board.make()
        return RemoteCrew(self, Codec.of(work), len(shares))


class RemoteCrew(Generic[Job]):
    """As many jobs under way as there were shares, wherever they are done."""

    def __init__(self, engine: Remote, codec: Codec, size: int) -> None:
        self._engine, self._codec, self._board = engine, codec, engine.board
        self._keys = [""] * size
        self._heard = [0] * size
        self._over: list[str] = []

    def __enter__(self) -> RemoteCrew[Job]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """What is under way goes on: a study that is run again hears of it."""
        if error is None:
            self._board.take_down(self._over)

    def __len__(self) -> int:
        return len(self._keys)

    def start(self, member: int, job: Job) -> None:
        """See `Crew.start`."""
        self._board.take_down(self._over)  # by now they are kept
        self._over = []
        self._keys[member], self._heard[member] = self._codec.post(self._board, job), 0

    def stop(self, member: int) -> None:
        """See `Crew.stop`."""
        self._board.take_down([self._keys[member]])

    def hear(self, member: int) -> Any:
        """See `Crew.hear`.

        Raises:
            Lost: several workers died with it.
            StudyError: it failed where it was done.
        """
        key, waiter = self._keys[member], _Waiter(self._engine)
        while True:
            found = self._board.look([key]).get(key)
            if found is None:
                raise StudyError("a job is no longer on the board; is another process at work?")
            if len(found.said) > self._heard[member]:
                self._heard[member] += 1
                return TypeAdapter(tuple[int, float]).validate_json(
                    found.said[self._heard[member] - 1]
                )
            if found.result is not None:
                self._over.append(key)
                return Returned(self._codec.result.validate_json(found.result))
            if found.failed or found.lost:
                self._board.take_down([key])
                raise StudyError(found.failed) if found.failed else _lost()
            waiter.wait()


def _lost() -> Lost:
    return Lost("several workers died with it, often because a machine ran out of memory")


class _Waiter:
    """Waits between two looks, and says so when nobody is there."""

    def __init__(self, engine: Remote) -> None:
        self._engine, self._since = engine, time.monotonic()
        self._said = False

    def wait(self) -> None:
        time.sleep(POLL)
        if self._said or time.monotonic() - self._since < ALONE:
            return
        self._since = time.monotonic()
        if not self._engine.board.workers():
            self._said = True
            self._engine.tell(
                "no worker is there; start some, on any machine that sees the images: augsearch "
                f"worker --study {self._engine.name} --storage URL"
            )
