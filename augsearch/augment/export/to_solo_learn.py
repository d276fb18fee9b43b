"""For solo-learn: the YAML file of augmentations that its configurations name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from augsearch.augment.export.fixed_order import (
    USUAL_RATIO,
    Fixed,
    always_crops,
    each_view,
    jitters_in_any_order,
    values_of,
)
from augsearch.augment.export.parts import Export, head
from augsearch.augment.views import ViewPlan
from augsearch.space.catalogue import GRAIN
from augsearch.space.policy import Policy

USE = """Needs solo-learn 1.0.6, from its repository: the package 1.0.2 has no such
files. Lay it beside the others, as scripts/pretrain/custom/augmentations/policy.yaml, and name it
in the configuration:

    defaults:
      - augmentations: policy.yaml
    data:
      format: image_folder  # with dali, views are made by other code

Views are {size} pixels a side and made by solo-learn with operations and random numbers of its own.
Give it square pictures: of others it cuts the whole, and aspect ratios count from 1. It takes mean
and std from here for data sets that it does not know (`data.dataset: custom`)."""

ORDER = (
    "resized_crop", "color_jitter", "grayscale", "gaussian_blur", "solarize", "equalize",
    "horizontal_flip",
)  # fmt: skip
SIGMA = (0.1, 2.0)
"""Pixels; solo-learn's blur has no settings."""
THRESHOLD = 0.5
"""Of solo-learn's solarisation, which has no settings either."""


def to_solo_learn(policy: Policy, view_plan: ViewPlan, image_size: int) -> Export:
    """A file with a list of one or two pipelines.

    Raises:
        ConfigError: solo-learn has none of the policy's operations.
    """
    views = [
        _without_what_is_far_off(view, image_size)
        for view in each_view(policy, view_plan, ORDER, "solo-learn")
    ]
    remarks = []
    for number, view in enumerate(views, 1):
        which = f"view{number}: " if len(views) > 1 else ""
        remarks += [f"{which}{remark}" for remark in (*view.remarks, *_remarks(view, image_size))]
    pipelines = [_pipeline(view, policy, image_size, 3 - len(views)) for view in views]
    text = yaml.safe_dump(pipelines, sort_keys=False)
    return Export(head(policy, USE, image_size, remarks) + text, tuple(remarks))


def _without_what_is_far_off(view: Fixed, image_size: int) -> Fixed:
    """Without what differs less from the policy if it is left out than if it is put in."""
    sigma = values_of(view, "gaussian_blur")["sigma"] * image_size
    threshold = (1 + values_of(view, "solarize")["threshold_min"]) / 2
    apart = {
        "gaussian_blur": (abs(sum(SIGMA) - sigma), sigma, f"sigma up to {sigma:.2g} pixels"),
        "solarize": (
            threshold - THRESHOLD,
            1 - threshold,
            f"threshold {2 * threshold - 1:g} to 1",
        ),
    }
    steps, remarks = dict(view.steps), list(view.remarks)
    for name, (put_in, left_out, has) in apart.items():
        if name in steps and put_in > left_out:
            step = steps.pop(name)
            remarks.append(
                f"left out: {name} (p {step.p:g}, {has}): solo-learn's own, {_own(name)}, would be "
                "further off"
            )
    return Fixed(steps, remarks)


def _own(name: str) -> str:
    if name == "solarize":
        return f"threshold {THRESHOLD:g}"
    return f"sigma {SIGMA[0]:g} to {SIGMA[1]:g} pixels"


def _remarks(view: Fixed, image_size: int) -> Iterator[str]:
    yield from always_crops(view)
    if "resized_crop" in view.steps:
        ratio = values_of(view, "resized_crop")["ratio"]
        if abs(ratio - USUAL_RATIO) > 1e-3:
            yield f"approximated: resized_crop: aspect ratio up to 1.33, instead of {ratio:.3g}"
        yield "approximated: resized_crop: cubic interpolation, instead of linear"
    yield from jitters_in_any_order(view)
    if "gaussian_blur" in view.steps:
        sigma = values_of(view, "gaussian_blur")["sigma"] * image_size
        yield (
            f"approximated: gaussian_blur: {_own('gaussian_blur')}, instead of up to {sigma:.3g}"
        )
    if "solarize" in view.steps:
        least = values_of(view, "solarize")["threshold_min"]
        yield f"approximated: solarize: {_own('solarize')}, instead of {least:g} to 1"
    if "equalize" in view.steps:
        cells = round(1 / view.steps["equalize"].values[GRAIN.name])
        if cells != image_size:
            yield f"approximated: equalize: of pixels, instead of {cells} x {cells} cells"


def _pipeline(view: Fixed, policy: Policy, image_size: int, crops: int) -> dict[str, Any]:
    pipeline: dict[str, Any] = {
        "rrc": {
            "enabled": "resized_crop" in view.steps,
            "crop_min_scale": values_of(view, "resized_crop")["scale_min"],
            "crop_max_scale": 1.0,
        },
        "color_jitter": {"prob": view.p("color_jitter"), **values_of(view, "color_jitter")},
        "grayscale": {"prob": view.p("grayscale")},
        "gaussian_blur": {"prob": view.p("gaussian_blur")},
        "solarization": {"prob": view.p("solarize")},
        "equalization": {"prob": view.p("equalize")},
        "horizontal_flip": {"prob": view.p("horizontal_flip")},
        "crop_size": image_size,
        "num_crops": crops,
    }
    if found := policy.found_on:
        # solo-learn reads every picture as RGB.
        for key, values in (("mean", found.mean), ("std", found.std)):
            pipeline[key] = list(values) * 3 if len(values) == 1 else list(values)
    return pipeline
