"""The verdict's statistics, against SciPy and against simulated truth."""

import numpy as np
import pytest
from scipy import stats

from augsearch.search.verdict import decide, holm, paired_difference

UNTRAINED = [0.50, 0.51, 0.49, 0.50, 0.50]
BASELINES = {"a": [0.70, 0.71, 0.69, 0.70, 0.70], "b": [0.65, 0.66, 0.64, 0.65, 0.65]}


def shifted(scores, by):
    wobble = np.array([0.002, -0.001, 0.0, 0.001, -0.002])
    return list(np.asarray(scores) + by + wobble)


def test_paired_difference_agrees_with_scipy():
    rng = np.random.default_rng(0)
    one, two = rng.normal(0.7, 0.05, 6), rng.normal(0.65, 0.05, 6)
    found = paired_difference("one", "two", one, two)
    reference = stats.ttest_rel(one, two, alternative="greater")
    interval = stats.ttest_rel(one, two).confidence_interval(0.95)
    assert found.p_value == pytest.approx(reference.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5]) == [0.5]


@pytest.mark.parametrize(
    ("gain", "noise", "code", "recommended"),
    [
        (0.05, 0.0, "better", "trial 1"),
        (0.0, 0.0, "as_good", "trial 1"),
        (-0.05, 0.0, "worse", "a"),
        (0.01, 0.06, "indistinguishable", "trial 1"),
    ],
)
def test_each_verdict_is_reached(gain, noise, code, recommended):
    wild = noise * np.array([1, -1, 0.8, -0.9, 0.2])
    verdict = decide({"trial 1": shifted(BASELINES["a"], gain + wild)}, BASELINES, UNTRAINED)
    assert verdict.code == code
    assert verdict.recommended == recommended


def test_better_needs_to_beat_each_baseline():
    """Beating the weaker baseline clearly is not enough."""
    candidate = shifted(BASELINES["b"], 0.02)
    assert decide({"trial 1": candidate}, BASELINES, UNTRAINED).code == "worse"


def test_a_budget_that_teaches_nothing_is_called_that():
    baselines = {name: shifted(UNTRAINED, 0.0) for name in BASELINES}
    verdict = decide({"trial 1": shifted(UNTRAINED, -0.001)}, baselines, UNTRAINED)
    assert verdict.code == "measures_nothing"
    assert "untrained" in verdict.sentence


def test_equal_policies_are_rarely_called_better():
    """Two candidates and two baselines, all equal in truth: few are called "better"."""
    rng = np.random.default_rng(1)
    falsely = 0
    for _ in range(1000):
        scores = rng.normal(0.7, 0.02, (4, 5)) + rng.normal(0, 0.03, (1, 5))
        names = dict(zip("wxyz", scores, strict=True))
        verdict = decide({k: names[k] for k in "wx"}, {k: names[k] for k in "yz"}, [0.3] * 5)
        falsely += verdict.code == "better"
    assert falsely <= 35


def test_an_interval_that_leaves_out_zero_may_still_be_chance_among_several():
    wobble = np.array([1, -1, 0.8, -0.9, 0.1])
    wobble = (wobble - wobble.mean()) / wobble.std(ddof=1)
    gaps = 0.03 + wobble * 0.03 * np.sqrt(5) / 3  # t = 3: two-sided p = 0.04, one-sided 0.02
    candidates = {
        "trial 1": list(np.asarray(BASELINES["a"]) + gaps),
        "trial 2": shifted(BASELINES["a"], -0.01),
    }
    verdict = decide(candidates, {"a": BASELINES["a"]}, UNTRAINED)
    gap = next(d for d in verdict.differences if d.of == "trial 1" and d.against == "a")
    assert gap.low > 0
    assert verdict.code == "indistinguishable"
    assert "among the 2 policies confirmed it may be chance" in verdict.sentence
