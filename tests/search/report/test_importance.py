"""What trials say of their parameters, on functions whose truth is known."""

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from augsearch.bench.outcome import Outcome
from augsearch.search.report.parameters.trials import FEWEST, goodness
from augsearch.search.report.parameters.understand import understand
from augsearch.store.frozen_trials import PRICE

AXES: dict[str, Any] = {
    "crop.scale_min": FloatDistribution(0.1, 1.0),
    "jitter.hue": FloatDistribution(0.0, 0.5),
    "jitter.p": CategoricalDistribution((0.0, 0.5, 1.0)),
    "flip.p": CategoricalDistribution((0.0, 0.5)),
    "blur.sigma": FloatDistribution(0.01, 1.0, log=True),
}


def drawn(count, score, seed=0, noise=0.02, stopped=0):
    """Trials at random points, the first `stopped` of the worst ones stopped at step 10."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        params = {
            name: float(
                rng.choice(axis.choices)
                if isinstance(axis, CategoricalDistribution)
                else np.exp(rng.uniform(np.log(axis.low), np.log(axis.high)))
                if axis.log
                else rng.uniform(axis.low, axis.high)
            )
            for name, axis in AXES.items()
        }
        value = score(params) + rng.normal(0, noise)
        found.append((params, value))
    worst = sorted(range(count), key=lambda i: found[i][1])[:stopped]
    return [
        optuna.create_trial(
            params=params,
            distributions=dict(AXES),
            **(
                {"state": TrialState.PRUNED, "intermediate_values": {10: value / 2}}
                if i in worst
                else {"value": value, "intermediate_values": {10: value / 2}}
            ),
        )
        for i, (params, value) in enumerate(found)
    ]


def crop_matters(params):
    return 0.7 - 0.3 * params["crop.scale_min"]


def noise_alone(params):
    return 0.5


def hue_hurts_without_flip(params):
    hue, flip = params["jitter.hue"] / 0.5, params["flip.p"] / 0.5
    return 0.6 + 0.1 * (hue - 0.5) * (flip - 0.5) * (params["jitter.p"] > 0)


@pytest.mark.long
def test_the_planted_parameter_has_the_weight_and_the_slope():
    found = understand(drawn(60, crop_matters, stopped=20))
    assert [w.name for w in found.weights if w.shown] == ["crop.scale_min"]
    assert found.weights[0].name == "crop.scale_min"
    assert sum(weight.share for weight in found.weights) == pytest.approx(1)
    assert [m.name for m in found.marginals if m.shown] == ["crop.scale_min"]
    [common] = [c for c in found.common if c.shown]
    assert common.name == "crop.scale_min" and common.best[2] < common.rest[0] + 0.3
    assert (found.finished, found.complete, found.quarter) == (60, 40, 15)


@pytest.mark.slow
def test_a_marginal_encloses_the_truth():
    inside = []
    for seed in range(8):
        marginals = understand(drawn(30, crop_matters, seed=seed, noise=0.05)).marginals
        [crop] = [m for m in marginals if m.name == "crop.scale_min"]
        truth = [crop_matters({"crop.scale_min": value}) for value in crop.at]
        inside.append(np.mean((np.array(crop.low) < truth) & (truth < np.array(crop.high))))
    assert 0.88 < np.mean(inside) <= 1


@pytest.mark.slow
def test_noise_is_not_called_an_effect():
    """Of 16 studies of pure noise, one in any part is what a test at 5 % may find; four in one
    part are found in fewer than one of 100 runs of such a test."""
    called = {"weights": 0, "marginals": 0, "interactions": 0, "common": 0}
    for seed in range(16):
        found = understand(drawn(44, noise_alone, seed=seed))
        for part in called:
            called[part] += any(one.shown for one in getattr(found, part))
    assert max(called.values()) <= 3, called


@pytest.mark.long
def test_the_planted_interaction_is_found_and_no_other():
    found = understand(drawn(120, hue_hurts_without_flip))
    [shown] = [i for i in found.interactions if i.shown]
    assert {shown.first, shown.second} == {"jitter.hue", "flip.p"}
    # From the 10th to the 90th percentile of hue, 0.8 of its range: 10 points times that.
    assert shown.low < 8 < shown.high
    assert shown.effects[1] - shown.effects[0] == pytest.approx(shown.difference)
    assert shown.effects[0] < -2 and shown.effects[1] > 2


@pytest.mark.long
def test_an_operation_that_is_off_tells_nothing_of_its_parameters():
    trials = drawn(60, crop_matters)
    on = sum(trial.params["jitter.p"] > 0 for trial in trials)
    [hue] = [m for m in understand(trials).marginals if m.name == "jitter.hue"]
    assert hue.trials == on < 60
    [crop] = [m for m in understand(trials).marginals if m.name == "crop.scale_min"]
    assert crop.trials == 60


@pytest.mark.long
def test_stopped_trials_count_with_what_the_others_gained_from_there():
    """At step 10 all trials stand at half their score: those that were stopped end above it by what
    complete ones gain in the median."""
    trials = drawn(60, crop_matters, stopped=50)
    found = understand(trials)
    assert (found.finished, found.complete) == (60, 10)
    [crop] = [m for m in found.marginals if m.shown]
    assert crop.name == "crop.scale_min" and crop.trials == 60
    gain = np.median([t.value - t.intermediate_values[10] for t in trials if t.value])
    ends = [t.value if t.value else t.intermediate_values[10] + gain for t in trials]
    assert [score for _, score in crop.points] == pytest.approx(ends)


def test_importance_and_effect_come_from_the_same_trials():
    """Where an operation was off, its parameter took values that did nothing: here these are
    extreme and the scores high, which told of hue what was true of the gate."""
    trials = drawn(80, lambda params: 0.5 + 0.2 * (params["jitter.p"] == 0), noise=0.02)
    moved = [
        optuna.create_trial(
            params={
                **t.params,
                "jitter.hue": (0.45 if t.params["jitter.p"] == 0 else 0.5) * t.params["jitter.hue"]
                + (0.275 if t.params["jitter.p"] == 0 else 0.0),
            },
            distributions=dict(AXES),
            value=t.value,
        )
        for t in trials
    ]
    found = understand(moved)
    on = sum(t.params["jitter.p"] > 0 for t in moved)
    facts = {one.name: one for one in found.parameters}
    assert facts["jitter.hue"].trials == on
    assert not facts["jitter.hue"].decides and not facts["jitter.hue"].moves
    assert facts["jitter.p"].decides and facts["jitter.p"].moves
    for weight in found.weights:
        assert facts[weight.name].importance == weight.over_chance
    for marginal in found.marginals:
        one = facts[marginal.name]
        assert one.trials == marginal.trials and one.p_value == marginal.p_value


def only_up_to(limit, score, name="blur.sigma", count=40):
    trials = drawn(2000, score)
    kept = [t for t in trials if t.params[name] <= limit][:count]
    assert len(kept) == count
    return kept


def test_a_curve_ends_where_the_trials_end():
    trials = only_up_to(0.148, lambda params: 0.5 + 0.5 * params["blur.sigma"])
    found = understand(trials)
    [blur] = [m for m in found.marginals if m.name == "blur.sigma"]
    tried = [t.params["blur.sigma"] for t in trials]
    assert (blur.at[0], blur.at[-1]) == (min(tried), max(tried))
    [one] = [f for f in found.parameters if f.name == "blur.sigma"]
    assert one.best == max(tried) and one.tried == (min(tried), max(tried))
    assert one.place == "end of what was tried"
    assert "No trial went further, though its range is 0.01 to 1." in one.sentence


@pytest.mark.long
def test_a_best_value_at_the_end_asks_for_a_wider_range_unless_there_is_none():
    trials = drawn(60, crop_matters)
    for limits, place, said in (
        ({}, "end of the range", "That is the end of its range (0.1 to 1): widen the range there."),
        (
            {"crop.scale_min": (0.1, 1.0)},
            "as far as it goes",
            "The operation allows no value beyond.",
        ),
    ):
        [one] = [f for f in understand(trials, limits=limits).parameters if f.moves]
        assert (one.name, one.place) == ("crop.scale_min", place)
        assert one.best == one.tried[0]
        assert said in one.sentence
    inside = drawn(60, lambda params: 0.6 - (params["crop.scale_min"] - 0.5) ** 2)
    [one] = [f for f in understand(inside).parameters if f.moves]
    assert one.place == "inside" and one.best == pytest.approx(0.5, abs=0.1)


def test_effects_are_of_scores_in_full():
    """A search against cost tells Optuna scores less a price; reports show them in full."""
    priced, full = [], []
    for trial in drawn(40, noise_alone):
        price = 0.3 * trial.params["jitter.hue"]
        outcome = Outcome(
            score=trial.value, draw_scores=(), full_probe=None, knn=None, class_recall={},
            curve=(), losses=(), steps=1, images_per_second=1, seconds={}, peak_memory_mb=1,
        )  # fmt: skip
        full.append(trial.value)
        priced.append(
            optuna.create_trial(
                params=trial.params,
                distributions=dict(AXES),
                value=trial.value - price,
                user_attrs={PRICE: price, "outcome": outcome.model_dump_json()},
            )
        )
    found = understand(priced)
    assert found.priced
    [crop] = [m for m in found.marginals if m.name == "crop.scale_min"]
    assert [score for _, score in crop.points] == pytest.approx(full)
    assert not [f.name for f in found.parameters if f.moves or f.decides]


def test_stopped_trials_rank_below_those_that_ended():
    trials = drawn(10, crop_matters, stopped=4)
    places = goodness(trials)
    stopped = np.array([trial.state == TrialState.PRUNED for trial in trials])
    assert places[stopped].max() < places[~stopped].min()


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("importance", "weights"),
        ("marginal effects", "marginals"),
        ("interactions", "interactions"),
        ("the best quarter", "common"),
    ],
)
@pytest.mark.long
def test_every_part_is_silent_below_its_number_of_trials(part, name):
    enough = FEWEST[part]
    assert getattr(understand(drawn(enough, crop_matters)), name) is not None
    assert getattr(understand(drawn(enough - 1, crop_matters)), name) is None


def test_no_trials_say_nothing():
    found = understand([])
    assert (found.finished, found.weights, found.marginals, found.common) == (0, None, None, None)
