"""Which classes gain and lose: over seeds and images, and over as many classes as there are."""

import numpy as np
import pytest
from simulated import Run

from augsearch.stats.classes import class_differences, level_of_each
from augsearch.stats.scored_images import ScoredImages


def hits(rng, labels, image_sd, seeds=5):
    """Runs of two equal policies that suit different images."""
    shape = (seeds, len(labels))
    classes = rng.normal(0, 0.02, (2, seeds, labels.max() + 1))[:, :, labels]
    shares = (
        classes + rng.normal(0, image_sd, (2, 1, len(labels))) + rng.normal(0, 0.1, (2, *shape))
    )
    return [[Run(0.0, 20 * row) for row in policy] for policy in shares]


@pytest.mark.parametrize("sizes", [(60,) * 6, (5, 5, 40, 60, 220)])
def test_a_class_is_seldom_said_to_gain_or_lose_by_an_equal_policy(sizes):
    rng = np.random.default_rng(len(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    sample = ScoredImages(labels, np.arange(len(labels)), 20, by_class=True)
    flagged = alone = 0
    for _ in range(200):
        ours, theirs = hits(rng, labels, 0.15)
        found = class_differences(ours, theirs, sample)
        ends = [one.interval(level_of_each(len(found))) for one in found.values()]
        flagged += any(low > 0 or high < 0 for low, high in ends)
        shares = sample.shares(ours) - sample.shares(theirs)
        rows = np.array([shares[:, labels == c].mean(axis=1) for c in range(len(sizes))])
        error = rows.std(axis=1, ddof=1) / 5**0.5
        alone += bool((abs(rows.mean(axis=1)) > 4.6 * error).any())  # t(4), five classes
    assert flagged <= 20  # 5 % of 200 are 10
    assert alone > 40  # the same over seeds alone


def test_a_class_that_loses_is_found_and_the_others_are_not_said_to():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 60)
    sample = ScoredImages(labels, np.arange(240), 20, by_class=True)
    ours, theirs = hits(rng, labels, 0.1)
    ours = [Run(0.0, run.hits - 20 * 0.3 * (labels == 2)) for run in ours]
    found = class_differences(ours, theirs, sample)
    ends = {label: one.interval(level_of_each(4)) for label, one in found.items()}
    assert [label for label, (low, high) in ends.items() if high < 0] == [2]
    assert found[2].mean == pytest.approx(-0.3, abs=0.06)


def test_without_hits_there_is_no_interval():
    sample = ScoredImages(np.array([0, 0, 1, 1]), np.arange(4), 20, by_class=True)
    assert class_differences([Run(0.5)] * 5, [Run(0.4)] * 5, sample) == {}
