"""Curves over labels: gains over the best of several, and labels at equal score."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from augsearch.stats.crossed import MeanEstimate
from augsearch.stats.curves import (
    Labels,
    Scale,
    equal_labels,
    first_to_reach,
    over_the_best,
    score_estimates,
)
from augsearch.stats.scored_images import ScoredImages

COUNTS = (5, 10, 20, 50)
SHAPES: dict[str, dict[str, Any]] = {
    "usual": {},
    "five seeds": {"seeds": 5},
    "few images": {"classes": 3, "each": 12, "gain": 0.8},
    "groups of ten": {"classes": 4, "each": 60, "group": 10},
    "noisy seeds": {"noise": 1.0},
    "two noisy seeds": {"noise": 0.8, "seeds": 2},
    "near the ceiling": {"base": 3.5},
    "few images at the ceiling": {"base": 4.5, "classes": 3, "each": 12, "noise": 0.1},
    "no difference": {"gain": 0.0},
}


def sure(mean, error=0.01, degrees=1000.0):
    return MeanEstimate(mean, error, degrees, images=True)


def test_a_gain_over_the_best_is_the_least_of_the_gains():
    gap = over_the_best([sure(0.05), sure(0.02), sure(0.08)], 0.95)
    assert gap.mean == 0.02
    assert gap.low == pytest.approx(0.02 - 1.96 * 0.01, abs=1e-4)
    assert gap.high == pytest.approx(0.02 + 2.40 * 0.01, abs=2e-4)  # 2.5 % shared by three
    alone = over_the_best([sure(0.02)], 0.95)
    assert (alone.low, alone.high) == pytest.approx(sure(0.02).interval(0.95))


def flat(scores, images):
    """Values `[S, n]` whose scores are these, the same for every seed up to a hair."""
    rng = np.random.default_rng(0)
    return {
        count: np.clip(score + rng.normal(0, 0.004, (4, len(images.labels))), 0, 1)
        for count, score in scores.items()
    }


def test_where_nothing_differs_an_image_of_each_class_still_might():
    images = ScoredImages(np.repeat([0, 1, 2], 12), np.arange(36), 1, by_class=True)
    right = np.ones((3, 36))
    for values in (right, right - right):
        estimate = Scale.of([values, values], images).estimate(values)
        assert estimate.error == pytest.approx(1 / (12 * math.sqrt(3)))


def test_labels_at_equal_score_lie_where_the_curve_passes():
    images = ScoredImages(np.repeat([0, 1], 800), np.arange(1600), 1, by_class=True)
    curve = flat({5: 0.5, 10: 0.6, 20: 0.7, 50: 0.8}, images)
    found = equal_labels(curve, flat({0: 0.65}, images)[0], images, 0.95)
    assert found.mean == pytest.approx(math.sqrt(10 * 20), rel=0.06)  # half of the way in logs
    assert found.low < found.mean < found.high and found.high / found.low < 1.25
    beyond = equal_labels(curve, flat({0: 0.9}, images)[0], images, 0.95)
    assert beyond == Labels(math.inf, math.inf, math.inf)
    below = equal_labels(curve, flat({0: 0.4}, images)[0], images, 0.95)
    assert below == Labels(0, 0, 0)


def test_the_first_of_several_curves_counts():
    each = [Labels(30, 20, 40), Labels(12, 9, 22), Labels(math.inf, 45, math.inf)]
    wide = [Labels(30, 18, 44), Labels(12, 8, 26), Labels(math.inf, 40, math.inf)]
    assert first_to_reach(each, wide) == Labels(12, 9, 26)


class World:
    """Hits of several ways at several numbers of labels, with a truth that is known."""

    def __init__(self, classes=6, each=75, group=1, seeds=3, noise=0.3, gain=0.5, base=0.0):
        self.seeds, self.noise = seeds, noise
        labels = np.repeat(np.arange(classes), each)
        self.images = ScoredImages(labels, np.arange(len(labels)) // group, 1, by_class=True)
        self.slopes = {
            "scratch": (base, 1.0),
            "other": (base - 0.1, 1.0),
            "third": (base + 0.02, 1.0),
            "ours": (base + gain, 0.6),
        }
        self.truth = {
            way: {count: self._truth(way, count) for count in COUNTS} for way in self.slopes
        }

    def _height(self, way, count):
        base, slope = self.slopes[way]
        return base + slope * math.log(count / 5)

    def _truth(self, way, count):
        spread = math.sqrt(4 * self.noise**2 * 5 / count + 1 + 0.25 + 0.25)
        normal = np.random.default_rng(1).standard_normal(200_000)
        return expit(self._height(way, count) + spread * normal).mean()

    def draw(self, rng):
        images, noise, seeds = self.images, self.noise, self.seeds
        kinds, parts = int(images.labels.max()) + 1, int(images.groups.max()) + 1
        hard = rng.normal(0, 1, parts)[images.groups]
        common = rng.normal(0, noise, (seeds, 1)) + rng.normal(0, noise, (seeds, kinds))
        found = {}
        for way in self.slopes:
            own = rng.normal(0, 0.5, parts)[images.groups]
            luck = rng.normal(0, noise, (seeds, 1)) + rng.normal(0, noise, (seeds, kinds))
            found[way] = {}
            for count in COUNTS:
                drift = math.sqrt(5 / count) * (common + luck)[:, images.labels]
                rest = rng.normal(0, 0.5, (seeds, parts))[:, images.groups]
                chance = expit(self._height(way, count) + drift + hard + own + rest)
                found[way][count] = (rng.random(chance.shape) < chance).astype(float)
        return found

    def labels_for(self, ways, score):
        """At how many labels the first of these curves is there."""
        grid = np.geomspace(5, 50, 2000)
        best = math.inf
        for way in ways:
            heights = np.interp(np.log(grid), np.log(COUNTS), list(self.truth[way].values()))
            there = grid[heights >= score]
            if len(there):
                best = min(best, 0.0 if heights[0] > score else float(there[0]))
        return best


def coverage(world, times):
    """How often intervals hold: of a score, a gain over the best, and labels at equal score."""
    rng, others = np.random.default_rng(0), ("scratch", "other", "third")
    together = 1 - 0.05 / len(others)
    held = {"score": [], "gain": [], "labels": []}
    for _ in range(times):
        drawn = world.draw(rng)
        for count in (5, 20):
            ours = drawn["ours"][count]
            scores = score_estimates([drawn[way][count] for way in drawn], world.images)
            low, high = scores[list(drawn).index("ours")].interval(0.95)
            held["score"].append(low <= world.truth["ours"][count] <= high)
            gaps = [ours - drawn[way][count] for way in others]
            scale = Scale.of(gaps, world.images)
            gap = over_the_best([scale.estimate(one) for one in gaps], 0.95)
            truth = min(world.truth["ours"][count] - world.truth[way][count] for way in others)
            held["gain"].append(gap.low <= truth <= gap.high)
        each, wide = (
            [equal_labels(drawn[way], drawn["ours"][5], world.images, level) for way in others]
            for level in (0.95, together)
        )
        found = first_to_reach(each, wide)
        needed = world.labels_for(others, world.truth["ours"][5])
        held["labels"].append(found.low <= needed <= found.high)
    return {what: float(np.mean(each)) for what, each in held.items()}


@pytest.mark.long
def test_intervals_hold_in_a_simulated_pilot():
    assert min(coverage(World(), 40).values()) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_hold_whatever_the_shape(shape):
    held = coverage(World(**SHAPES[shape]), 150)
    assert min(held.values()) >= 0.92, held
