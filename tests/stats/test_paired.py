"""The upper end of a loss holds what it promises."""

import numpy as np
import pytest
from scipy.stats import multinomial

from augsearch.stats.paired import loss_of, upper_end


def marks(*counts):
    """`before` and `after` of images: right in both, lost, won, wrong in both."""
    before = np.repeat([True, True, False, False], counts)
    after = np.repeat([True, False, True, False], counts)
    return before, after


def test_nothing_lost_is_no_proof():
    before, after = marks(60, 0, 0, 0)
    found = loss_of(before, after, np.arange(60))
    assert found.value == 0 and found.of == 60
    assert found.high == pytest.approx(1 - 0.05 ** (1 / 60))
    assert loss_of(before[:0], after[:0], np.arange(0)) is None


def test_what_is_won_counts_against_what_is_lost():
    before, after = marks(180, 10, 0, 10)
    lost = loss_of(before, after, np.arange(200))
    before, after = marks(180, 10, 8, 2)
    both = loss_of(before, after, np.arange(200))
    assert both.value == pytest.approx(0.01) and both.high < lost.high


def test_images_of_one_part_say_less():
    before, after = marks(88, 2, 0, 0)
    alone = loss_of(before, after, np.arange(90))
    threes = loss_of(before, after, np.arange(90) // 3)
    assert threes.value == alone.value and threes.high > alone.high
    assert threes.high == pytest.approx(upper_end(2 / 3, 0, 30))


@pytest.mark.parametrize(
    ("count", "lost", "won"),
    [(40, 0.01, 0.0), (40, 0.05, 0.05), (120, 0.02, 0.01), (120, 0.03, 0.0), (120, 0.1, 0.02)],
)
def test_it_lies_above_the_truth_19_times_in_20(count, lost, won):
    """Exact: over all outcomes, each with its chance."""
    covered = 0.0
    for a in range(count + 1):
        for b in range(count + 1 - a):
            chance = multinomial.pmf([a, b, count - a - b], count, [lost, won, 1 - lost - won])
            if chance > 1e-7:
                covered += chance * (upper_end(a, b, count) >= lost - won - 1e-12)
    assert covered > 0.93
