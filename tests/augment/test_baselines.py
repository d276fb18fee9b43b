"""The published policies, and policies on grey images."""

from __future__ import annotations

import torch
from reference_views import two_views

from augsearch.augment.baselines import BASELINES, for_channels, simclr
from augsearch.space.policy import Policy


def test_names():
    assert list(BASELINES) == ["crop only", "SimCLR s=0.5", "SimCLR s=1", "TrivialAugment"]


def test_simclr_is_the_published_policy():
    flat = simclr(0.5).flatten()
    assert flat["view1.resized_crop.scale_min"] == 0.08
    assert flat["view1.resized_crop.ratio"] == 4 / 3
    assert flat["view1.horizontal_flip.p"] == 0.5
    assert flat["view1.color_jitter.p"] == 0.8
    assert [flat[f"view1.color_jitter.{k}"] for k in ("brightness", "contrast", "saturation")] == (
        [0.4] * 3
    )
    assert flat["view1.color_jitter.hue"] == 0.1
    assert flat["view1.grayscale.p"] == 0.2
    assert flat["view1.gaussian_blur.p"] == 0.5
    assert flat["view1.gaussian_blur.sigma"] == 2 / 224


def test_grey_policies_say_nothing_of_colour_and_render_the_same():
    images = torch.rand(12, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    for policy in BASELINES.values():
        grey = for_channels(policy, 1)
        assert "grayscale" not in grey.to_yaml()
        assert not any(grey.flatten().get(f"view1.color_jitter.{k}") for k in ("hue", "saturation"))
        for one, other in zip(
            two_views(policy, images, 32, seed=0), two_views(grey, images, 32, seed=0), strict=True
        ):
            assert torch.equal(one, other)


def test_colour_policies_stay_and_grey_ones_are_canonical():
    assert for_channels(simclr(1), 3) == simclr(1)
    grey = for_channels(simclr(1), 1)
    assert for_channels(grey, 1) == grey
    only_colour = Policy.model_validate({"view1": [{"op": "grayscale"}], "view2": [
        {"op": "color_jitter", "hue": 0.2}, {"op": "invert"}
    ]})  # fmt: skip
    assert [len(ops) for ops in for_channels(only_colour, 1).views] == [0, 1]
