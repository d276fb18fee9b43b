"""Intervals over seeds and test images, against SciPy and against simulated truth."""

import numpy as np
import pytest
from scipy import stats
from simulated import hit_runs, images, runs

from augsearch.stats.corrections import holm
from augsearch.stats.crossed import _estimate, estimate_difference, estimate_mean
from augsearch.stats.scored_images import ScoredImages


def test_without_images_it_is_the_paired_t_test():
    rng = np.random.default_rng(0)
    one, two = rng.normal(0.7, 0.05, 6), rng.normal(0.65, 0.05, 6)
    found = estimate_difference(runs(one), runs(two), None)
    reference = stats.ttest_rel(one, two, alternative="greater")
    interval = stats.ttest_rel(one, two).confidence_interval(0.95)
    assert not found.images
    assert found.p_value == pytest.approx(reference.pvalue)
    assert found.interval(0.95) == pytest.approx((interval.low, interval.high))


def test_mean_squares_by_hand():
    """Three seeds, four images, one class: the textbook's two-way table without replication."""
    sample = images(4, classes=1)
    table = np.array([[5, 9, 12, 20], [3, 10, 15, 19], [8, 6, 18, 16]])
    found = estimate_mean(hit_runs(table, sample), sample)
    values = table / 20
    rows, columns, grand = values.mean(1), values.mean(0), values.mean()
    seeds = 4 * ((rows - grand) ** 2).sum() / 2
    pictures = 3 * ((columns - grand) ** 2).sum() / 3
    rest = ((values - rows[:, None] - columns + grand) ** 2).sum() / 6
    assert found.images
    assert found.error**2 == pytest.approx((seeds + pictures - rest) / 12)
    degrees = (seeds + pictures - rest) ** 2 / (seeds**2 / 2 + pictures**2 / 3 + rest**2 / 6)
    assert found.degrees == pytest.approx(degrees)


def test_images_of_a_group_count_once():
    rng = np.random.default_rng(0)
    single, triple = images(60), images(180, group=3)
    hits = rng.integers(0, 21, (5, 60))
    # Every image three times, in one group: nothing is learnt from the copies.
    copies = np.empty((5, 180), dtype=int)
    for group in range(3):
        index = np.arange(60)
        copies[:, (index // 5 * 3 + group) * 5 + index % 5] = hits
    once = estimate_mean(hit_runs(hits, single), single)
    thrice = estimate_mean(hit_runs(copies, triple), triple)
    assert thrice.mean == pytest.approx(once.mean)
    assert thrice.error == pytest.approx(once.error)
    assert thrice.degrees == pytest.approx(once.degrees)


def test_what_all_images_of_a_class_share_is_not_the_images_part():
    """Classes are not drawn at random: a class that is hard for both adds no uncertainty."""
    sample = images(100)
    rng = np.random.default_rng(0)
    hits = rng.binomial(20, 0.5, (5, 100))
    harder = hits // 2 * (sample.labels == 0) + hits * (sample.labels != 0)
    shifted = hits.astype(float)
    shifted[:, sample.labels == 0] -= 3
    plain, moved = (_estimate(h.mean(1) / 20, h / 20, sample) for h in (hits, shifted))
    assert moved.error == pytest.approx(plain.error)
    assert not np.allclose(harder, hits)


@pytest.mark.parametrize(
    ("seeds", "count", "between_seeds", "between_images", "by_class", "group"),
    [
        (5, 105, 0.01, 0.1, True, 1),
        (5, 225, 0.02, 0.2, True, 1),
        (6, 225, 0.02, 0.25, False, 3),
        (8, 225, 0.015, 0.3, True, 3),
        (10, 495, 0.01, 0.15, True, 1),
    ],
)
def test_95_percent_intervals_hold_the_truth_in_95_percent(
    seeds, count, between_seeds, between_images, by_class, group
):
    """Differences between two policies whose true mean is known, other seeds and images each
    time; a policy's score has `between_seeds` as its standard deviation."""
    rng = np.random.default_rng(seeds * count)
    sample = images(count, group=group, by_class=by_class)
    _, member = np.unique(sample.groups, return_inverse=True)
    tries, truth = 1500, 0.03
    held = alone = 0
    for _ in range(tries):
        seed = rng.normal(0, between_seeds * 2**0.5, (seeds, 1))
        part = rng.normal(0, between_images, member.max() + 1)[member]
        image = 0.8 * part + 0.6 * rng.normal(0, between_images, count)
        values = truth + seed + image + rng.normal(0, 0.2, (seeds, count))
        score = values.mean(axis=1)
        low, high = _estimate(score, values, sample).interval(0.95)
        held += low <= truth <= high
        low, high = _estimate(score, None, None).interval(0.95)
        alone += low <= truth <= high
    assert 0.93 <= held / tries <= 0.97
    assert alone / tries < 0.93  # the same over seeds alone


def test_unknown_hits_leave_an_interval_over_seeds():
    sample = images(20)
    known = hit_runs(np.random.default_rng(0).integers(0, 21, (5, 20)), sample)
    unknown = [*known[:-1], known[-1]._replace(hits=())]
    assert estimate_mean(known, sample).images
    assert not estimate_mean(unknown, sample).images


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5]) == [0.5]


def crossed_misses(sizes, seeds=5, tries=1500, spread=0.2):
    """Shares of 95 % intervals that lie above and below the truth, 0, of equal policies: images
    differ by `spread`. Simulated without the package's own code."""
    rng = np.random.default_rng(sum(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    sample = ScoredImages(labels, np.arange(len(labels)), 20, by_class=True)
    above = below = 0
    for _ in range(tries):
        values = rng.normal(0, spread, len(labels)) + rng.normal(0, 0.1, (seeds, len(labels)))
        values += rng.normal(0, 0.01, (seeds, 1))
        score = np.mean([values[:, labels == c].mean(axis=1) for c in range(len(sizes))], axis=0)
        low, high = _estimate(score, values, sample).interval(0.95)
        above += low > 0
        below += high < 0
    return above / tries, below / tries


@pytest.mark.parametrize("sizes", [(5, 195), (2, 100, 100), (3, 3, 3, 191), (50, 50, 50)])
def test_small_classes_do_not_make_intervals_too_narrow(sizes):
    # 2.5 % on each side are 38 of 1500; 56 are three standard deviations more.
    assert max(crossed_misses(sizes)) <= 56 / 1500


def test_a_class_whose_few_images_agree_by_chance_is_not_taken_to_vary_little():
    """One image in ten differs: five images of a class often show none of it."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [5, 195])
    sample = ScoredImages(labels, np.arange(200), 20, by_class=True)
    common = np.where(rng.random(200) < 0.1, rng.choice([-0.6, 0.6], 200), 0.0)
    common[:5] = 0
    values = common + rng.normal(0, 0.001, (5, 200))
    score = (values[:, :5].mean(axis=1) + values[:, 5:].mean(axis=1)) / 2
    found = _estimate(score, values, sample)
    assert found.error == pytest.approx(
        common[5:].std(ddof=1) / 2 * (1 / 5 + 1 / 195) ** 0.5, rel=0.05
    )


def test_a_group_that_spans_classes_is_one_unit():
    """Twenty groups of an image of each of two classes, all of a group alike: the mean over
    classes varies as the groups do, and not as forty images would."""
    rng = np.random.default_rng(0)
    labels, groups = np.tile([0, 1], 20), np.repeat(np.arange(20), 2)
    part = rng.normal(0, 0.2, 20)
    values = part[groups] + rng.normal(0, 1e-4, (5, 40))
    sample = ScoredImages(labels, groups, 20, by_class=True)
    found = _estimate(values.mean(axis=1), values, sample)
    assert found.error == pytest.approx(part.std(ddof=1) / 20**0.5, rel=0.01)
    assert found.degrees == pytest.approx(19, rel=0.01)


def test_with_one_image_in_every_class_the_interval_is_over_seeds():
    sample = ScoredImages(np.arange(3), np.arange(3), 20, by_class=True)
    runs_ = hit_runs(np.random.default_rng(0).integers(0, 21, (5, 3)), sample)
    assert not estimate_mean(runs_, sample).images
