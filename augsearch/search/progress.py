"""What a running study tells whoever watches: the command line draws it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from augsearch.search.estimate import Estimate


class Progress(Protocol):
    """What a study reports while it runs. Scores lie in [0, 1]."""

    def note(self, sentence: str) -> None:
        """Something worth knowing."""

    def warn(self, sentence: str) -> None:
        """Something that may spoil the result."""

    def images(self, done: int, total: int) -> None:
        """Images decoded so far."""

    def estimated(self, estimate: Estimate) -> None:
        """What the study will cost, before it starts."""

    def phase(self, name: str, done: int, total: int) -> None:
        """A phase begins, with `done` of `total` runs finished before."""

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        """A run has done `step` of `steps` optimiser steps."""

    def run_ended(self, run: str, score: float | None, remark: str) -> None:
        """A run ended; `score` is None if it failed, and `remark` says why or what was special."""


class Quiet:
    """Reports nothing."""

    def note(self, sentence: str) -> None:
        pass

    def warn(self, sentence: str) -> None:
        pass

    def images(self, done: int, total: int) -> None:
        pass

    def estimated(self, estimate: Estimate) -> None:
        pass

    def phase(self, name: str, done: int, total: int) -> None:
        pass

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        pass

    def run_ended(self, run: str, score: float | None, remark: str) -> None:
        pass


def step_listener(progress: Progress, run: str, steps: int) -> Callable[[int, float], None]:
    """What a training run calls with its step and images/s, bound to its name and length."""

    def listen(step: int, images_per_second: float) -> None:
        progress.step(run, step, steps, images_per_second)

    return listen


def duration(seconds: float) -> str:
    """`seconds` as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
