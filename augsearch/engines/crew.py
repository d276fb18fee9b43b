"""A few processes that each do one job at a time and can be talked to while they do it.

For jobs that depend on each other: what one says decides whether another goes on, and which comes
next.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Generic

from augsearch.engines.engine import Job, Returned, Shared, Talk
from augsearch.engines.starting import ByValue, context_of, end_with_parent, main_module_hidden
from augsearch.errors import StudyError


class ProcessCrew(Generic[Shared, Job]):
    """Processes, as many as `shares`, each with its own part of what jobs need.

    Args:
        work: called in a process as `work(share, job, talk)`; a module's function, so that other
            processes find it.
        shares: what the jobs of each process need, sent once.
        threads: of torch in each process.
    """

    def __init__(
        self, work: Callable[[Shared, Job, Talk], Any], shares: Sequence[Shared], *, threads: int
    ) -> None:
        context = context_of(work.__module__)
        self._members: list[tuple[BaseProcess, Connection]] = []
        self._tickets = [0] * len(shares)
        with main_module_hidden():
            for share in shares:
                here, there = context.Pipe()
                process = context.Process(
                    target=_serve, args=(there, threads, work, ByValue(share)), daemon=True
                )
                process.start()
                there.close()
                self._members.append((process, here))

    def __enter__(self) -> ProcessCrew[Shared, Job]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Whoever leaves does not want to wait for what is under way.
        for process, connection in self._members:
            process.kill()
            process.join()
            connection.close()

    def __len__(self) -> int:
        return len(self._members)

    def start(self, member: int, job: Job) -> None:
        """Give a process its next job. What it still does or says of the one before is dropped."""
        self._tickets[member] += 1
        self._send(member, (self._tickets[member], job))

    def stop(self, member: int) -> None:
        """Tell a process that its job is no longer wanted."""
        self._send(member, (self._tickets[member], None))

    def hear(self, member: int) -> Any:
        """See `engines.engine.Crew.hear`."""
        process, connection = self._members[member]
        while True:
            wait([connection, process.sentinel])
            try:
                ticket, message, failed = connection.recv()
            except (EOFError, ConnectionError):
                raise _died() from None
            if ticket != self._tickets[member]:
                continue
            if failed:
                raise message
            return message

    def _send(self, member: int, message: object) -> None:
        try:
            self._members[member][1].send(message)
        except (BrokenPipeError, ConnectionError):
            raise _died() from None


def _died() -> StudyError:
    return StudyError(
        "a process that trained was killed, often because the machine ran out of memory; free "
        "some, or say compute.parallel: 1, which trains one trial at a time"
    )


class _Talking:
    def __init__(self, connection: Connection, ticket: int) -> None:
        self._connection, self._ticket, self._stopped = connection, ticket, False

    def say(self, message: tuple[int, float]) -> None:
        self._connection.send((self._ticket, message, False))

    def stopped(self) -> bool:
        # A word to stop is followed by nothing but the next job, which is left for `_serve`.
        if not self._stopped and self._connection.poll():
            ticket, job = self._connection.recv()
            assert job is None and ticket == self._ticket
            self._stopped = True
        return self._stopped


def _serve(
    connection: Connection, threads: int, work: Callable[[Any, Any, Talk], Any], share: Any
) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    end_with_parent()
    torch.set_num_threads(threads)
    while True:
        try:
            ticket, job = connection.recv()
        except (EOFError, ConnectionError):
            return
        if job is None:
            continue  # the job to be stopped had ended by itself
        try:
            result = work(share, job, _Talking(connection, ticket))
        except Exception as error:  # of whatever kind: it is raised where it is heard
            connection.send((ticket, error, True))
        else:
            connection.send((ticket, Returned(result), False))
