"""The seam between what a study wants done and where it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from augsearch.errors import StudyError

Shared = TypeVar("Shared")
Job = TypeVar("Job")
Result = TypeVar("Result")
Given_contra = TypeVar("Given_contra", contravariant=True)


class Lost(StudyError):
    """What did a job died with it, again and again."""


class Returned:
    """Said last of all: what a job returned."""

    def __init__(self, result: Any) -> None:
        self.result = result


class Talk(Protocol):
    """What a job of a crew has beside it."""

    def say(self, message: tuple[int, float]) -> None:
        """Tell the one who gave the job."""

    def stopped(self) -> bool:
        """Whether what the job does from here on is no longer wanted."""


class Crew(Protocol[Given_contra]):
    """Members that each do one job at a time and can be talked to while they do it."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for nothing that is under way."""

    def __len__(self) -> int:
        """How many there are."""

    def start(self, member: int, job: Given_contra) -> None:
        """Give a member its next job. What it still does or says of the one before is dropped."""

    def stop(self, member: int) -> None:
        """Its job is no longer wanted."""

    def hear(self, member: int) -> Any:
        """Wait for what a member says next of its job; `Returned` comes last.

        Raises:
            StudyError: the member died. What the job raised is raised here.
        """


class Engine(Protocol):
    """Does jobs that do not depend on each other: here, in other processes, on other machines."""

    def at_once(self, jobs: int) -> int:
        """How many of so many jobs would run at the same time."""

    def is_here(self, jobs: int, /) -> bool:
        """Whether `run` would do so many jobs in this process, one by one."""

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

    def crew(self, work: Callable[[Shared, Job, Talk], Any], shares: Sequence[Shared]) -> Crew[Job]:
        """A crew for jobs that depend on each other: what one says decides whether another goes
        on, and which comes next. One member for each of `shares`, which it has for its jobs."""
