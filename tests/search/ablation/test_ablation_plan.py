"""Which cells an ablation has, as pure data."""

import pytest

from augsearch.errors import ConfigError
from augsearch.search.ablation.choice import chosen
from augsearch.search.ablation.plan import (
    BASE_CROP,
    at_bound,
    plan_add_one,
    plan_leave_one_out,
    plan_pairs,
    plan_strength,
)
from augsearch.space.points import at_share, bound, middle, middle_policy, operations
from augsearch.space.policy import Policy
from augsearch.space.searched import Choices, Range
from augsearch.space.space import Axis, Space

SPACE = Space.model_validate(
    {
        "name": "plates",
        "strengths": {"light": {"low": 0.0, "high": 1.0}},
        "ops": [
            {"op": "resized_crop", "scale_min": {"low": 0.2, "high": 1.0}},
            {"op": "horizontal_flip", "p": {"choices": [0.0, 0.5]}},
            {
                "op": "color_jitter",
                "p": {"low": 0.0, "high": 0.8},
                "brightness": {"strength": "light", "full": 0.8},
                "hue": {"low": 0.0, "high": 0.2},
            },
            {"op": "posterize", "bits_min": {"low": 2, "high": 8}},
        ],
    }
)
OPS = operations(middle_policy(SPACE))


def names(ops):
    return [op.instance for op in ops]


def test_the_middle_of_what_is_searched_does_something():
    assert middle(Axis("a", Range(low=0.0, high=0.5))) == 0.25
    assert middle(Axis("a", Range(low=0.01, high=1.0, log=True))) == pytest.approx(0.1)
    assert middle(Axis("a", Range(low=2, high=8), integer=True)) == 5
    assert middle(Axis("a", Choices(choices=(0.0, 0.5)), identity=0.0)) == 0.5
    assert middle(Axis("a", Choices(choices=(1.0, 0.08, 0.3)), identity=1.0)) == 0.3
    assert OPS["color_jitter"].values()["brightness"] == pytest.approx(0.4)
    assert OPS["color_jitter"].p == pytest.approx(0.4)
    assert OPS["horizontal_flip"].p == 0.5


def test_the_bound_is_farthest_from_doing_nothing():
    assert bound(Axis("a", Range(low=0.2, high=1.0), identity=1.0)) == 0.2
    assert bound(Axis("a", Range(low=0.0, high=0.5))) == 0.25  # it only shapes an effect
    most, same = at_bound(SPACE, "color_jitter")
    assert most == same
    assert (most.values()["hue"], most.values()["brightness"]) == (0.2, 0.8)
    assert most.p == pytest.approx(0.4)  # a gate is no strength
    assert at_bound(SPACE, "horizontal_flip")[0].p == 0.5  # unless there is no other


def test_a_share_of_a_strength_lies_between_nothing_and_the_bound():
    assert at_share(at_bound(SPACE, "resized_crop")[0], 0.5).values()["scale_min"] == 0.6
    assert at_share(at_bound(SPACE, "posterize")[0], 0.5).values()["bits_min"] == 5
    assert at_share(at_bound(SPACE, "horizontal_flip")[0], 0.5).p == 0.25
    assert at_share(at_bound(SPACE, "color_jitter")[0], 0.0) is None


def test_pairs_after_simclr_have_a_crop_on_both_branches_and_the_pair_on_one():
    ops = {name: OPS[name] for name in ("resized_crop", "color_jitter")}
    plan = plan_pairs(ops, "simclr", 0.08)
    views = {cell.name: [names(view) for view in cell.policy.views] for cell in plan.cells}
    assert views == {
        "resized_crop": [[BASE_CROP, "resized_crop"], [BASE_CROP]],
        "resized_crop > color_jitter": [[BASE_CROP, "resized_crop", "color_jitter"], [BASE_CROP]],
        "color_jitter > resized_crop": [[BASE_CROP, "color_jitter", "resized_crop"], [BASE_CROP]],
        "color_jitter": [[BASE_CROP, "color_jitter"], [BASE_CROP]],
    }
    assert len({cell.policy.digest for cell in plan.cells}) == 4
    assert [(c.cell, c.against) for c in plan.comparisons] == [
        ("resized_crop > color_jitter", ("resized_crop", "color_jitter")),
        ("color_jitter > resized_crop", ("color_jitter", "resized_crop")),
    ]
    uncropped = plan_pairs(ops, "simclr", 1.0)
    assert [names(view) for view in uncropped.cells[0].policy.views] == [["resized_crop"], []]


def test_pairs_of_a_policy_are_on_both_branches():
    plan = plan_pairs(OPS, "policy", 0.08)
    assert len(plan.cells) == len(OPS) ** 2
    pair = next(cell for cell in plan.cells if cell.name == "posterize > color_jitter")
    assert pair.policy.shared
    assert names(pair.policy.views[0]) == ["posterize", "color_jitter"]


def test_pairs_need_two_operations():
    with pytest.raises(ConfigError, match=r"two or more operations .* found: posterize"):
        plan_pairs({"posterize": OPS["posterize"]}, "simclr", 0.08)


def test_leave_one_out_takes_an_operation_from_both_views():
    policy = Policy.model_validate(
        {
            "view1": [{"op": "resized_crop"}, {"op": "invert"}],
            "view2": [{"op": "resized_crop"}, {"op": "solarize"}],
        }
    )
    plan = plan_leave_one_out(policy, ["resized_crop", "solarize"], "classes")
    assert [[names(view) for view in cell.policy.views] for cell in plan.cells] == [
        [["resized_crop", "invert"], ["resized_crop", "solarize"]],
        [["invert"], ["solarize"]],
        [["resized_crop", "invert"], ["resized_crop"]],
    ]
    assert plan.comparisons[0].cell == "policy"  # its gain over the policy without is the op's
    assert list(operations(policy)) == ["resized_crop", "invert", "solarize"]


def test_add_one_puts_an_operation_where_the_space_has_it():
    policy = Policy.model_validate({"ops": [{"op": "resized_crop"}, {"op": "posterize"}]})
    plan = plan_add_one(policy, OPS, list(OPS))
    assert plan.ops == ("horizontal_flip", "color_jitter")
    assert names(plan.cells[2].policy.views[0]) == ["resized_crop", "color_jitter", "posterize"]
    with pytest.raises(ConfigError, match="has every one of these operations"):
        plan_add_one(middle_policy(SPACE), OPS, list(OPS))


def test_a_sweep_changes_one_operation_in_its_place():
    shares = (0.0, 0.5, 1.0)
    plan = sweep(middle_policy(SPACE), SPACE, "color_jitter", shares, supervised=True)
    assert [(cell.training, cell.share) for cell in plan.cells] == [
        (training, share) for training in ("simclr", "supervised") for share in shares
    ]
    none, half, most = (cell.policy.views[0] for cell in plan.cells[:3])
    assert names(none) == ["resized_crop", "horizontal_flip", "posterize"]
    assert names(half) == names(most) == list(OPS)
    assert [view[2].values()["hue"] for view in (half, most)] == [0.1, 0.2]
    assert all(c.against == ("color_jitter at 0",) for c in plan.comparisons)


def sweep(policy, space, name, shares=(0.0, 0.5, 1.0), *, supervised=False):
    order = list(operations(middle_policy(space)))
    return plan_strength(policy, name, at_bound(space, name), shares, order, supervised=supervised)


def test_a_sweep_goes_to_the_bound_that_each_view_has():
    jitter = {"op": "color_jitter", "hue": {"low": 0.0, "high": 0.1}}
    strong = {**jitter, "hue": {"low": 0.0, "high": 0.5}}
    solarize = {"op": "solarize", "p": {"choices": [0.0, 0.2]}}
    crop = {"op": "resized_crop"}
    space = Space.model_validate(
        {"name": "byol", "view1": [crop, jitter], "view2": [crop, strong, solarize]}
    )
    most = sweep(middle_policy(space), space, "color_jitter").cells[-1].policy
    assert [view[1].values()["hue"] for view in most.views] == [0.1, 0.5]
    most = sweep(middle_policy(space), space, "solarize").cells[-1].policy
    assert [names(view)[2:] for view in most.views] == [[], ["solarize"]]
    # A policy that has it in one view is not given it in the other.
    policy = Policy.model_validate({"view1": [crop, {**jitter, "hue": 0.1}], "view2": [crop]})
    for cell in sweep(policy, space, "color_jitter").cells:
        assert names(cell.policy.views[1]) == ["resized_crop"]
    # One that has it nowhere gets it where the space has it.
    most = sweep(Policy.model_validate({"ops": [crop]}), space, "solarize").cells[-1].policy
    assert [names(view)[1:] for view in most.views] == [[], ["solarize"]]


def test_strengths_of_whole_numbers_that_are_the_same_policy_are_trained_once():
    def with_bits(low):
        bits = {"op": "posterize", "bits_min": {"low": low, "high": 8}}
        return Space.model_validate({"name": "s", "ops": [{"op": "resized_crop"}, bits]})

    space = with_bits(6)
    plan = sweep(middle_policy(space), space, "posterize", (0.0, 0.25, 0.5, 0.75, 1.0))
    assert len({cell.policy.digest for cell in plan.cells}) == len(plan.cells) == 3
    # The middle of 7 and 8, of which 8 does nothing.
    assert operations(middle_policy(with_bits(7)))["posterize"].values()["bits_min"] == 7
    one = Axis("bits", Range(low=7, high=8), identity=8, integer=True)
    assert middle(one) == 7
    with pytest.raises(ConfigError, match="--op posterize: every strength makes the same policy"):
        sweep(middle_policy(space), space, "posterize", (0.0, 0.1))


def test_an_operation_may_be_called_like_the_crop_of_both_branches():
    ops = {BASE_CROP: OPS["posterize"].model_copy(update={"name": BASE_CROP}), **OPS}
    plan = plan_pairs(ops, "simclr", 0.08)
    assert names(plan.cells[0].policy.views[0]) == [f"{BASE_CROP}_", BASE_CROP]


def test_a_member_of_a_group_is_told_by_its_group():
    group = {"op": "one_of", "name": "tone", "ops": [{"op": "invert"}, {"op": "equalize"}]}
    known = operations(Policy.model_validate({"ops": [group]}))
    with pytest.raises(ConfigError, match="--ops invert: is a part of 'tone'; name that"):
        chosen(known, ["invert"], "the space")


def test_grey_images_see_no_colour():
    plan = plan_pairs(OPS, "policy", 0.08).for_channels(1)
    jitter = next(cell for cell in plan.cells if cell.name == "color_jitter").policy.views[0][0]
    assert jitter.values()["hue"] == 0


@pytest.mark.parametrize(
    ("named", "words"),
    [(["hue"], "has no operation 'hue'; it has: resized_crop, "), (["posterize"] * 2, "twice")],
)
def test_operations_that_are_named_must_be_there_once(named, words):
    with pytest.raises(ConfigError, match=words):
        chosen(OPS, named, "the space 'plates'")
