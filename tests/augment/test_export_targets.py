"""Exports to other libraries, each run in its own: their views have our distribution."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest
import torch
from export_libraries import render
from reference_views import two_views
from torch import Tensor
from two_samples import differences, rate_is_off

from augsearch.augment.baselines import simclr, trivial_augment
from augsearch.augment.export.export import export_with_remarks
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy
from augsearch.space.space import load_space

SIZE, IMAGES, TIMES = 32, 24, 20
EXACT = {
    "albumentationsx": "albumentations",
    "albumentations": "albumentations",
    "lightly": "lightly",
    "dino": "dino",
    "torchvision": "torchvision",
}
"""Library -> target, of those that express every policy."""


@cache
def images() -> Tensor:
    """`[n, 3, S, S]` uint8: warm colours that change slowly, a bright corner, texture."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(IMAGES, 3, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic")
    texture = torch.rand(IMAGES, 1, SIZE, SIZE, generator=generator) - 0.5
    tint = torch.tensor([0.3, 0.0, -0.15])[:, None, None]
    light = torch.linspace(0, 0.3, SIZE)
    pictures = 0.1 + 0.35 * smooth + tint + 0.15 * texture + light + 0.5 * light[:, None]
    return (pictures.clamp(0, 1) * 255).byte()


def ours(policy: Policy, seed: int = 0, times: int = TIMES) -> Tensor:
    """`[images, times, 2, 3, S, S]`, as `render` gives them."""
    many = images().repeat_interleave(times, 0)
    views = torch.stack(two_views(policy, many, SIZE, seed=seed), dim=1)
    return views.unflatten(0, (IMAGES, times)).contiguous()


def of_ops(*ops: dict[str, Any]) -> Policy:
    return Policy.model_validate({"ops": list(ops)})


def drawn_from(space: str, seed: int) -> Policy:
    loaded = load_space(space)
    return loaded.policy(loaded.random_point(Random(seed)))


def policies() -> dict[str, Policy]:
    crop, flip = {"op": "resized_crop", "scale_min": 0.3}, {"op": "horizontal_flip", "p": 0.5}
    rare, sure = {"op": "invert", "p": 0.2}, {"op": "grayscale"}
    group = {"op": "one_of", "ops": [rare, sure]}  # 0.1 and 0.5 of the views
    return {
        "simclr": simclr(1),
        "trivial": trivial_augment(),
        "two_views": Policy.model_validate({"view1": [crop, flip], "view2": [group, flip]}),
        **{name: drawn_from(name, 5) for name in ("factory", "natural", "microscopy", "satellite")},
    }


def compared(policy: Policy, theirs: Tensor, **how: bool) -> list[str]:
    """What differs between our views of the policy and theirs."""
    a, b = ours(policy), theirs
    if policy.shared:
        return differences(a.flatten(1, 2), b.flatten(1, 2), **how)
    return [line for view in (0, 1) for line in differences(a[:, :, view], b[:, :, view], **how)]


def described(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json", exclude_none=True)


def changed(policy: Policy, op: str, **values: float | None) -> Policy:
    """The policy with other values of an operation; None for its p to leave it out."""
    content = described(policy)
    content["ops"] = [
        {**each, **values} if each["op"] == op else each
        for each in content["ops"]
        if each["op"] != op or values.get("p", 1) is not None
    ]
    return Policy.model_validate(content)


WRONG = {
    "a_weaker_jitter": changed(simclr(1), "color_jitter", brightness=0.4),
    "a_rarer_jitter": changed(simclr(1), "color_jitter", p=0.4),
    "without_grey": changed(simclr(1), "grayscale", p=None),
    "without_mirrors": changed(simclr(1), "horizontal_flip", p=None),
    "half_of_the_crop": changed(simclr(1), "resized_crop", scale_min=0.54),
    "twice_the_hue": changed(simclr(1), "color_jitter", hue=0.4),
}


@pytest.mark.long
def test_the_comparison_sees_a_wrong_parameter_and_nothing_else():
    assert compared(simclr(1), ours(simclr(1), seed=9)) == []
    for name, policy in WRONG.items():
        assert compared(simclr(1), ours(policy, seed=9)), name


@pytest.mark.long
@pytest.mark.parametrize("library", EXACT)
def test_views_have_our_distribution(library, tmp_path):
    target = EXACT[library]
    exports = {
        name: export_with_remarks(policy, target, SIZE) for name, policy in policies().items()
    }
    assert not any(export.remarks for export in exports.values())
    texts = {name: (target, export.text) for name, export in exports.items()}
    wrong = {
        name: (target, export_with_remarks(WRONG[name], target, SIZE).text)
        for name in ("without_grey", "twice_the_hue")
    }
    rendered = render(library, texts | wrong, images(), TIMES, tmp_path)
    for name, policy in policies().items():
        assert compared(policy, rendered[name]) == [], name
    for name in wrong:
        assert compared(simclr(1), rendered[name]), name


CROP, FLIP = {"op": "resized_crop", "scale_min": 0.3}, {"op": "horizontal_flip", "p": 0.5}
LIGHT = {"op": "color_jitter", "p": 0.7, "brightness": 0.5}
GREY = {"op": "grayscale", "p": 0.3}
BLUR = {"op": "gaussian_blur", "p": 0.6, "sigma": 2 / SIZE}
TURN, UPSIDE = {"op": "rotation", "p": 0.6, "degrees": 40}, {"op": "vertical_flip", "p": 0.3}
EQUALIZE = {"op": "equalize", "p": 0.3}
SETTINGS = {
    "lightly-train": {
        "crop": of_ops(CROP, FLIP, UPSIDE, TURN, LIGHT, GREY, BLUR),
        "exact": of_ops(FLIP, UPSIDE, TURN, LIGHT, GREY, BLUR),
    },
    "solo-learn": {
        "crop": Policy.model_validate(
            {"view1": [CROP, LIGHT, GREY, BLUR, FLIP], "view2": [CROP, LIGHT, EQUALIZE, FLIP]}
        ),
        "exact": of_ops(LIGHT, GREY, EQUALIZE, FLIP),
    },
}
"""Policies of which these targets express all, or all but how a crop is enlarged."""


@pytest.mark.long
@pytest.mark.parametrize("target", SETTINGS)
def test_what_settings_express_has_our_distribution(target, tmp_path):
    """All of it where there are no remarks; all but detail where a crop is enlarged otherwise."""
    without_blur = changed(simclr(1), "gaussian_blur", p=None)
    known = {"simclr": without_blur, **SETTINGS[target]}
    wrong = {
        "twice the light": changed(known["exact"], "color_jitter", brightness=1.0),
        "a rarer grey": changed(known["exact"], "grayscale", p=0.1),
        "without mirrors": changed(known["exact"], "horizontal_flip", p=None),
    }
    exports = {
        name: export_with_remarks(policy, target, SIZE) for name, policy in (known | wrong).items()
    }
    texts = {name: (target, export.text) for name, export in exports.items()}
    rendered = render(target, texts, images(), TIMES, tmp_path)
    for name, policy in known.items():
        assert compared(policy, rendered[name], detail=not exports[name].remarks) == [], name
    assert exports["simclr"].remarks and compared(known["simclr"], rendered["simclr"])
    for name in wrong:
        assert compared(known["exact"], rendered[name], detail=False), name


def alone(name: str, p: float) -> Policy:
    """The operation at its defaults; parameters that are idle by default at a third."""
    described = {"op": name, "p": p}
    for parameter in OPERATIONS[name].parameters:
        if parameter.default == parameter.identity:
            most = parameter.high - parameter.identity
            described[parameter.name] = parameter.identity + most * 0.3
    return of_ops(described)


def changes(views: Tensor) -> Tensor:
    """Which of `[images, times, 2, 3, S, S]` are not the image itself, as 8 bits show it."""
    still = images()[:, None, None] / 255
    return (views - still).abs().amax((3, 4, 5)) > 1.5 / 255


RATED = {
    "albumentationsx": ("albumentations", [*OPERATIONS]),
    "albumentations": ("albumentations", [*OPERATIONS]),
    "lightly": ("lightly", [*OPERATIONS]),
    "lightly-train": (
        "lightly-train",
        ["horizontal_flip", "vertical_flip", "rotation", "color_jitter", "grayscale",
         "gaussian_blur"],
    ),
    "solo-learn": (
        "solo-learn", ["horizontal_flip", "color_jitter", "grayscale", "equalize"]
    ),
}  # fmt: skip
P = 0.6


@pytest.mark.long
@pytest.mark.parametrize("library", RATED)
def test_gates_open_as_often_as_ours(library, tmp_path):
    """480 views: a rate is known to 0.022, and one that is off by 0.12 is found."""
    target, names = RATED[library]
    times = 10
    texts = {
        name: (target, export_with_remarks(alone(name, P), target, SIZE).text) for name in names
    }
    rendered = render(library, texts, images(), times, tmp_path)
    for name in names:
        always = changes(ours(alone(name, 1), times=40)).float().mean()  # some draws do nothing
        changed_here = changes(rendered[name])
        count, of = int(changed_here.sum()), changed_here.numel()
        assert not rate_is_off(count, of, P * float(always)), (name, count / of, P * always)
    assert rate_is_off(int((P + 0.12) * of), of, P) and not rate_is_off(int(P * of), of, P)
