"""Every trial, in its order and along its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from augsearch.report.section import Section
from augsearch.words import PLAIN, Unit

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
    """A searched parameter: its bounds, whether by logarithm, its choices if it has some, and how
    its values are written."""

    name: str
    low: float
    high: float
    log: bool
    choices: tuple[float, ...]
    unit: Unit = PLAIN


@dataclass(frozen=True)
class History(Section):
    """The search.

    Attributes:
        counts: trials by state.
        quarter: how many trials are the best quarter.
        baseline: the best one in the search, and its score there.
        judged: whether there is a verdict.
        winner: number of the trial that is recommended, or, before there is a verdict, of the best
            one; None if a baseline is.
    """

    template = "history"
    title = "The search"

    counts: Mapping[str, int]
    trials: tuple[TrialPoint, ...]
    scales: tuple[Scale, ...] = ()
    quarter: int = 0
    baseline: tuple[str, float] | None = None
    winner: int | None = None
    judged: bool = False

    @property
    def winner_role(self) -> str:
        """What the winner is, in words."""
        return "recommended" if self.judged else "best so far"

    @property
    def shown(self) -> bool:
        return bool(self.scored)

    @property
    def scored(self) -> tuple[TrialPoint, ...]:
        return tuple(trial for trial in self.trials if trial.score is not None)
