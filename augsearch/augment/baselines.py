"""Published policies that every study must beat."""

from __future__ import annotations

from typing import Any

from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp

SIMCLR_CROP = {"op": "resized_crop", "scale_min": 0.08, "ratio": 4 / 3}
COLOUR = 3
"""Channels of images on which colour operations act."""
FLIP = {"op": "horizontal_flip", "p": 0.5}


def crop_only() -> Policy:
    """SimCLR's random resized crop and nothing else."""
    return Policy.model_validate({"name": "crop only", "ops": [SIMCLR_CROP]})


def simclr(strength: float) -> Policy:
    """SimCLR's policy with colour strength s (Chen et al. 2020, arXiv 2002.05709, appendix A).

    The jitter's parts come in a fixed order; the blur is that of 224 pixels, scaled to the image.

    Args:
        strength: s, 0 to 1; 1 for ImageNet, 0.5 for CIFAR-10.
    """
    jitter = {
        "op": "color_jitter",
        "p": 0.8,
        "brightness": 0.8 * strength,
        "contrast": 0.8 * strength,
        "saturation": 0.8 * strength,
        "hue": 0.2 * strength,
    }
    grey = {"op": "grayscale", "p": 0.2}
    blur = {"op": "gaussian_blur", "p": 0.5, "sigma": 2 / 224}
    ops = [SIMCLR_CROP, FLIP, jitter, grey, blur]
    return Policy.model_validate({"name": f"SimCLR s={strength:g}", "ops": ops})


def trivial_augment() -> Policy:
    """Crop and flip, then one of TrivialAugment's operations, chosen per sample.

    The wide ranges of Müller and Hutter 2021 (arXiv 2103.10158, table 6), lengths taken at 224
    pixels; a magnitude is uniform between the identity and its most instead of on a grid, and
    operations along x and y count as one.
    """
    members: list[dict[str, Any]] = [
        {"op": "horizontal_flip", "name": "identity", "p": 0},
        {"op": "affine", "name": "shear", "shear": 44.0},
        {"op": "affine", "name": "translate", "translate": 32 / 224},
        {"op": "rotation", "degrees": 135},
        {"op": "color_jitter", "name": "brightness", "brightness": 0.99},
        {"op": "color_jitter", "name": "contrast", "contrast": 0.99},
        {"op": "color_jitter", "name": "saturation", "saturation": 0.99},
        {"op": "sharpness", "amount": 0.99},
        {"op": "posterize", "bits_min": 2},
        {"op": "solarize", "threshold_min": 0},
        {"op": "autocontrast"},
        {"op": "equalize"},
    ]
    ops = [SIMCLR_CROP, FLIP, {"op": "one_of", "ops": members}]
    return Policy.model_validate({"name": "TrivialAugment", "ops": ops})


BASELINES: dict[str, Policy] = {
    policy.name: policy for policy in (crop_only(), simclr(0.5), simclr(1), trivial_augment())
}


def for_channels(policy: Policy, channels: int) -> Policy:
    """The policy as images of that many channels see it: without colour unless there are three.

    Group members that only touch colour stay as idle ones, so the others keep their odds.
    """
    if channels == COLOUR:
        return policy
    sections = {"ops": policy.ops} if policy.shared else dict(zip(
        ("view1", "view2"), policy.views, strict=True
    ))  # fmt: skip
    grey = {
        key: [op for op in map(_without_colour, ops or ()) if not op.is_identity()]
        for key, ops in sections.items()
    }
    return Policy.model_validate({"name": policy.name, "found_on": policy.found_on, **grey})


def _without_colour(op: PolicyOp) -> PolicyOp:
    if isinstance(op, OneOf):
        return op.model_copy(update={"ops": tuple(map(_without_colour, op.ops))})
    operation = op.operation
    if operation.colour_only:
        return op.model_copy(update={"p": 0.0})
    return op.with_values(
        {
            p.name: p.identity
            for p in operation.parameters
            if p.colour_only and p.identity is not None
        }
    )
