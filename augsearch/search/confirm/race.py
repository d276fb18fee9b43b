"""The race behind a verdict: fresh seeds in stages, for the policies that are still in question.

After a first stage of `seeds` for everyone, the race is looked at. Candidates that are clearly
behind, or clearly no better than a baseline, leave; so do baselines that every candidate left has
beaten; the others get half as many seeds again, until a candidate is better than each baseline,
none is left, or the seeds are spent.

Looking several times gives chance several chances. So the error rate of 2.5 % on each side is
spent in parts, a look's part growing with its share of `max_seeds` and the last one taking the
rest (Lan and DeMets, Biometrika 70:659, 1983, with the spending function of Kim and DeMets,
Biometrika 74:149, 1987, exponent 1). The parts add up, which holds whatever the looks have in
common (Bonferroni). Within a look Holm's procedure runs over all candidates that were confirmed.

A race is a pure function of the readings that it fetches: stopped and begun again, it asks for the
same ones and ends the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from augsearch.stats.corrections import holm
from augsearch.stats.crossed import MeanEstimate, estimate_difference
from augsearch.stats.scored_images import Reading, ScoredImages

ALPHA = 0.025
"""Error rate of a whole race on one side, so that intervals are of 95 %."""
MARGIN = 0.02
"""Differences below two points count as equal."""
GROWTH = 1.5
"""Each stage brings the seeds to so many times what they were."""

Wanted = Sequence[tuple[str, int]]
Fetch = Callable[[Wanted], Mapping[tuple[str, int], Reading | None]]
"""The readings of (policy, seed); None for a run that diverged or collapsed."""


@dataclass(frozen=True)
class RacePlan:
    """How far a race may go.

    Attributes:
        top: most candidates, `baselines`: most baselines.
        seeds: of everyone, before the first look.
        max_seeds: most seeds of anyone.
        runs: most runs of candidates and baselines in all. The first stage is run in any case.
    """

    top: int
    baselines: int
    seeds: int
    max_seeds: int
    runs: int


@dataclass(frozen=True)
class Gap:
    """A candidate against a baseline (or the floor), at the last look that both were in.

    Attributes:
        alpha: the error rate that the lower end may use, shared with the other candidates. Better
            is better than every rival, so that rivals need no share.
        alpha_above: that of the upper end. Worse is worse than some rival, so each has a share.
    """

    of: str
    against: str
    estimate: MeanEstimate
    seeds: int
    alpha: float
    alpha_above: float

    @property
    def interval(self) -> tuple[float, float]:
        """Holds in 95 % of races, whichever candidate and baseline are looked at for being best,
        and whenever."""
        low, _ = self.estimate.interval(1 - 2 * self.alpha)
        _, high = self.estimate.interval(1 - 2 * self.alpha_above)
        return low, high

    @property
    def won(self) -> bool:
        return self.estimate.p_value <= self.alpha

    @property
    def hopeless(self) -> bool:
        """Clearly behind, or equal but for less than what counts."""
        low, high = self.interval
        return high < 0 or (low > -MARGIN and high < MARGIN)


@dataclass(frozen=True)
class Look:
    """When the race was looked at, and the error rate on one side that this look could spend."""

    seeds: int
    alpha: float


@dataclass(frozen=True)
class Race:
    """How a race went.

    Attributes:
        candidates, baselines: who took part, best in the search first.
        floor: name of the untrained encoder.
        readings: of each of them and of the floor, seeds 1, 2, ... in order.
        gaps: by (candidate, baseline or floor).
        proven: candidates that are better than each baseline and the floor.
    """

    candidates: tuple[str, ...]
    baselines: tuple[str, ...]
    floor: str
    readings: Mapping[str, Sequence[Reading]]
    looks: tuple[Look, ...]
    gaps: Mapping[tuple[str, str], Gap]
    proven: tuple[str, ...]


def run_race(
    candidates: Sequence[str],
    baselines: Sequence[str],
    floor: str,
    plan: RacePlan,
    images: ScoredImages | None,
    fetch: Fetch,
) -> Race | None:
    """Race the first `plan.top` candidates against the first `plan.baselines` baselines.

    Where a run fails, its policy leaves and the next best takes its place, from the first seed on.
    Runs that a policy had before it failed are not counted.

    Args:
        candidates, baselines: best in the search first, spare ones last.
        floor: the untrained encoder, which every policy must beat; costs no runs.
        images: the test images, if scores are means over them.

    Returns:
        None if no candidate or no baseline is left that does not fail.
    """
    failed: set[str] = set()
    while True:
        racers = [
            [name for name in names if name not in failed][:most]
            for names, most in ((candidates, plan.top), (baselines, plan.baselines))
        ]
        if not all(racers):
            return None
        race = _Racing(racers[0], racers[1], floor, plan, images, fetch)
        while not race.failed and not race.over:
            race.run_stage()
        if not race.failed:
            return race.result()
        failed |= race.failed


@dataclass
class _Racing:
    """A race under way, between policies none of which is known to fail."""

    candidates: list[str]
    baselines: list[str]
    floor: str
    plan: RacePlan
    images: ScoredImages | None
    fetch: Fetch
    looks: list[Look] = field(default_factory=list)
    gaps: dict[tuple[str, str], Gap] = field(default_factory=dict)
    proven: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    over: bool = False

    def __post_init__(self) -> None:
        self.open = list(self.candidates)
        self.rivals = list(self.baselines)
        everyone = (self.floor, *self.baselines, *self.candidates)
        self.readings: dict[str, list[Reading]] = {name: [] for name in everyone}

    @property
    def seeds(self) -> int:
        """Seeds of those that are still racing."""
        return len(self.readings[self.floor])

    @property
    def next_seeds(self) -> int:
        """Seeds after the next stage; as many as now if there can be none."""
        used = sum(len(self.readings[name]) for name in (*self.candidates, *self.baselines))
        affordable = max(0, self.plan.runs - used) // (len(self.open) + len(self.rivals))
        wanted = math.ceil(GROWTH * self.seeds)
        return min(wanted, self.seeds + affordable, max(self.plan.max_seeds, self.seeds))

    def run_stage(self) -> None:
        """Fetch the next seeds of everyone still racing, and look; or note who failed."""
        target = self.next_seeds if self.looks else self.plan.seeds
        racing = (self.floor, *self.rivals, *self.open)
        # Seed by seed, so that a race that is stopped has like numbers for all.
        wanted = [(name, seed) for seed in range(self.seeds + 1, target + 1) for name in racing]
        found = self.fetch(wanted)
        for name, seed in wanted:
            reading = found[name, seed]
            if reading is None:
                self.failed.add(name)
            else:
                self.readings[name].append(reading)
        if not self.failed:
            self._look()

    def _look(self) -> None:
        spent = sum(look.alpha for look in self.looks)
        last = self.next_seeds == self.seeds
        look = Look(self.seeds, ALPHA * (1 if last else self.seeds / self.plan.max_seeds) - spent)
        self.looks.append(look)
        found = self._compare(look)
        behind = {
            one
            for one, other in permutations(self.open, 2)
            if self._difference(one, other).interval(1 - 2 * look.alpha / len(self.candidates))[1]
            < 0
        }
        self.open = [
            c for c in self.open if c not in behind and not any(g.hopeless for g in found[c])
        ]
        self.rivals = [b for b in self.rivals if not all(self.gaps[c, b].won for c in self.open)]
        self.over = last or bool(self.proven) or not self.open

    def _compare(self, look: Look) -> dict[str, list[Gap]]:
        """Every candidate's gaps at this look; those that are proven better are noted."""
        count = len(self.candidates)  # those that left count as tried
        found = {
            c: {rival: self._difference(c, rival) for rival in (*self.rivals, self.floor)}
            for c in self.open
        }
        # Better than every baseline: the hardest comparison decides for each candidate.
        hardest = {c: max(e.p_value for e in estimates.values()) for c, estimates in found.items()}
        ranked = sorted(hardest, key=hardest.__getitem__)
        adjusted = holm([*(hardest[c] for c in ranked), *[1.0] * (count - len(ranked))])
        self.proven = [c for c, p in zip(ranked, adjusted, strict=False) if p <= look.alpha]
        alphas = {c: look.alpha / (count - rank) for rank, c in enumerate(self.proven)}
        rest = look.alpha / (count - len(self.proven)) if len(self.proven) < count else 0.0
        above = look.alpha / len(self.baselines)  # those that left count as well
        gaps = {
            c: [Gap(c, r, e, self.seeds, alphas.get(c, rest), above) for r, e in estimates.items()]
            for c, estimates in found.items()
        }
        self.gaps |= {(gap.of, gap.against): gap for some in gaps.values() for gap in some}
        return gaps

    def _difference(self, one: str, other: str) -> MeanEstimate:
        return estimate_difference(self.readings[one], self.readings[other], self.images)

    def result(self) -> Race:
        return Race(
            candidates=tuple(self.candidates),
            baselines=tuple(self.baselines),
            floor=self.floor,
            readings=self.readings,
            looks=tuple(self.looks),
            gaps=self.gaps,
            proven=tuple(self.proven),
        )
