"""The engine of a Ray cluster: one task a run, wherever Ray has room for it.

Needs `pip install 'augsearch[ray]'`. https://docs.ray.io/en/latest/ray-core/tasks.html
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Generic

from augsearch.engines.engine import Job, Lost, Result, Returned, Shared, Talk
from augsearch.errors import ConfigError

POLL = 0.2
"""Seconds between two looks at what a task said."""
ASKED_EVERY = 1.0
"""Seconds between two questions of a task whether it is still wanted."""
TRIES = 3
"""Times that Ray begins a task whose process or machine died."""


class OnRay:
    """Runs as tasks of the cluster at `RAY_ADDRESS`, or of one that is started on this machine.

    Args:
        threads: of torch in a run, each on a core of its own.
        gpus: share of a GPU that a run takes; 0 for a run on CPUs.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers.
    """

    def __init__(self, *, threads: int, gpus: float = 0.0) -> None:
        self._threads, self._gpus = threads, gpus
        self._ray = _ray()

    def at_once(self, jobs: int) -> int:
        """Runs that the cluster has room for, at most so many."""
        room = self._ray.cluster_resources()
        most = room.get("CPU", 1.0) / self._threads
        if self._gpus:
            most = min(most, room.get("GPU", 0.0) / self._gpus)
        return max(1, min(int(most + 1e-6), jobs))

    def is_here(self, _jobs: int) -> bool:
        """Never."""
        return False

    def _task(self, function: Callable[..., Any]) -> Any:
        # A task that raised has ended; one whose process died is begun again.
        options = {"num_cpus": self._threads, "num_gpus": self._gpus, "max_retries": TRIES - 1}
        return self._ray.remote(function).options(**options)

    def run(
        self, work: Callable[[Shared, Job], Result], shared: Shared, jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Result]]:
        """See `Engine.run`."""
        task, everything = self._task(_do), self._ray.put(shared)
        under_way = {task.remote(work, everything, job, self._threads): job for job in jobs}
        waiting = list(under_way)
        try:
            while waiting:
                done, waiting = self._ray.wait(waiting)
                for one in done:
                    yield under_way[one], self._got(one)
        finally:
            for one in waiting:
                self._ray.cancel(one, force=True)

    def crew(
        self, work: Callable[[Shared, Job, Talk], Any], shares: Sequence[Shared]
    ) -> RayCrew[Job]:
        """See `Engine.crew`."""
        return RayCrew(self, work, shares)

    def _got(self, task: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except errors.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except (
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
            errors.ObjectLostError,
        ) as error:
            raise Lost(f"Ray lost a run {TRIES} times ({type(error).__name__})") from None


class RayCrew(Generic[Job]):
    """As many tasks under way as there are shares. What they say waits in an actor."""

    def __init__(self, engine: OnRay, work: Callable[..., Any], shares: Sequence[Any]) -> None:
        ray = engine._ray
        self._ray, self._engine, self._work = ray, engine, work
        put = {id(share): ray.put(share) for share in {id(one): one for one in shares}.values()}
        self._shares = [put[id(share)] for share in shares]
        self._task = engine._task(_do_talking)
        # Here, and not on a machine that may be taken away.
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._post = ray.remote(Post).options(num_cpus=0, scheduling_strategy=here).remote()
        self._tasks: list[Any] = [None] * len(shares)
        self._tickets, self._heard = [0] * len(shares), [0] * len(shares)

    def __enter__(self) -> RayCrew[Job]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            if task is not None:
                with suppress(Exception):  # ended, or the cluster is gone
                    self._ray.cancel(task, force=True)
        with suppress(Exception):
            self._ray.kill(self._post)

    def __len__(self) -> int:
        return len(self._shares)

    def start(self, member: int, job: Job) -> None:
        """See `Crew.start`."""
        self._tickets[member] = max(self._tickets) + 1
        self._heard[member] = 0
        self._tasks[member] = self._task.remote(
            self._work,
            self._shares[member],
            job,
            self._engine._threads,
            self._post,
            self._tickets[member],
        )

    def stop(self, member: int) -> None:
        """See `Crew.stop`."""
        self._post.stop.remote(self._tickets[member])

    def hear(self, member: int) -> Any:
        """See `Crew.hear`."""
        ticket, task = self._tickets[member], self._tasks[member]
        while True:
            ended, _ = self._ray.wait([task], timeout=POLL)
            said, begun = self._ray.get(self._post.known.remote(ticket))
            if begun > TRIES:
                self._ray.cancel(task, force=True)
                raise Lost(f"Ray lost a run {TRIES} times")
            if len(said) > self._heard[member]:
                self._heard[member] += 1
                return said[self._heard[member] - 1]
            if ended:
                return Returned(self._engine._got(task))


class Post:
    """What tasks say, and which are no longer wanted. A task that is begun again says it anew."""

    def __init__(self) -> None:
        self._said: dict[int, list[tuple[int, float]]] = {}
        self._stopped: set[int] = set()
        self._begun: Counter[int] = Counter()

    def begin(self, ticket: int) -> None:
        self._said[ticket] = []
        self._begun[ticket] += 1

    def say(self, ticket: int, message: tuple[int, float]) -> None:
        self._said[ticket].append(message)

    def known(self, ticket: int) -> tuple[list[tuple[int, float]], int]:
        """What a task said, and how often it was begun."""
        return self._said.get(ticket, []), self._begun[ticket]

    def stop(self, ticket: int) -> None:
        self._stopped.add(ticket)

    def is_stopped(self, ticket: int) -> bool:
        return ticket in self._stopped


class _Talking:
    def __init__(self, post: Any, ticket: int) -> None:
        import ray

        self._ray, self._post, self._ticket = ray, post, ticket
        self._asked, self._stopped = time.monotonic(), False
        ray.get(post.begin.remote(ticket))

    def say(self, message: tuple[int, float]) -> None:
        self._ray.get(self._post.say.remote(self._ticket, message))

    def stopped(self) -> bool:
        if not self._stopped and time.monotonic() - self._asked > ASKED_EVERY:
            self._stopped = bool(self._ray.get(self._post.is_stopped.remote(self._ticket)))
            self._asked = time.monotonic()
        return self._stopped


def _do(work: Callable[..., Any], shared: Any, job: Any, threads: int) -> Any:
    import torch

    torch.set_num_threads(threads)
    return work(shared, job)


def _do_talking(
    work: Callable[..., Any], share: Any, job: Any, threads: int, post: Any, ticket: int
) -> Any:
    import torch

    torch.set_num_threads(threads)
    return work(share, job, _Talking(post, ticket))


def _ray() -> Any:
    """Ray, connected."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Tasks find augsearch as it is here; Ray would build each an environment of its own.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    # Else a task that takes too much memory is begun again for ever.
    os.environ.setdefault("RAY_task_oom_retries", str(TRIES - 1))
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "--engine ray: Ray is not installed; install it with: pip install 'augsearch[ray]'"
        ) from None
    if not ray.is_initialized():
        address = os.environ.get("RAY_ADDRESS")
        try:
            _check_answers(address)
            with _signals_kept():
                ray.init(
                    address=address,
                    include_dashboard=False if address is None else None,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"--engine ray: no cluster answers at {address} ({reason})") from None
    return ray


def _check_answers(address: str | None) -> None:
    """Ray would try for minutes to reach a `HOST:PORT` where nobody is."""
    host, _, port = (address or "").rpartition(":")
    if host and "/" not in host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray answers SIGTERM by an exit of its own; the command line makes an interrupt of it."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)
