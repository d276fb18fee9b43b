"""Many small jobs in threads, a few of them at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")
AHEAD = 256
"""Jobs that wait or are finished and not taken: each costs a kilobyte or two, and its result."""


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[Job], Done], jobs: Iterable[Job]
) -> Iterator[Done]:
    """What `pool.map` gives, without a future for every job at once."""
    waiting: deque[Future[Done]] = deque()
    for job in jobs:
        waiting.append(pool.submit(work, job))
        if len(waiting) >= AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
