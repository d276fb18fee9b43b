"""Values that follow one strength are told once, and nothing is lost."""

import random

import pytest

from augsearch.augment.baselines import BASELINES
from augsearch.space.handbook.policy_words import policy_differences, policy_steps
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.space.space import load_space
from augsearch.space.strengths import by_strength

JITTER = {f"view1.color_jitter.{name}" for name in ("brightness", "contrast", "saturation", "hue")}


@pytest.fixture(scope="module")
def natural():
    return load_space(find_config("natural", "spaces"))


def test_points_of_a_space_show_their_strength(natural):
    rng = random.Random(0)
    for _ in range(50):
        point = natural.random_point(rng)
        flat = natural.policy(point).flatten()
        told = by_strength(natural, flat)
        assert told["strength.colour"] == pytest.approx(point["strength.colour"], rel=1e-3)
        assert flat.keys() - told.keys() == JITTER and told.keys() - flat.keys() == {
            "strength.colour"
        }


def test_published_policies_line_up_with_it(natural):
    strengths = {
        name: by_strength(natural, BASELINES[name].flatten()).get("strength.colour")
        for name in ("SimCLR s=0.5", "SimCLR s=1", "crop only")
    }
    assert strengths == {"SimCLR s=0.5": 0.5, "SimCLR s=1": 1.0, "crop only": None}


def test_values_that_no_strength_gives_stay(natural):
    ops = [{"op": "color_jitter", "brightness": 0.8, "contrast": 0.4}]
    flat = Policy.model_validate({"ops": ops}).flatten()
    assert by_strength(natural, flat) == flat


def policy(*ops):
    return Policy.model_validate({"ops": [{"op": op, **values} for op, values in ops]})


def test_two_policies_differ_value_by_value():
    one = policy(
        ("resized_crop", {"scale_min": 0.2}), ("rotation", {"degrees": 10, "p": 0.5}),
        ("color_jitter", {"brightness": 0.4}),
    )  # fmt: skip
    other = policy(
        ("color_jitter", {"brightness": 0.4}), ("resized_crop", {"scale_min": 0.08, "p": 0.5})
    )
    assert policy_differences(one, other) == (
        ("resized_crop", "in every view", "in 50 % of views"),
        ("resized_crop: scale_min, smallest share of the area that is kept", "20 %", "8 %"),
        ("rotation", "in 50 % of views, degrees 10°", "not used"),
        ("order", "resized_crop > color_jitter", "color_jitter > resized_crop"),
    )
    assert policy_differences(one, one) == ()


def test_views_that_differ_are_told_apart():
    apart = Policy.model_validate(
        {"view1": [{"op": "horizontal_flip"}], "view2": [{"op": "vertical_flip"}]}
    )
    found = policy_differences(apart, policy(("horizontal_flip", {})))
    assert found == (
        ("view 2: horizontal_flip", "not used", "in every view"),
        ("view 2: vertical_flip", "in every view", "not used"),
    )


def test_members_of_a_group_act_in_their_share_of_the_views():
    told = {what: (one, other) for what, one, other in policy_differences(
        BASELINES["TrivialAugment"], BASELINES["crop only"]
    )}  # fmt: skip
    assert told["rotation"] == ("in 8.33 % of views, degrees 135°", "not used")  # one of twelve
    assert "identity" not in told
    steps = policy_steps(BASELINES["TrivialAugment"])
    (group,) = [lines for _, doc, lines in steps if "equally" in doc]
    assert any(line.startswith("rotation: ") for line in group)
    assert not any("every view" in line for line in group)
