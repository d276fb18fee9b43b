"""Independent jobs on the cores of this machine, one process each.

Small encoders gain little from a second thread and lose much to waiting for it; two processes of
one thread do nearly twice the work of one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from augsearch.engines.crew import ProcessCrew
from augsearch.engines.engine import Job, Result, Shared, Talk
from augsearch.engines.starting import ByValue, context_of, end_with_parent, main_module_hidden
from augsearch.errors import StudyError


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Let torch use `count` CPU threads, and restore what it used before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def process_count(threads: int, jobs: int) -> int:
    """Processes of `threads` threads that this machine's cores can carry, at most one a job."""
    return max(1, min(cores_here() // threads, jobs))


def cores_here() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Processes:
    """The engine of one machine: a process for each job, as many at once as its cores carry.

    One job at once is done in this process, without another.

    Args:
        threads: of torch in each process.
        most: processes at once; None for what the cores carry.
    """

    threads: int
    most: int | None = None

    def at_once(self, jobs: int) -> int:
        """Processes for so many jobs."""
        return self.most or process_count(self.threads, jobs)

    def is_here(self, jobs: int) -> bool:
        """Whether there would be no other process."""
        return self.at_once(jobs) == 1

    def run(
        self, work: Callable[[Shared, Job], Result], shared: Shared, jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Result]]:
        """See `Engine.run`."""
        processes = self.at_once(len(jobs))
        if processes == 1:
            with cpu_threads(self.threads):
                for job in jobs:
                    yield job, work(shared, job)
            return
        pool = ProcessPoolExecutor(
            processes,
            mp_context=context_of(work.__module__),
            initializer=_begin,
            initargs=(self.threads, work, ByValue(shared)),
        )
        try:
            with main_module_hidden():
                futures = {pool.submit(_work, job): job for job in jobs}
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                # Failures last: what ended beside them is not lost.
                for future in sorted(done, key=lambda future: future.exception() is not None):
                    yield futures[future], future.result()
        except BaseException as error:
            # Whoever stops here does not want to wait for the runs that are under way.
            for process in list((pool._processes or {}).values()):
                process.kill()
            if isinstance(error, BrokenProcessPool):
                raise StudyError(
                    "a process that trained was killed, often because the machine ran out of "
                    "memory; free some, or raise compute.threads, which lets fewer run at once"
                ) from error
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def crew(
        self, work: Callable[[Shared, Job, Talk], Any], shares: Sequence[Shared]
    ) -> ProcessCrew[Shared, Job]:
        """See `Engine.crew`."""
        return ProcessCrew(work, shares, threads=self.threads)


_of_this_process: dict[str, Any] = {}
"""In a process that was started for jobs: the function that does one, and what all of them share,
sent once and not with every job."""


def _begin(threads: int, work: Callable[..., Any], shared: object) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    end_with_parent()
    torch.set_num_threads(threads)
    _of_this_process.update(work=work, shared=shared)


def _work(job: Any) -> Any:
    return _of_this_process["work"](_of_this_process["shared"], job)
