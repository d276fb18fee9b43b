"""A policy in the form of another library: which forms there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from augsearch.augment.export.parts import Export
from augsearch.augment.export.plain_json import to_json
from augsearch.augment.export.targets import ENDINGS
from augsearch.augment.export.to_albumentations import to_albumentations
from augsearch.augment.export.to_dino import to_dino
from augsearch.augment.export.to_kornia import to_kornia
from augsearch.augment.export.to_lightly import to_lightly
from augsearch.augment.export.to_lightly_train import to_lightly_train
from augsearch.augment.export.to_solo_learn import to_solo_learn
from augsearch.augment.export.to_torchvision import to_torchvision
from augsearch.augment.views import ViewPlan, plan_views
from augsearch.errors import ConfigError
from augsearch.space.policy import Policy
from augsearch.words import did_you_mean

WRITERS: Mapping[str, Callable[[Policy, ViewPlan, int], Export]] = {
    "kornia": to_kornia,
    "torchvision": to_torchvision,
    "albumentations": to_albumentations,
    "lightly": to_lightly,
    "lightly-train": to_lightly_train,
    "solo-learn": to_solo_learn,
    "dino": to_dino,
    "json": to_json,
}


def export_with_remarks(
    policy: Policy, target: str, image_size: int, *, strict: bool = False
) -> Export:
    """The text of a file that renders this policy's views without augsearch, and what differs.

    "kornia" renders what `policy.build` renders, operation by operation: the same up to rounding,
    and to sampling pixels once or several times. "torchvision", "albumentations", "lightly" and
    "dino" transform one image after another, of the same distribution up to torchvision's own
    interpolation. "lightly-train" and "solo-learn" are settings of these libraries' own
    augmentations, which express a part of what a policy can be. "json" says all of it as data.

    Args:
        strict: refuse what the target cannot express.

    Raises:
        ConfigError: an unknown target; operations that the target cannot express at all; with
            `strict`, also those that it can only approximate.
    """
    if target not in ENDINGS:
        raise ConfigError(
            f"--to {target}: unknown target{did_you_mean(target, ENDINGS) or ';'} known: "
            f"{', '.join(ENDINGS)}"
        )
    export = WRITERS[target](policy, plan_views(policy), image_size)
    if strict and export.remarks:
        raise ConfigError(
            f"policy {policy.name!r} cannot be written for {target} as it is: "
            f"{'; '.join(export.remarks)}"
        )
    return export


def export_policy(policy: Policy, target: str, image_size: int) -> str:
    """Return a policy as text for another library; its head lists what differs from the policy."""
    return export_with_remarks(policy, target, image_size).text
