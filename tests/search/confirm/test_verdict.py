"""The verdict's words and codes on races whose outcome is known."""

import numpy as np
import pytest
from simulated import FLOOR, images, race_of, runs

from augsearch.search.confirm.decide import decide
from augsearch.search.confirm.race import RacePlan
from augsearch.search.confirm.words import guessing
from augsearch.stats.scored_images import ScoredImages
from augsearch.store.sealed import sealed_note

UNTRAINED = [0.50, 0.51, 0.49, 0.50, 0.50]
BASELINES = {"a": [0.70, 0.71, 0.69, 0.70, 0.70], "b": [0.65, 0.66, 0.64, 0.65, 0.65]}


def shifted(scores, by):
    wobble = np.array([0.002, -0.001, 0.0, 0.001, -0.002])
    return list(np.asarray(scores) + by + wobble)


def verdict_of(
    candidates, baselines=BASELINES, untrained=UNTRAINED, plan=None, barred=None, frozen=False
):
    scores = {"candidates": candidates, "baselines": baselines, "floor": {FLOOR: untrained}}
    return decide(race_of(scores, plan), None, barred, frozen=frozen)


@pytest.mark.parametrize(
    ("gain", "noise", "code", "recommended"),
    [
        (0.05, 0.0, "better", "trial 1"),
        (0.0, 0.0, "as_good", "trial 1"),
        (-0.05, 0.0, "worse", "a"),
        (0.01, 0.06, "indistinguishable", "trial 1"),
        (-0.02, 0.06, "indistinguishable", "a"),
    ],
)
def test_each_verdict_is_reached(gain, noise, code, recommended):
    wild = noise * np.array([1, -1, 0.8, -0.9, 0.2])
    verdict = verdict_of({"trial 1": shifted(BASELINES["a"], gain + wild)})
    assert verdict.code == code
    assert verdict.recommended == recommended


def test_better_names_every_baseline_that_was_beaten_and_by_how_much():
    verdict = verdict_of({"trial 1": shifted(BASELINES["a"], 0.05)})
    assert verdict.badge == "▲ Better"
    assert verdict.sentence.startswith(
        "The policy found here reaches 75.0 %, a (the best of 2 baselines confirmed) 70.0 %. The "
        "gain is 5.0 points (95 % interval "
    )
    assert "is trial 1: +10.0 points against b. Judged" in verdict.basis


@pytest.mark.parametrize("by_class", [True, False])
def test_a_verdict_says_what_guessing_gives(by_class):
    labels = np.repeat([0, 1], [30, 10])
    sample = ScoredImages(labels, np.arange(40), draws=1, by_class=by_class)
    assert guessing(sample) == (0.5 if by_class else 0.75)


def test_published_policies_are_called_so_by_names_that_say_something():
    published = dict(zip(("SimCLR s=0.5", "TrivialAugment"), BASELINES.values(), strict=True))
    verdict = verdict_of({"trial 1": shifted(BASELINES["a"], -0.05)}, published)
    named = "SimCLR at colour strength 0.5"
    best = f"{named} (the best of 2 published policies confirmed) 70.0 %"
    assert best in verdict.sentence and "s=0.5" not in verdict.sentence
    assert verdict.advice.startswith(f"Use {named}, which is in policy.yaml")
    assert "the difference is −5.0 points (95 % interval −" in verdict.sentence


def test_better_needs_to_beat_each_baseline():
    """Beating the weaker baseline clearly is not enough."""
    assert verdict_of({"trial 1": shifted(BASELINES["b"], 0.02)}).code == "worse"


def test_better_needs_to_beat_the_untrained_encoder():
    candidate = {"trial 1": shifted(BASELINES["a"], 0.05)}
    assert verdict_of(candidate, untrained=shifted(BASELINES["a"], 0.06)).code != "better"


BARRED = {"trial 1": "The class pit loses 4.0 points of recall, more than the limit of 2."}


def test_a_candidate_that_breaks_the_limit_makes_room_for_one_that_does_not():
    two = {name: shifted(BASELINES["a"], gain) for name, gain in (("trial 1", 0.06), ("b2", 0.03))}
    assert verdict_of(two).recommended == "trial 1"
    verdict = verdict_of(two, barred=BARRED)
    assert (verdict.code, verdict.recommended) == ("better", "b2")
    assert verdict.advice.endswith(f"trial 1 is left out: {BARRED['trial 1']}")


def test_a_candidate_that_breaks_the_limit_is_not_recommended_for_want_of_another():
    verdict = verdict_of({"trial 1": shifted(BASELINES["a"], 0.06)}, barred=BARRED)
    assert (verdict.code, verdict.recommended) == ("breaks_limit", "a")
    assert "The difference is +6.0 points (" in verdict.sentence
    assert BARRED["trial 1"] in verdict.sentence and "raise search.class_loss" in verdict.advice
    # One that is worse anyway is called that.
    assert verdict_of({"trial 1": shifted(BASELINES["a"], -0.06)}, barred=BARRED).code == "worse"


def test_a_budget_that_teaches_nothing_is_called_that():
    baselines = {name: shifted(UNTRAINED, 0.0) for name in BASELINES}
    verdict = verdict_of({"trial 1": shifted(UNTRAINED, -0.001)}, baselines)
    assert verdict.code == "measures_nothing"
    assert "than an encoder without any training" in verdict.sentence


def test_the_interval_counts_how_many_were_confirmed():
    """What would be better alone may be chance among several: the interval says so itself."""
    wobble = np.array([1, -1, 0.8, -0.9, 0.1])
    wobble = (wobble - wobble.mean()) / wobble.std(ddof=1)
    gaps = 0.03 + wobble * 0.03 * np.sqrt(5) / 3  # t = 3: one-sided p = 0.02
    winner = {"trial 1": list(np.asarray(BASELINES["a"]) + gaps)}
    alone = verdict_of(winner, {"a": BASELINES["a"]})
    among = verdict_of({**winner, "trial 2": shifted(BASELINES["a"], -0.01)}, {"a": BASELINES["a"]})
    assert alone.code == "better"
    assert among.code == "indistinguishable"
    low, wider = (
        next(d.low for d in verdict.differences if (d.of, d.against) == ("trial 1", "a"))
        for verdict in (alone, among)
    )
    assert low > 0 > wider


def test_the_basis_names_looks_seeds_images_and_what_would_have_been_seen():
    rng = np.random.default_rng(0)
    scores = {
        "candidates": {"trial 1": list(rng.normal(0.71, 0.02, 15))},
        "baselines": {"a": list(rng.normal(0.7, 0.02, 15))},
        "floor": {FLOOR: list(rng.normal(0.3, 0.02, 15))},
    }
    race = race_of(scores, RacePlan(1, 1, 5, 15, 1000))
    verdict = decide(race, None)
    assert [look.seeds for look in verdict.looks] == [5, 8, 12, 15]
    assert verdict.seeds == {"trial 1": 15, "a": 15, FLOOR: 15}
    assert "Judged after 5, 8, 12 and 15 fresh seeds" in verdict.basis
    assert "on these same test images" in verdict.basis
    assert (
        f"{100 * verdict.detectable:.1f} points over one policy would have been seen"
        in verdict.basis
    )
    assert verdict.test_images == 0


def test_with_hits_the_verdict_holds_for_other_images():
    from simulated import hit_runs

    rng = np.random.default_rng(0)
    sample = images(100)
    scores = {
        "candidates": {"trial 1": hit_runs(rng.binomial(20, 0.8, (5, 100)), sample)},
        "baselines": {"a": hit_runs(rng.binomial(20, 0.5, (5, 100)), sample)},
        "floor": {FLOOR: hit_runs(rng.binomial(20, 0.2, (5, 100)), sample)},
    }
    verdict = decide(race_of(scores, sample=sample), sample)
    assert verdict.code == "better"
    assert verdict.test_images == 100
    assert "other test images (here 100)" in verdict.basis


def test_a_sealed_split_that_judged_many_studies_is_called_worn():
    assert sealed_note(1) == ""
    assert "used 2 times" in sealed_note(2) and "by chance" not in sealed_note(5)
    assert "by chance" in sealed_note(6)


def test_unequal_numbers_of_seeds_are_a_mistake():
    from augsearch.stats.crossed import estimate_difference

    with pytest.raises(ValueError, match="same seeds"):
        estimate_difference(runs([0.1, 0.2]), runs([0.1]), None)


def test_worse_is_not_more_easily_said_of_many_baselines():
    """One of four equal baselines is above by chance: 8 % without a share for each."""
    rng = np.random.default_rng(0)
    worse = 0
    for _ in range(800):
        names = [list(rng.normal(0.7, 0.02, 5)) for _ in range(5)]
        baselines = dict(zip("abcd", names[1:], strict=True))
        worse += verdict_of({"trial 1": names[0]}, baselines).code == "worse"
    assert worse <= 32  # 2.5 % of 800 are 20


def test_as_good_holds_against_each_baseline():
    """The baseline of the highest mean is met to the point; another, just below it, is so noisy
    that it may be far better."""
    noisy = list(0.699 + 0.06 * np.array([1, -1, 0.8, -0.9, 0.1]))
    verdict = verdict_of(
        {"trial 1": shifted(BASELINES["a"], 0.0)}, {"a": BASELINES["a"], "c": noisy}
    )
    assert verdict.code == "indistinguishable"


def test_four_baselines_that_equal_the_untrained_encoder_measure_nothing():
    rng = np.random.default_rng(0)
    measured = 0
    for _ in range(400):
        floor, candidate, *baselines = (list(rng.normal(0.5, 0.02, 5)) for _ in range(6))
        code = verdict_of(
            {"trial 1": candidate}, dict(zip("abcd", baselines, strict=True)), floor
        ).code
        measured += code not in ("measures_nothing", "worse")
    assert measured <= 20  # 2.5 % of 400 are 10


def test_where_nothing_beats_frozen_weights_they_are_to_be_used_as_they_are():
    above = shifted(BASELINES["a"], 0.08)
    verdict = verdict_of({"trial 1": shifted(BASELINES["a"], 0.03)}, untrained=above, frozen=True)
    assert verdict.code == "as_they_are"
    begins = (
        "The pretrained weights as they are reach 78.0 %. Trained further under the policy found "
        "here, they reach 73.0 %: the difference is −5.0 points ("
    )
    assert verdict.sentence.startswith(begins)
    assert "Use the pretrained features as they are" in verdict.advice
    # The same scores above an encoder of random numbers say that the budget is too small.
    scratch = verdict_of({"trial 1": shifted(BASELINES["a"], 0.03)}, untrained=above)
    assert scratch.code == "measures_nothing"


def test_a_winner_must_beat_the_frozen_weights_and_says_by_how_much():
    verdict = verdict_of({"trial 1": shifted(BASELINES["a"], 0.05)}, frozen=True)
    assert verdict.code == "better"
    assert f"+25.0 points against {FLOOR}. Judged" in verdict.basis
    level = shifted(BASELINES["a"], 0.05)
    assert verdict_of({"trial 1": level}, untrained=level, frozen=True).code == "as_they_are"


def test_one_baseline_above_the_weights_is_enough_to_measure_something():
    low = shifted(BASELINES["b"], 0.02)
    verdict = verdict_of({"trial 1": shifted(BASELINES["a"], -0.05)}, untrained=low, frozen=True)
    assert verdict.code == "worse"
    assert verdict.recommended == "a"
