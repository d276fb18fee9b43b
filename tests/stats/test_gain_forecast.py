"""What a search will gain, foreseen from a few policies."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from augsearch.stats.forecast import foresee_gain

NOISE, TRIALS = 0.014, 48


def simulated(rng, spread, baselines=4, others=2):
    """A domain of the model's kind: what triage sees, and what its search gains in truth."""
    place, scale = 0.7, spread * np.sqrt(6) / np.pi

    def true(count):
        return stats.gumbel_l.rvs(place, scale, size=count, random_state=rng)

    def shown(policies):
        return policies + NOISE * rng.standard_normal(len(policies))

    known, more, found = true(baselines), true(others), true(TRIALS)
    gain = found[shown(found).argmax()] - known.max()
    return shown(known), shown(more), max(gain, 0.0)


@pytest.mark.parametrize("spread", [0.005, 0.03, 0.1])
def test_its_interval_encloses_the_gain_as_often_as_it_says(spread):
    rng, inside, foreseen, gains = np.random.default_rng(0), 0, [], []
    for number in range(40):
        known, more, gain = simulated(rng, spread)
        found = foresee_gain(known, more, NOISE, TRIALS, seed=number)
        low, high = found.interval(0.8)
        inside += low <= gain <= high
        foreseen.append(found.mean)
        gains.append(gain)
    assert inside >= 0.7 * 40
    if spread > NOISE:
        assert np.mean(foreseen) == pytest.approx(np.mean(gains), rel=0.5)


def test_equal_policies_promise_little_and_spread_ones_more():
    equal = foresee_gain([0.8, 0.8, 0.81, 0.8], [0.8, 0.79], NOISE, TRIALS)
    spread = foresee_gain([0.7, 0.8, 0.75, 0.6], [0.65, 0.79], NOISE, TRIALS)
    assert equal.chance_above(0.01) < 0.5 < spread.chance_above(0.01)
    assert equal.mean < spread.mean
    assert equal.spread < spread.spread


def test_no_score_is_above_one():
    found = foresee_gain([0.99, 0.97, 0.9, 0.98], [0.995], NOISE, 1000)
    assert found.best <= 1
    assert (found.gains + found.best).max() < 1.03
    assert found.mean < 0.012


def test_more_trials_find_more():
    few, many = (foresee_gain([0.7, 0.75], [0.6, 0.72], NOISE, n).mean for n in (2, 200))
    assert few < many


def test_a_failed_search_falls_back_on_the_baseline():
    found = foresee_gain([0.95, 0.4], [0.42, 0.41], NOISE, 1)
    assert (found.gains < 0).any()
    assert found.mean >= 0
    assert found.interval(0.8)[0] == 0


def test_a_gain_that_is_there_may_not_be_shown():
    found = foresee_gain([0.7, 0.8, 0.75, 0.6], [0.65, 0.79], NOISE, TRIALS)
    shown = [found.chance_shown(detectable) for detectable in (0.001, 0.02, 0.05, 0.3)]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == pytest.approx(found.chance_above(0), abs=0.02)
    assert shown[-1] < 0.1
    certain = replace(found, gains=np.full(100, 0.05))
    assert certain.chance_shown(0.05) == pytest.approx(0.8)


def test_the_same_numbers_give_the_same_answer():
    first, again = (foresee_gain([0.7, 0.8], [0.75], NOISE, TRIALS) for _ in range(2))
    assert (first.gains == again.gains).all()


def test_one_policy_is_no_spread():
    with pytest.raises(ValueError, match="another policy"):
        foresee_gain([0.8], [], NOISE, TRIALS)
    with pytest.raises(ValueError, match="a baseline"):
        foresee_gain([], [0.8, 0.7], NOISE, TRIALS)
