"""How long a study will still take: first a guess from a few steps, then what its runs took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from augsearch.progress import Phase, PhaseCost


class Forecast:
    """Seconds that are left, by the runs that have ended.

    A phase whose runs have ended goes on at their pace. One that is still to come takes what was
    guessed times what the runs so far took over what they were guessed at.

    Args:
        phases: in their order; one that is not among them is added when it begins.
        clock: seconds.
    """

    def __init__(
        self, phases: Sequence[PhaseCost] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._phases = {phase.name: phase for phase in phases}
        self._clock = clock
        self._now: Phase = "baselines"
        self._last = 0.0
        self._took: dict[Phase, float] = {}
        self._ended: dict[Phase, int] = {}

    @property
    def ended(self) -> int:
        """Runs that ended while this looked on."""
        return sum(self._ended.values())

    def begin(self, name: Phase, done: int, total: int) -> None:
        """A phase begins, or another round of it."""
        guess = self._phases.get(name, PhaseCost(name, total, done, 0.0))
        for earlier in takewhile(lambda phase: phase != name, list(self._phases)):
            self._phases[earlier] = replace(self._phases[earlier], done=self._phases[earlier].runs)
        self._phases[name] = replace(guess, runs=max(guess.runs, guess.done + total - done))
        self._now, self._last = name, self._clock()

    def run_ended(self, *, counts: bool) -> None:
        """A run ended; one that failed in a trial's place took time but does not count."""
        now = self._clock()
        self._took[self._now] = self._took.get(self._now, 0.0) + now - self._last
        self._last = now
        if counts:
            self._ended[self._now] = self._ended.get(self._now, 0) + 1
            phase = self._phases[self._now]
            self._phases[self._now] = replace(phase, done=phase.done + 1)

    def left(self) -> float | None:
        """Seconds; None before anything has ended of what was not guessed."""
        if not self._ended:
            return None
        guessed = sum(self._phases[name].seconds * count for name, count in self._ended.items())
        took = sum(self._took[name] for name in self._ended)
        pace = took / guessed if guessed else 1.0
        return sum(
            phase.left
            * (
                self._took[name] / self._ended[name]
                if name in self._ended
                else pace * phase.seconds
            )
            for name, phase in self._phases.items()
        )
