"""What jobs take beside each other, and what starting them adds."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

STARTING, RECORDING = 8.0, 0.06
"""CPU seconds to start processes and stores, and to keep one run's records, as seen on two cores
of an Intel Xeon, 2026-11-24. A disk or cores that others use make them several times longer."""


def makespan(seconds: Sequence[float], processes: int) -> float:
    """When the last of these jobs ends, if each process takes the next one as it becomes free."""
    free = [0.0] * processes
    for taken in seconds:
        heapq.heappush(free, heapq.heappop(free) + taken)
    return max(free)


def overhead_seconds(runs: float) -> float:
    """What starting processes and stores and keeping the records of the runs adds, roughly."""
    return STARTING + RECORDING * runs
