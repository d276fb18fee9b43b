"""Every trial, in its order and along its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from augsearch.report.section import Section

State = Literal["complete", "pruned", "fail"]
Curve = tuple[tuple[int, float], ...]
"""(optimiser step, score) at each rung and at the end."""


@dataclass(frozen=True)
class TrialPoint:
    """One trial, as the history and the parallel coordinates show it.

    Attributes:
        score: at the end, or where it was stopped; None if it failed.
        curve: up to there.
        params: the searched values.
    """

    number: int
    state: State
    score: float | None
    curve: Curve
    params: Mapping[str, float]


@dataclass(frozen=True)
class Scale:
    """A searched parameter: its bounds, whether by logarithm, its choices if it has some."""

    name: str
    low: float
    high: float
    log: bool
    choices: tuple[float, ...]


@dataclass(frozen=True)
class History(Section):
    """The search.

    Attributes:
        counts: trials by state.
        quarter: how many trials are the best quarter.
        baseline: the best one in the search, and its score there.
    """

    template = "history"
    title = "The search"

    counts: Mapping[str, int]
    trials: tuple[TrialPoint, ...]
    scales: tuple[Scale, ...] = ()
    quarter: int = 0
    baseline: tuple[str, float] | None = None

    @property
    def shown(self) -> bool:
        return bool(self.scored)

    @property
    def scored(self) -> tuple[TrialPoint, ...]:
        return tuple(trial for trial in self.trials if trial.score is not None)
