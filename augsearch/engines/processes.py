"""Independent jobs on the cores of this machine, one process each.

Small encoders gain little from a second thread and lose much to waiting for it; two processes of
one thread do nearly twice the work of one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

from augsearch.errors import StudyError

Argument = TypeVar("Argument")
Result = TypeVar("Result")


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
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores // threads, jobs))


def run_jobs(
    work: Callable[[Argument], Result],
    arguments: Sequence[Argument],
    *,
    processes: int,
    threads: int,
    prepare: Callable[..., None],
    shared: tuple[Any, ...],
) -> Iterator[tuple[Argument, Result]]:
    """Call `work` on every argument and yield (argument, result) as each ends.

    With one process all happens here, in order.

    Args:
        work: a module's function, so that other processes find it.
        processes, threads: how many processes, and torch threads in each.
        prepare: called as `prepare(*shared)` in every process before its first job.

    Raises:
        StudyError: a process died. What a job raises is raised here, after the results of the
            jobs that ended beside it.
    """
    if processes == 1:
        with cpu_threads(threads):
            prepare(*shared)
            for argument in arguments:
                yield argument, work(argument)
        return
    pool = ProcessPoolExecutor(
        processes,
        mp_context=_context(work.__module__),
        initializer=_begin,
        initargs=(threads, prepare, shared),
    )
    try:
        with _main_module_hidden():
            futures = {pool.submit(work, argument): argument for argument in arguments}
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
                "a process that trained was killed, often because the machine ran out of memory; "
                "free some, or raise compute.threads, which lets fewer run at once"
            ) from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _context(module: str) -> BaseContext:
    """How processes are started: never by forking this one, whose threads may hold locks."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])  # imported once for all processes and pools
    return context


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Processes started in here do not import the program's main module again.

    They need nothing from it, and a script or notebook that calls us without the customary
    `if __name__ == "__main__":` would start itself once more in each of them.
    """
    main = sys.modules["__main__"]
    hidden = {name: main.__dict__[name] for name in ("__file__", "__spec__") if name in vars(main)}
    for name in hidden:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)


def _begin(threads: int, prepare: Callable[..., None], shared: tuple[Any, ...]) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    prepare(*shared)


def _die_with_parent() -> None:
    """End this process when its parent has died, even by a signal that it could not handle."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
