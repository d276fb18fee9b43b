"""What a study has told so far, added up: how far it is, how long it will take, who leads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from augsearch.progress import Estimate, Phase, PhaseCost, duration
from augsearch.watch.forecast import Forecast

CALLED: dict[Phase, str] = {"trials": "search"}
"""Phases that people call otherwise."""


class Account:
    """Keeps the books for whatever shows a study; it draws nothing.

    Attributes:
        now: what is going on, in a few words.
        detail: what the run that is under way does; empty if that is not known.
        done, total: runs of this phase, or of this round of it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._forecast = Forecast(clock=clock)
        self._lengths: Mapping[str, float] = {}
        self._phase: Phase | None = None
        self._share = self._furthest = 0.0
        self._images: float | None = None
        self._begun: tuple[str, int, float] | None = None
        self._step_left: float | None = None
        self._best: float | None = None
        self._baseline: float | None = None
        self.now = self.detail = ""
        self.done = self.total = self._before = 0

    def estimated(self, estimate: Estimate) -> None:
        starting = estimate.starting_seconds
        self._forecast = Forecast(estimate.phases, self._clock, starting)

    def expected(self, phases: Sequence[PhaseCost], lengths: Mapping[str, float]) -> None:
        self._forecast, self._lengths = Forecast(phases, self._clock), lengths
        self._furthest = 0.0  # a search that came first is another whole

    def images(self, done: int, total: int) -> None:
        self._images = done / total if done < total else None
        self.now = f"decoding images {done}/{total}" if done < total else ""

    def phase(self, name: Phase, done: int, total: int, round: str) -> str:
        """A phase begins; its title."""
        self._forecast.begin(name, done, total)
        self._phase, self.done, self.total, self._before = name, done, total, done
        self._share, self.detail = 0.0, ""
        self._say()
        return f"{CALLED.get(name, name)} {round}".rstrip()

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        self._share = step / steps
        self.detail = f"{run}: step {step} of {steps}, {images_per_second:.0f} images/s"
        if self._begun is None or self._begun[0] != run:
            self._begun, self._step_left = (run, step, self._clock()), None
        elif step > self._begun[1]:
            took = (self._clock() - self._begun[2]) / (step - self._begun[1])
            self._step_left = took * (steps - step)
        if self._phase is None:
            self.now = "training"

    def run_ended(self, run: str, *, counts: bool) -> None:
        self._forecast.run_ended(counts=counts, length=self._lengths.get(run, 1.0))
        self.done += counts
        self._share, self.detail = 0.0, ""
        self._say()

    @property
    def under_way(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.now)

    @property
    def share(self) -> float:
        """Of the whole, in [0, 1]: of all phases, of one training, or of the images' decoding."""
        if self._images is not None:
            return self._images
        if self._phase is None:
            return self._share
        # What is learnt of the runs' length must not draw the bar backwards.
        self._furthest = max(self._furthest, self._forecast.share(self._share))
        return self._furthest

    @property
    def time_left(self) -> str:
        """`about 12 min left`, for all phases; empty as long as nothing is known."""
        if self._images is not None:
            return ""
        left = self._step_left if self._phase is None else self._forecast.left()
        return f"about {duration(left)} left" if left else ""

    @property
    def said(self) -> str:
        """Time left, and what is going on: of a long line the end can go."""
        return ": ".join(filter(None, [self.time_left, self.now]))

    @property
    def runs_seen(self) -> int:
        """That have ended since this began."""
        return self._forecast.ended

    def standing(self, score: float | None, remark: str) -> str:
        """How the best trial stands against the best baseline, where that is what happens."""
        if score is None:
            return ""
        if self._phase == "baselines" and not remark:  # the floor is no baseline
            self._baseline = max(score, self._baseline or 0.0)
        if self._phase != "trials" or remark:
            return ""
        self._best = max(score, self._best or 0.0)
        against = f", best baseline {100 * self._baseline:.1f}" if self._baseline else ""
        since = " of this sitting" if self._before else ""  # earlier ones are not known here
        return f"best{since} {100 * self._best:.1f}{against}"

    def _say(self) -> None:
        if self._phase is None:
            return
        to_come = [CALLED.get(name, name) for name in self._forecast.to_come]
        then = f", then {', '.join(to_come)}" if to_come else ""
        if self._forecast.over:
            then = ", results to be written"
        self.now = f"{CALLED.get(self._phase, self._phase)} {self.done}/{self.total}{then}"
