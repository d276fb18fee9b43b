"""Where published policies lie in a space, and when they lie outside it."""

from random import Random

import pytest

from augsearch.augment.baselines import BASELINES, for_channels, simclr
from augsearch.space.nearest import distance, nearest_point
from augsearch.space.policy import Policy
from augsearch.space.presets import preset_names
from augsearch.space.space import Space, load_space


@pytest.mark.parametrize("name", preset_names("spaces"))
def test_a_policy_of_the_space_is_found_again(name):
    space, rng = load_space(name), Random(3)
    for _ in range(20):
        policy = space.policy(space.random_point(rng))
        near = nearest_point(space, policy)
        assert near.distance < 0.01
        assert near.stands_for_it


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("baseline", ["crop only", "SimCLR s=0.5", "SimCLR s=1"])
def test_natural_holds_what_its_comment_says(baseline, channels):
    space = load_space("natural").for_channels(channels)
    policy = for_channels(BASELINES[baseline], channels)
    assert nearest_point(space, policy).distance < 0.01


@pytest.mark.parametrize("name", preset_names("spaces"))
def test_trivial_augment_lies_outside_every_preset(name):
    assert not nearest_point(load_space(name), BASELINES["TrivialAugment"]).stands_for_it


def test_points_lie_within_the_space_even_if_the_policy_does_not():
    space = Space.model_validate(
        {
            "name": "narrow",
            "ops": [
                {"op": "resized_crop", "scale_min": {"low": 0.3, "high": 0.6}},
                {"op": "rotation", "p": {"choices": [0, 0.4]}, "degrees": {"low": 5, "high": 9}},
                {"op": "posterize", "p": 0.5, "bits_min": {"low": 3, "high": 6}},
            ],
        }
    )  # fmt: skip
    near = nearest_point(space, simclr(1))
    assert near.point["resized_crop.scale_min"] == 0.3
    assert near.point["rotation.p"] == 0.0
    # It cannot be switched off, so that it is as weak as it can be.
    assert near.point["posterize.bits_min"] == 6
    assert not near.stands_for_it


def test_a_strength_is_the_one_that_its_followers_want():
    space = load_space("natural")
    assert nearest_point(space, simclr(0.3)).point["strength.colour"] == pytest.approx(
        0.3, abs=0.01
    )


def test_operations_within_a_choice_are_not_taken_for_those_outside():
    flip = {"op": "horizontal_flip", "p": {"low": 0.0, "high": 1.0}}
    choice = {
        "op": "one_of",
        "p": {"low": 0.0, "high": 1.0},
        "ops": [{"op": "gaussian_blur", "sigma": {"low": 0.0, "high": 0.1}}, {"op": "invert"}],
    }
    space = Space.model_validate({"name": "choice", "ops": [flip, choice]})
    blurred = Policy.model_validate({"ops": [{"op": "gaussian_blur", "sigma": 0.05}]})
    near = nearest_point(space, blurred)
    assert near.point["one_of.p"] == 0.0
    members = [{"op": "gaussian_blur", "sigma": 0.05}, {"op": "invert"}]
    chosen = {"op": "one_of", "p": 0.7, "ops": members}
    inside = nearest_point(space, Policy.model_validate({"ops": [chosen]}))
    assert inside.point["one_of.p"] == 0.7
    assert inside.distance < 0.01


def test_views_of_their_own_are_matched_each_with_its_own():
    section = [{"op": "gaussian_blur", "p": {"low": 0.0, "high": 1.0}, "sigma": 0.05}]
    space = Space.model_validate({"name": "two", "view1": section, "view2": section})
    policy = Policy.model_validate(
        {
            "view1": [{"op": "gaussian_blur", "p": 1.0, "sigma": 0.05}],
            "view2": [{"op": "gaussian_blur", "p": 0.1, "sigma": 0.05}],
        }
    )
    assert nearest_point(space, policy).point == {
        "view1.gaussian_blur.p": 1.0,
        "view2.gaussian_blur.p": 0.1,
    }


def test_distance_is_symmetric_and_grows():
    policies = [simclr(strength) for strength in (0.0, 0.25, 0.5, 1.0)]
    away = [distance(policies[0], other) for other in policies]
    assert away == sorted(away)
    assert away[0] == 0
    for one in policies:
        for other in policies:
            assert distance(one, other) == pytest.approx(distance(other, one))
    assert distance(Policy(ops=()), simclr(1)) == 1
