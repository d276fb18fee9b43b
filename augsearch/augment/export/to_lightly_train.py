"""For lightly-train: `transform_args`, the settings of its own augmentations."""

from __future__ import annotations

import pprint
from collections.abc import Iterator
from typing import Any

from augsearch.augment.export.fixed_order import (
    Fixed,
    always_crops,
    each_view,
    jitters_in_any_order,
    values_of,
)
from augsearch.augment.export.parts import Export, program_head
from augsearch.augment.views import ViewPlan
from augsearch.space.policy import Policy

USE = """Needs lightly-train 0.14 or later. For its pretraining:

    lightly_train.pretrain(out="out", data="images", model="torchvision/resnet18",
                           method="simclr", transform_args=TRANSFORM_ARGS)

Views are {size} pixels a side and made by lightly-train with operations and random numbers of its
own. Give it square pictures: of others it cuts or squashes the whole, and aspect ratios count from
1. Other methods take these settings too, and keep their own where they have more."""

ORDER = (
    "resized_crop", "horizontal_flip", "vertical_flip", "rotation",
    "color_jitter", "grayscale", "gaussian_blur", "solarize",
)  # fmt: skip
SMALLEST_SIGMA = 0.01
"""Pixels; lightly-train divides by sigma."""


def to_lightly_train(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """A file with one dictionary.

    Raises:
        ConfigError: lightly-train has none of the policy's operations.
    """
    views = each_view(policy, view_plan, ORDER, "lightly-train")
    remarks = [*views[0].remarks, *_remarks(views[0])]
    if len(views) > 1 and views[0].steps != views[1].steps:
        remarks.append("left out: view2: both views are made as view1")
    elif len(views) > 1:
        remarks = list(dict.fromkeys([*remarks, *views[1].remarks]))
    arguments = _arguments(views[0], policy, image_size)
    text = pprint.pformat(arguments, width=96, sort_dicts=False)
    return Export(
        program_head(policy, USE, image_size, remarks) + f"TRANSFORM_ARGS = {text}\n",
        tuple(remarks),
    )


def _remarks(view: Fixed) -> Iterator[str]:
    yield from always_crops(view)
    if "resized_crop" in view.steps:
        yield "approximated: resized_crop: OpenCV's area interpolation, instead of linear"
    yield from jitters_in_any_order(view)
    if "solarize" in view.steps:
        least = values_of(view, "solarize")["threshold_min"]
        yield (
            f"approximated: solarize: threshold {_middle(least):g} in every view, instead of "
            f"{least:g} to 1"
        )


def _middle(threshold_min: float) -> float:
    return (1 + threshold_min) / 2


def _arguments(view: Fixed, policy: Policy, image_size: int) -> dict[str, Any]:
    crop, jitter = values_of(view, "resized_crop"), values_of(view, "color_jitter")
    sigma = values_of(view, "gaussian_blur")["sigma"] * image_size
    arguments: dict[str, Any] = {
        "image_size": (image_size, image_size),
        "channel_drop": None,
        "random_resize": {
            "min_scale": crop["scale_min"],
            "max_scale": 1.0,
            "min_ratio": 1 / crop["ratio"],
            "max_ratio": crop["ratio"],
        },
        "random_flip": {
            "horizontal_prob": view.p("horizontal_flip"),
            "vertical_prob": view.p("vertical_flip"),
        },
        "random_rotation": {
            "prob": view.p("rotation"),
            "degrees": values_of(view, "rotation")["degrees"],
        },
        "color_jitter": {"prob": view.p("color_jitter"), "strength": 1.0, **jitter},
        "random_gray_scale": view.p("grayscale"),
        "gaussian_blur": {
            "prob": view.p("gaussian_blur"),
            "sigmas": (min(SMALLEST_SIGMA, sigma), sigma),
            "blur_limit": 0,
        },
        "solarize": {
            "prob": view.p("solarize"),
            "threshold": _middle(values_of(view, "solarize")["threshold_min"]),
        },
    }
    absent = {"random_resize": "resized_crop", "random_rotation": "rotation",
              "color_jitter": "color_jitter", "random_gray_scale": "grayscale",
              "gaussian_blur": "gaussian_blur", "solarize": "solarize"}  # fmt: skip
    arguments |= {key: None for key, name in absent.items() if name not in view.steps}
    if found := policy.found_on:
        # lightly-train reads every picture as RGB.
        mean, std = (tuple(v) * 3 if len(v) == 1 else tuple(v) for v in (found.mean, found.std))
        arguments["normalize"] = {"mean": mean, "std": std}
    return arguments
