"""Shares and thresholds: how often their intervals hold, by simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest

from augsearch.stats.proportions import fewest_defects, miss_limit, share_of


def test_single_images_have_the_exact_interval():
    hits = np.arange(40) < 6
    found = share_of(hits, np.arange(40))
    exact = binomtest(6, 40).proportion_ci(method="exact")
    assert (found.value, found.of) == (0.15, 40)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    nothing, everything = (
        share_of(hits & False, np.arange(40)),
        share_of(hits | True, np.arange(40)),
    )
    assert (nothing.low, everything.high) == (0.0, 1.0)
    assert nothing.high == pytest.approx(1 - 0.025 ** (1 / 40))
    assert share_of(hits[:0], np.arange(0)) is None


@pytest.mark.parametrize("size", [1, 4])
def test_intervals_hold_for_parts_of_several_images(size):
    """Images of one part are alike: without its groups the interval would miss far more often."""
    rng = np.random.default_rng(0)
    missed = naive = 0
    for _ in range(2000):
        rates = rng.beta(0.9, 2.1, 40)  # mean 0.3, very different from part to part
        groups = np.repeat(np.arange(40), size)
        hits = rng.random(len(groups)) < rates[groups]
        found = share_of(hits, groups)
        missed += not found.low <= 0.3 <= found.high
        alone = share_of(hits, np.arange(len(groups)))
        naive += not alone.low <= 0.3 <= alone.high
    assert missed / 2000 <= 0.06
    if size > 1:
        assert naive / 2000 > 0.1


@pytest.mark.parametrize(
    "sizes", [[100] + [1] * 9, [50, 20, 10, 5, 5, 2, 2, 1, 1, 1], [20] * 3, [10] * 10]
)
@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_intervals_hold_for_few_parts_of_very_different_sizes(sizes, rate):
    rng = np.random.default_rng(0)
    groups, missed = np.repeat(np.arange(len(sizes)), sizes), 0
    for _ in range(400):
        rates = rng.beta(rate / 4, (1 - rate) / 4, len(sizes))  # correlation 0.8 within a part
        found = share_of(rng.random(len(groups)) < rates[groups], groups)
        missed += not found.low <= rate <= found.high
    assert missed / 400 <= 0.09


@pytest.mark.parametrize("rate", [0.02, 0.1])
@pytest.mark.parametrize("count", [60, 300])
def test_a_threshold_misses_what_it_says(rate, count):
    rng = np.random.default_rng(1)
    true, inside = [], 0
    for _ in range(1500):
        found = miss_limit(rng.normal(2, 1, count), rate)
        if found is None:
            assert count < fewest_defects(rate)
            return
        from scipy.stats import norm

        true.append(norm.cdf(found.threshold - 2))
        inside += found.low <= true[-1] <= found.high
    assert np.mean(true) <= rate + 0.002
    assert np.mean(true) == pytest.approx(found.expected, abs=0.003)
    assert inside / 1500 == pytest.approx(0.95, abs=0.02)


def test_too_few_defects_promise_nothing():
    assert fewest_defects(0.02) == 49
    for rate in (1 / 161, 1 / 187, 0.3):
        least = fewest_defects(rate)
        assert miss_limit(np.arange(float(least)), rate) is not None
        assert miss_limit(np.arange(float(least - 1)), rate) is None
    assert miss_limit(np.arange(48.0), 0.02) is None
    assert miss_limit(np.arange(49.0), 0.02).threshold == 0.0
