"""Simulated confirmations of policies whose true scores are known, judged by the product's code.

The model, in points of recall. A policy p under seed s has the test image i of group g right in a
share of label draws

    level_p + seed_s + seed_ps + labels_ps + 0.8 group_pg + 0.6 image_pi + rest_psi

All terms are drawn anew for each replay, and all policies' from the same distributions, so that
policies of one level are equal in truth. Standard deviations are of differences of two policies:
`image_sd` of 0.8 group + 0.6 image together, `SEED_SD` of seed_ps, `label_sd` of labels_ps and
`REST_SD` of rest. Images are normal unless `tail` says otherwise. With `discrete` the share is
that of `DRAWS` coin flips whose odds are moved so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binomtest

from augsearch.bench.bench import UNTRAINED
from augsearch.search.confirm.confirmation import Confirmation, Entrant
from augsearch.search.confirm.decide import decide
from augsearch.search.confirm.race import RacePlan, run_race
from augsearch.search.confirm.verdict import Verdict
from augsearch.stats.scored_images import ScoredImages

SEED_SD, REST_SD, COMMON_SD = 0.019, 0.09, 0.01
DRAWS = 20
FLOOR_GAP = -0.3
LOGIT = 5.0
"""Points of recall to odds, near a half: the slope of a logistic curve there is a quarter."""

Tail = Literal["normal", "t3", "skewed"]
Layout = Callable[[np.random.Generator], tuple[NDArray[np.int64], NDArray[np.int64]]]
"""Draws labels and groups of the test images."""


class Run(NamedTuple):
    """A confirmation run; what the product reads off an `Outcome`."""

    score: float
    hits: NDArray[np.float64]
    class_recall: Mapping[str, float]
    seen: tuple[int, ...] = ()


def single(*sizes: int) -> Layout:
    """Classes of so many images, each by itself."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    alone = np.arange(len(labels))
    return lambda _: (labels, alone)


def grouped(*classes: int, most: int = 9) -> Layout:
    """Classes of so many groups of 1 to `most` images."""

    def draw(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        sizes = rng.integers(1, most + 1, sum(classes))
        of_group = np.repeat(np.arange(len(classes)), classes)
        return np.repeat(of_group, sizes), np.repeat(np.arange(len(sizes)), sizes)

    return draw


def across(groups: int, size: int, odds: Sequence[float]) -> Layout:
    """Groups whose images are of any class, with these odds; each class has some."""

    def draw(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        while True:
            labels = rng.choice(len(odds), groups * size, p=odds)
            if len(np.unique(labels)) == len(odds):
                return labels, np.repeat(np.arange(groups), size)

    return draw


@dataclass(frozen=True)
class World:
    """What is simulated; fields as in the module's text.

    Attributes:
        lead: by how much candidates are above all baselines in truth.
        floor: by how much the untrained encoder is above the baselines.
        shared_labels: every seed is scored with the same labels, as it was once.
        by_image: whether the product knows the hits, or the scores alone.
    """

    layout: Layout
    image_sd: float
    candidates: int = 1
    baselines: int = 1
    tail: Tail = "normal"
    label_sd: float = 0.0
    shared_labels: bool = False
    lead: float = 0.0
    floor: float = FLOOR_GAP
    discrete: bool = False
    by_image: bool = True
    seeds: int = 5
    max_seeds: int = 15

    @cached_property
    def plan(self) -> RacePlan:
        """That of `standard`: 26 runs for two candidates and two baselines."""
        policies = self.candidates + self.baselines
        return RacePlan(
            self.candidates, self.baselines, self.seeds, self.max_seeds, 26 * policies // 4
        )

    def names(self) -> dict[str, Literal["candidate", "baseline", "floor"]]:
        """Every policy and what it is."""
        return {
            **{f"candidate {k}": "candidate" for k in range(self.candidates)},
            **{f"baseline {k}": "baseline" for k in range(self.baselines)},
            UNTRAINED: "floor",
        }

    def confirmed(self, rng: np.random.Generator) -> Confirmation:
        """One confirmation."""
        labels, groups = self.layout(rng)
        images = _sample(labels, groups, DRAWS if self.discrete else 1)
        names = self.names()
        runs = self._runs(rng, labels, groups)

        def fetch(wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Any]:
            return {(name, seed): runs[name][seed - 1] for name, seed in wanted}

        by_kind = {
            kind: [name for name, own in names.items() if own == kind]
            for kind in ("candidate", "baseline")
        }
        known = images if self.by_image else None
        race = run_race(
            by_kind["candidate"], by_kind["baseline"], UNTRAINED, self.plan, known, fetch
        )
        if race is None:
            raise RuntimeError("no simulated run fails")
        outcomes: Any = race.readings
        return Confirmation(
            entrants=[Entrant(name, kind, None, 0.0) for name, kind in names.items()],
            race=race,
            images=known,
            outcomes=outcomes,
            class_loss=0.0,
            sealed=images,
            classes=tuple(str(number) for number in range(int(labels.max()) + 1)),
        )

    def _runs(
        self, rng: np.random.Generator, labels: NDArray[np.int64], groups: NDArray[np.int64]
    ) -> dict[str, list[Run]]:
        of_class = np.eye(int(labels.max()) + 1)[labels]
        of_class /= of_class.sum(axis=0)
        names = self.names()
        leads = {"candidate": self.lead, "baseline": 0.0, "floor": self.floor}
        common = COMMON_SD * rng.standard_normal((self.max_seeds, 1))
        found = {}
        for name, kind in names.items():
            shape = (self.max_seeds, 1)
            seed = SEED_SD * rng.standard_normal(shape)
            labelled = rng.standard_normal((1, 1) if self.shared_labels else shape)
            image = 0.8 * self._effects(rng, int(groups.max()) + 1)[groups]
            image += 0.6 * self._effects(rng, len(labels))
            moved = seed + self.label_sd * labelled + self.image_sd * image
            moved = moved + REST_SD * rng.standard_normal((self.max_seeds, len(labels)))
            shares = leads[kind] + common + moved / np.sqrt(2)
            if self.discrete:
                shares = rng.binomial(DRAWS, expit(LOGIT * shares)) / DRAWS
            recalls = shares @ of_class
            hits = shares * (DRAWS if self.discrete else 1)
            found[name] = [
                Run(float(row.mean()), own, {str(c): float(r) for c, r in enumerate(row)})
                for row, own in zip(recalls, hits, strict=True)
            ]
        return found

    def _effects(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Of mean 0 and standard deviation 1."""
        if self.tail == "t3":
            return np.asarray(rng.standard_t(3, count) / np.sqrt(3))
        if self.tail == "skewed":  # one image in ten loses much
            return np.where(rng.random(count) < 0.1, -3.0, 1 / 3)
        return rng.standard_normal(count)


_known: dict[int, ScoredImages] = {}


def _sample(labels: NDArray[np.int64], groups: NDArray[np.int64], draws: int) -> ScoredImages:
    """One object for one layout that is the same in all replays: it keeps what it worked out."""
    last = _known.get(draws)
    if last is None or last.labels is not labels:
        last = _known[draws] = ScoredImages(labels, groups, draws, by_class=True)
    return last


class Errors(NamedTuple):
    """What was said in one replay."""

    code: str
    flagged: bool
    barred: bool

    @classmethod
    def of(cls, confirmed: Confirmation) -> Errors:
        verdict: Verdict = decide(confirmed.race, confirmed.images)
        changes = confirmed.changes_of(verdict.recommended)
        kept = [confirmed.kept_classes(name) for name in confirmed.race.candidates]
        return cls(
            code=verdict.code,
            flagged=changes is not None and any(c.finding != "open" for c in changes.classes),
            barred=any(one is not None and not one.holds for one in kept),
        )


def replays(world: World, count: int, number: int = 0) -> Iterator[Errors]:
    """So many confirmations of a world, the same for the same `number`."""
    for replay in range(count):
        yield Errors.of(world.confirmed(np.random.default_rng([number, replay])))


def share(errors: Sequence[Errors], wrong: Callable[[Errors], bool]) -> dict[str, float]:
    """How often, with two-sided 95 % Clopper-Pearson bounds."""
    count = sum(map(wrong, errors))
    bounds = binomtest(count, len(errors)).proportion_ci(0.95, method="exact")
    return {"share": count / len(errors), "low": float(bounds.low), "high": float(bounds.high)}
