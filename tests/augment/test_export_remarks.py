"""What a library cannot express is said, line by line, and refused where that is asked for."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import yaml

from augsearch.augment.baselines import BASELINES, simclr
from augsearch.augment.export.export import export_policy, export_with_remarks
from augsearch.augment.export.targets import ENDINGS
from augsearch.errors import ConfigError
from augsearch.space.policy import Policy

FOUND = {"image_size": 64, "fit": "crop", "mean": [0.5], "std": [0.2]}


def of_ops(*ops: dict[str, Any], **more: Any) -> Policy:
    return Policy.model_validate({"ops": list(ops), **more})


def remarks(target: str, *ops: dict[str, Any]) -> list[str]:
    return list(export_with_remarks(of_ops(*ops), target, 64).remarks)


FLIP = {"op": "horizontal_flip", "p": 0.5}


@pytest.mark.parametrize("target", ["lightly-train", "solo-learn"])
def test_every_operation_is_set_or_named(target):
    described = {"op": "one_of", "p": 0.6, "ops": [
        {"op": "gamma"}, {"op": "grayscale"}, {"op": "solarize", "threshold_min": 0.2},
    ]}  # fmt: skip
    second = {"op": "horizontal_flip", "name": "again", "p": 0.2}
    said = remarks(target, described, FLIP, second, {"op": "elastic", "p": 0.3})
    assert said[:3] == [
        "approximated: one_of: grayscale, solarize come independently of each other, each as "
        "often as before, instead of one of them",
        "left out: gamma, of one_of (p 0.2)",
        "left out: horizontal_flip ('again') (p 0.2): one is all there can be",
    ]
    assert said[3] == "left out: elastic (p 0.3)"
    assert said[4].startswith("approximated: solarize: threshold ")
    assert len(said) == 5


CASES = [
    ("lightly-train", [{"op": "resized_crop", "p": 0.7}], "in every view, instead of p 0.7"),
    ("solo-learn", [{"op": "resized_crop", "p": 0.7}], "in every view, instead of p 0.7"),
    ("solo-learn", [{"op": "resized_crop", "ratio": 2}], "aspect ratio up to 1.33, instead of 2"),
    ("lightly-train", [{"op": "solarize"}], "threshold 0.75 in every view, instead of 0.5 to 1"),
    ("solo-learn", [{"op": "solarize"}], "solarize: threshold 0.5, instead of 0.5 to 1"),
    ("solo-learn", [FLIP, {"op": "solarize", "threshold_min": 0.7}],
     "left out: solarize (p 1, threshold 0.7 to 1): solo-learn's own, threshold 0.5, would be"),
    ("solo-learn", [{"op": "gaussian_blur", "sigma": 0.05}],
     "gaussian_blur: sigma 0.1 to 2 pixels, instead of up to 3.2"),
    ("solo-learn", [FLIP, {"op": "gaussian_blur", "sigma": 0.01}],
     "left out: gaussian_blur (p 1, sigma up to 0.64 pixels)"),
    ("solo-learn", [{"op": "equalize"}], "equalize: of pixels, instead of 32 x 32 cells"),
    ("solo-learn", [{"op": "color_jitter", "brightness": 0.2, "hue": 0.1}],
     "random order, instead of brightness, hue"),
    ("lightly-train", [{"op": "solarize"}, {"op": "color_jitter", "hue": 0.1}],
     "order: solarize comes after color_jitter, instead of before it"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "ops", "words"), CASES)
def test_what_is_approximated_is_said_with_numbers(target, ops, words):
    assert [line for line in remarks(target, *ops) if words in line], remarks(target, *ops)


def test_what_any_order_gives_the_same_is_not_mentioned():
    grey, turn = {"op": "grayscale", "p": 0.2}, {"op": "rotation", "degrees": 20.0}
    assert remarks("lightly-train", grey, turn, {"op": "vertical_flip"}, FLIP) == []


def test_views_that_differ():
    different = Policy.model_validate({"view1": [FLIP], "view2": [{"op": "grayscale"}]})
    said = export_with_remarks(different, "lightly-train", 64).remarks
    assert said == ("left out: view2: both views are made as view1",)
    text = export_with_remarks(different, "solo-learn", 64).text
    one, other = yaml.safe_load(text)
    assert (one["num_crops"], other["num_crops"]) == (1, 1)
    assert (one["horizontal_flip"]["prob"], other["horizontal_flip"]["prob"]) == (0.5, 0)
    assert (one["grayscale"]["prob"], other["grayscale"]["prob"]) == (0, 1)


def test_what_the_search_did_around_it_goes_along():
    policy = of_ops(FLIP, found_on=FOUND)
    [pipeline] = yaml.safe_load(export_policy(policy, "solo-learn", 64))
    assert (pipeline["mean"], pipeline["std"], pipeline["num_crops"]) == ([0.5] * 3, [0.2] * 3, 2)
    text = export_policy(policy, "lightly-train", 64)
    arguments = ast.literal_eval(text.partition("TRANSFORM_ARGS = ")[2])
    assert arguments["normalize"] == {"mean": (0.5,) * 3, "std": (0.2,) * 3}
    assert arguments["image_size"] == (64, 64)


@pytest.mark.parametrize("target", ["lightly-train", "solo-learn"])
def test_remarks_stand_in_the_head_and_strict_refuses_them(target):
    export = export_with_remarks(simclr(1), target, 32)
    head = export.text.partition("What differs from the policy:")[2].partition("The policy:")[0]
    assert [line[4:] for line in head.splitlines() if line.startswith("# - ")] == list(
        export.remarks
    )
    with pytest.raises(
        ConfigError, match=f"cannot be written for {target} as it is: (approx|left)"
    ):
        export_with_remarks(simclr(1), target, 32, strict=True)
    with pytest.raises(ConfigError, match=f"for {target}, which has none of its operations, only"):
        export_with_remarks(of_ops({"op": "elastic"}), target, 32)
    assert export_with_remarks(of_ops(FLIP), target, 32, strict=True).remarks == ()
    assert export_with_remarks(of_ops(), target, 32, strict=True).remarks == ()


@pytest.mark.parametrize("target", sorted({*ENDINGS} - {"lightly-train", "solo-learn"}))
def test_the_others_leave_nothing_out_of_published_policies(target):
    for policy in BASELINES.values():
        assert export_with_remarks(policy, target, 32, strict=True).remarks == ()
