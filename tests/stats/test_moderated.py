"""Errors of means over few seeds that learn from each other."""

import numpy as np
import pytest
from scipy import stats

from augsearch.stats.corrections import holm
from augsearch.stats.crossed import MeanEstimate
from augsearch.stats.moderated import among_equals, common_variance, moderated_means, two_sided


def test_few_rows_have_the_usual_t():
    rows = np.array([[1.0, 2.0, 4.0], [0.0, 0.5, -1.0]])
    for row, estimate in zip(rows, moderated_means(rows), strict=True):
        test = stats.ttest_1samp(row, 0)
        assert two_sided(estimate) == pytest.approx(test.pvalue)
        assert estimate.interval(0.95) == pytest.approx(tuple(test.confidence_interval(0.95)))
    with pytest.raises(ValueError, match="two or more seeds"):
        moderated_means(rows[:, :1])


def test_the_prior_of_variances_that_were_drawn_from_it_is_found():
    # Variances from a scaled inverse chi-squared with 6 degrees of freedom about 4, each measured
    # with 3 (Smyth 2004, equations 1 and 2).
    rng = np.random.default_rng(0)
    true = 4 * 6 / rng.chisquare(6, 40_000)
    prior, degrees = common_variance(true * rng.chisquare(3, 40_000) / 3, 3)
    assert (prior, degrees) == (pytest.approx(4, rel=0.03), pytest.approx(6, rel=0.06))
    equal = 4 * (rng.chisquare(3, 400) / 3) ** 0.9  # spread less than chance would
    assert common_variance(equal, 3)[1] == np.inf


def test_intervals_cover_and_false_claims_stay_rare_with_a_shared_reference():
    rng = np.random.default_rng(1)
    covered, claims = [], []
    for _ in range(300):
        rows = rng.normal(0, 1, (12, 3)) - rng.normal(0, 1, 3)
        estimates = moderated_means(rows)
        covered += [low < 0 < high for low, high in (e.interval(0.95) for e in estimates)]
        claims.append(min(holm([two_sided(e) for e in estimates])) < 0.05)
    assert 0.92 < np.mean(covered) < 0.98
    assert np.mean(claims) < 0.09


@pytest.mark.long
def test_the_best_of_equals_is_seldom_called_better_than_any():
    rng = np.random.default_rng(2)
    claims = []
    for _ in range(100):
        scores = rng.normal(0, 1, (8, 4))
        best = int(scores.mean(axis=1).argmax())
        gaps = moderated_means(scores[best] - np.delete(scores, best, axis=0))
        claims.append(min(among_equals(gap, 8) for gap in gaps) < 0.05)
    assert np.mean(claims) < 0.12


def test_rows_without_spread_are_ties_and_not_certainties():
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(0, 0.05, (20, 3)), [[0.01, 0.01, 0.01]], np.zeros((9, 3))])
    rows[20] += [0, 1e-17, 0]  # what subtracting recalls leaves
    without = moderated_means(rows[:20])
    for one, same in zip(without, moderated_means(rows), strict=False):
        assert (one.error, one.mean) == (same.error, same.mean)
    tie = moderated_means(rows)[20]
    assert tie.error > 0.01 and two_sided(tie) > 0.5
    # Too few to know anything of noise: nothing can be claimed.
    assert all(two_sided(e) == 1 for e in moderated_means(np.array([[0.05, 0.05]])))


def test_few_rows_without_spread_have_the_largest_error_of_the_others():
    wide, tie = moderated_means(np.array([[0.0, 0.1, 0.2], [0.1, 0.1, 0.1]]))
    assert tie.error == wide.error > 0


def test_two_sided_without_any_spread():
    assert two_sided(MeanEstimate(0.0, 0.0, 2, images=False)) == 1
    assert two_sided(MeanEstimate(-0.1, 0.0, 2, images=False)) == 1
    assert all(two_sided(e) == 1 for e in moderated_means(np.zeros((5, 3))))
