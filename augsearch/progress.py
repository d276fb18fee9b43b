"""What a running study tells whoever watches: the command line draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Phase = Literal[
    "baselines",
    "trials",
    "confirmation",
    "certification",
    "ablation",
    "without SimCLR",
    "networks",
    "pretrainings",
    "classifiers",
]


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

    def expected(self, phases: Sequence[PhaseCost], lengths: Mapping[str, float]) -> None:
        """What is left of work whose runs differ in length; `lengths`: by a run's name, relative
        to the mean of those left in its phase."""

    def phase(self, name: Phase, done: int, total: int, round: str = "") -> None:
        """A phase begins, or one `round` of it, with `done` of `total` runs finished before."""

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

    def expected(self, phases: Sequence[PhaseCost], lengths: Mapping[str, float]) -> None:
        pass

    def phase(self, name: Phase, done: int, total: int, round: str = "") -> None:
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


@dataclass(frozen=True)
class PhaseCost:
    """A phase of a study.

    Attributes:
        runs: in all, of which `done` are finished; a run longer than the mean counts for more.
        seconds: from one run's end to the next one's, as guessed beforehand.
    """

    name: Phase
    runs: float
    done: float
    seconds: float

    @property
    def left(self) -> float:
        """Runs to do."""
        return max(0.0, round(self.runs - self.done, 6))


@dataclass(frozen=True)
class Estimate:
    """Cost of a study and what may spoil it.

    Attributes:
        seconds: of training and scoring what is left, by a few steps as fast as the machine was
            then, and without what stopping trials early saves.
        starting_seconds: what starting and keeping records adds, roughly.
        phases: what is left of each, for a forecast that learns from the runs.
        views: a sentence on the cost of the views, where that matters; or empty.
        power: sentences on what the confirmation will be able to see.
        triage: a sentence on what would say whether it is worth it, for long studies; or empty.
    """

    name: str
    images: int
    classes: int
    image_size: int
    trials: int
    steps: int
    device: str
    seconds: float
    starting_seconds: float
    phases: tuple[PhaseCost, ...]
    views: str
    power: tuple[str, ...]
    triage: str
    memory_mb: float
    disk_mb: float
    warnings: tuple[str, ...]
