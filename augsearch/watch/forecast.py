"""How far a study is, and how long it will still take: guessed from a few steps, then learnt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from augsearch.progress import Phase, PhaseCost


class Forecast:
    """Seconds that are left of the whole study, by the runs that have ended.

    A phase whose runs have ended goes on at their pace. One that is still to come takes what was
    guessed times what the runs so far took over what they were guessed at.

    Args:
        phases: in their order; one that is not among them is added when it begins.
        clock: seconds.
        starting: seconds that the first run takes longer, because processes start with it.

    Attributes:
        ended: runs that ended while this looked on.
    """

    def __init__(
        self,
        phases: Sequence[PhaseCost] = (),
        clock: Callable[[], float] = time.monotonic,
        starting: float = 0.0,
    ) -> None:
        self._phases = {phase.name: phase for phase in phases}
        self._clock, self._starting = clock, starting
        self._now: Phase = "baselines"
        self._last = clock()
        self._took: dict[Phase, float] = {}
        self._ended: dict[Phase, float] = {}
        self.ended = 0

    @property
    def to_come(self) -> list[Phase]:
        """The phases after this one of which something is left."""
        names = list(self._phases)
        after = names[names.index(self._now) + 1 :] if self._now in names else names
        return [name for name in after if self._phases[name].left]

    @property
    def over(self) -> bool:
        """Whether nothing is left to run."""
        return not any(phase.left for phase in self._phases.values())

    def begin(self, name: Phase, done: int, total: int) -> None:
        """A phase begins, or another round of it."""
        guess = self._phases.get(name, PhaseCost(name, total, done, 0.0))
        for earlier in takewhile(lambda phase: phase != name, list(self._phases)):
            self._phases[earlier] = replace(self._phases[earlier], done=self._phases[earlier].runs)
        self._phases[name] = replace(guess, runs=max(guess.runs, guess.done + total - done))
        self._now, self._last = name, self._clock()

    def run_ended(self, *, counts: bool, length: float = 1.0) -> None:
        """A run ended; one that failed in a trial's place took time but does not count.

        Args:
            length: for how many runs of the mean length it stands.
        """
        now = self._clock()
        took, self._last = now - self._last, now
        if self._starting:
            guess = self._phases[self._now].seconds if self._now in self._phases else 0.0
            took, self._starting = max(took - self._starting, min(took, guess)), 0.0
        self._took[self._now] = self._took.get(self._now, 0.0) + took
        if counts:
            self.ended += 1
            self._ended[self._now] = self._ended.get(self._now, 0.0) + length
            phase = self._phases[self._now]
            self._phases[self._now] = replace(phase, done=phase.done + length)

    def left(self) -> float | None:
        """Seconds, less those since a run ended last; None as long as there is nothing to go by."""
        if not any(self._pace(phase) for phase in self._phases.values()):
            return None
        ahead = sum(phase.left * self._pace(phase) for phase in self._phases.values())
        return max(0.0, ahead - (self._clock() - self._last))

    def share(self, under_way: float = 0.0) -> float:
        """Of the whole, in [0, 1], that is done, runs weighed by the time that they take.

        Args:
            under_way: share of the run that goes on.
        """
        done = whole = 0.0
        paces = [pace for pace in map(self._pace, self._phases.values()) if pace]
        usual = sum(paces) / len(paces) if paces else 1.0
        for name, phase in self._phases.items():
            pace = self._pace(phase) or usual
            further = under_way if name == self._now and phase.left else 0.0
            done += pace * (phase.done + further)
            whole += pace * max(phase.runs, phase.done)
        return min(1.0, done / whole) if whole else 0.0

    def _pace(self, phase: PhaseCost) -> float:
        """Seconds from one run's end to the next one's."""
        if phase.name in self._ended:
            return self._took[phase.name] / self._ended[phase.name]
        guessed = sum(self._phases[name].seconds * count for name, count in self._ended.items())
        took = sum(self._took[name] for name in self._ended)
        return phase.seconds * (took / guessed if guessed else 1.0)
