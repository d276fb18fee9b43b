"""From what classifiers say of the sealed pictures to curves, gains and labels saved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from augsearch.piloting.prepare import Prepared
from augsearch.piloting.result import (
    BASELINE,
    BEST,
    SCRATCH,
    Curve,
    CurvePoint,
    Estimated,
    Gain,
    SameScore,
)
from augsearch.piloting.runs import Answers, Point, Simclr, read_points, sealed_labels
from augsearch.piloting.ways import Way
from augsearch.stats.corrections import holm
from augsearch.stats.crossed import MeanEstimate
from augsearch.stats.curves import (
    Gap,
    Labels,
    Scale,
    Values,
    equal_labels,
    first_to_reach,
    over_the_best,
    score_estimates,
)
from augsearch.stats.scored_images import ScoredImages

LEVEL = 0.95
SHOWN = (1 - LEVEL) / 2


@dataclass(frozen=True)
class Evidence:
    """What all classifiers say.

    Attributes:
        answers: of every point.
        simclr: seconds of every pretraining.
    """

    prepared: Prepared
    answers: Mapping[Point, Answers]
    simclr: Mapping[Simclr, float]

    @classmethod
    def kept(cls, prepared: Prepared, simclr: Mapping[Simclr, float]) -> Evidence:
        """Of answers that are there by now, which are read when they are asked for."""
        return cls(prepared, read_points(prepared), simclr)

    @cached_property
    def images(self) -> ScoredImages:
        """The sealed pictures as a sample."""
        sealed = self.prepared.sealed
        groups = sealed.groups[sealed.one_each(np.arange(len(sealed)))]
        return ScoredImages(sealed_labels(self.prepared), groups, draws=1, by_class=True)

    def right(self, way: Way, labels: int) -> Values:
        """`[S, n]` whether each seed was right on each sealed picture."""
        return np.stack([guess == self.images.labels for guess in self.guesses(way, labels)]) * 1.0

    def guesses(self, way: Way, labels: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Of each seed."""
        seeds = range(self.prepared.pilot.seeds)
        return [self.answers[Point(way, labels, seed)].guesses for seed in seeds]

    def seconds(self, way: Way, labels: int) -> float:
        """That a classifier took."""
        seeds = range(self.prepared.pilot.seeds)
        return float(np.mean([self.answers[Point(way, labels, seed)].seconds for seed in seeds]))


def curves_of(evidence: Evidence) -> tuple[Curve, ...]:
    """Every way at every number of labels."""
    prepared = evidence.prepared
    points = {way: list[CurvePoint]() for way in prepared.ways}
    for count in prepared.counts:
        values = {way: evidence.right(way, count) for way in prepared.ways}
        scores = _estimates(list(values.values()), evidence.images)
        missed, alarms = _misses(evidence, count)
        for place, way in enumerate(prepared.ways):
            points[way].append(
                CurvePoint(
                    labels=count,
                    score=scores[place],
                    missed=missed[place] if missed else None,
                    false_alarms=alarms[place] if alarms else None,
                    seconds=evidence.seconds(way, count),
                )
            )
    return tuple(
        Curve(
            way=way.key,
            title=way.title,
            begins=way.begins,
            simclr=way.simclr.name if way.simclr else None,
            points=tuple(points[way]),
            search_hours=prepared.search_seconds / 3600 if way.searched else 0.0,
            simclr_hours=_simclr_hours(evidence, way),
        )
        for way in prepared.ways
    )


def _simclr_hours(evidence: Evidence, way: Way) -> float:
    seconds = [taken for run, taken in evidence.simclr.items() if run.way == way]
    return float(np.mean(seconds)) / 3600 if seconds else 0.0


def _estimates(values: Sequence[Values], images: ScoredImages) -> list[Estimated]:
    """Shares with their intervals, which lie in [0, 1] as they do."""
    found = []
    for estimate in score_estimates(values, images):
        low, high = estimate.interval(LEVEL)
        found.append(Estimated(mean=estimate.mean, low=max(0.0, low), high=min(1.0, high)))
    return found


def _misses(evidence: Evidence, count: int) -> tuple[list[Estimated], list[Estimated]]:
    """Missed defects and false alarms of every way; empty without a good class."""
    prepared, images = evidence.prepared, evidence.images
    good = prepared.config.finetune.good
    if good is None:
        return [], []
    place = prepared.images.classes.index(good)
    found: list[list[Estimated]] = []
    for own in (images.labels != place, images.labels == place):
        if not own.any():
            return [], []
        part = ScoredImages(images.labels[own], images.groups[own], draws=1, by_class=False)
        wrong = [
            np.stack([(g[own] == place) != (images.labels[own] == place) for g in guesses]) * 1.0
            for way in prepared.ways
            for guesses in (evidence.guesses(way, count),)
        ]
        found.append(_estimates(wrong, part))
    return found[0], found[1]


def gains_of(evidence: Evidence) -> tuple[Gain, ...]:
    """What each way with a pretraining gives, against labels alone and against the best of the
    ways that do without one."""
    prepared, images = evidence.prepared, evidence.images
    ours = [way for way in prepared.ways if way.simclr]
    others = [way for way in prepared.ways if not way.simclr]
    values = {
        (way, count): evidence.right(way, count)
        for way in prepared.ways
        for count in prepared.counts
    }
    together = 1 - (1 - LEVEL) / len(others)
    found: list[tuple[Gain, float]] = []
    for count in prepared.counts:
        pairs = {
            (way, one): values[way, count] - values[one, count] for way in ours for one in others
        }
        scale = Scale.of(list(pairs.values()), images)
        for way in ours:
            each = [scale.estimate(pairs[way, one]) for one in others]
            same = {
                level: [
                    equal_labels(
                        {number: values[one, number] for number in prepared.counts},
                        values[way, count],
                        images,
                        level,
                    )
                    for one in others
                ]
                for level in (LEVEL, together)
            }
            labels = {
                SCRATCH: same[LEVEL][0],
                BEST: first_to_reach(same[LEVEL], same[together]),
            }
            gaps = {SCRATCH: over_the_best(each[:1], LEVEL), BEST: over_the_best(each, LEVEL)}
            for against in (SCRATCH, BEST):
                gain = _gain(way, against, count, gaps[against], labels[against])
                found.append((gain, _p_value(each)))
    return (*_with_shown(found), *_over_baseline(evidence, values))


def _over_baseline(evidence: Evidence, values: Mapping[tuple[Way, int], Values]) -> list[Gain]:
    """What the found policy gives over the published one, both pretrained from nothing."""
    by_key = {way.key: way for way in evidence.prepared.ways}
    ours, theirs = by_key["simclr_found"], by_key.get("simclr_baseline")
    if theirs is None:
        return []
    counts = evidence.prepared.counts
    curve = {count: values[theirs, count] for count in counts}
    scale = Scale.of([values[ours, count] - curve[count] for count in counts], evidence.images)
    return [
        _gain(
            ours,
            BASELINE,
            count,
            over_the_best([scale.estimate(values[ours, count] - curve[count])], LEVEL),
            equal_labels(curve, values[ours, count], evidence.images, LEVEL),
        )
        for count in counts
    ]


def _gain(way: Way, against: str, count: int, gap: Gap, same: Labels) -> Gain:
    return Gain.model_validate(
        {
            "way": way.key,
            "against": against,
            "labels": count,
            "gained": Estimated(mean=gap.mean, low=max(-1.0, gap.low), high=min(1.0, gap.high)),
            "same": SameScore(
                labels=_finite(same.mean), low=_finite(same.low), high=_finite(same.high)
            ),
            "shown": None,
        }
    )


def _finite(labels: float) -> float | None:
    return None if math.isinf(labels) else round(labels, 1)


def _p_value(each: Sequence[MeanEstimate]) -> float:
    """Of the claim that something is better than every one of several others: all must be shown."""
    return max(one.p_value for one in each)


def _with_shown(found: Sequence[tuple[Gain, float]]) -> tuple[Gain, ...]:
    """Which gains over the best are shown, when all are claimed together."""
    adjusted = iter(holm([p for gain, p in found if gain.against == BEST]))
    return tuple(
        gain.model_copy(update={"shown": next(adjusted) < SHOWN}) if gain.against == BEST else gain
        for gain, _ in found
    )
