"""The seam between what a study wants done and where it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Job = TypeVar("Job")
Result = TypeVar("Result")


class Engine(Protocol):
    """Does jobs that do not depend on each other: here, in other processes, on other machines."""

    def at_once(self, jobs: int) -> int:
        """How many of so many jobs would run at the same time; 1 means here, one by one."""

    def run(
        self, work: Callable[[Shared, Job], Result], shared: Shared, jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Result]]:
        """Call `work(shared, job)` for every job and yield (job, result) as each ends.

        Args:
            work: a module's function, so that other processes find it.
            shared: what all jobs need, sent once to each process.

        Raises:
            StudyError: what ran a job died. What a job raises is raised here, after the results
                of the jobs that ended beside it.
        """
