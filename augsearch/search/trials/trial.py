"""One trial on a bench. Knows no database: its rungs go out and the word to stop comes back through
a function, which may as well be a message to another process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.errors import TrialFailure
from augsearch.space.policy import Policy

Rung = Callable[[int, float], bool]
"""Told the step and the score there; says whether the trial goes on."""


@dataclass(frozen=True)
class Asked:
    """A trial that is to be run.

    Attributes:
        name: for people.
        price: what the search takes off its scores for the cost of its views.
    """

    name: str
    policy: Policy
    price: float


@dataclass(frozen=True)
class Ended:
    """How a trial ended: with an outcome, stopped at a rung, or failed.

    Attributes:
        outcome: of one that ran to its end.
        failure: why it failed, or empty.
    """

    outcome: Outcome | None = None
    failure: str = ""


class Stop(Exception):
    """Raised from what a run calls as it goes: it ends here, as if told so at a rung."""


def run(
    bench: Bench,
    asked: Asked,
    on_rung: Rung,
    on_step: Callable[[int, float], None] | None = None,
) -> Ended:
    """Train and score a policy as far as `on_rung` lets it."""

    def listen(step: int, score: float) -> None:
        if not on_rung(step, score):
            raise Stop

    try:
        outcome = bench.try_policy(
            asked.policy,
            replicate=0,
            steps=bench.config.pretrain.steps,
            rungs=bench.config.rungs,
            on_rung=listen,
            on_step=on_step,
        )
    except Stop:
        return Ended()
    except TrialFailure as failure:
        return Ended(failure=str(failure))
    return Ended(outcome)
