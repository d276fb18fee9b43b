"""What an operation's effect at other sizes is, as measured by `benchmarks/ops/carry_over.py`
(`carry_over.json` beside this), and which operations of a policy need not mean the same there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from augsearch.space.catalogue import GRAIN
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import PolicyOp, walk

CARRY_OVER_FILE = Path(__file__).with_name("carry_over.json")
SMALLEST_SIGMA = 1.0
"""Pixels below which a Gaussian's samples blur too little: by 8 % there, by half at 0.6."""

SAFE_CELL = 5
"""Pixels from which a cell may end inside one: a white pixel cannot make up for half of one."""


@dataclass(frozen=True)
class CarryOver:
    """What an operation does to larger images, seen at 32 pixels, over what it does at 32.

    Attributes:
        pictures: the name of what it was measured on.
        image_size: side of the larger images in pixels.
        ratio: 1 if the effect is the same.
    """

    pictures: str
    image_size: int
    ratio: float


@cache
def measured_carry_over() -> Mapping[str, tuple[CarryOver, ...]]:
    """Every operation's ratios."""
    content = json.loads(CARRY_OVER_FILE.read_text(encoding="utf-8"))
    return {
        name: tuple(
            CarryOver(pictures, int(size), ratio)
            for pictures, sizes in found.items()
            for size, ratio in sizes.items()
        )
        for name, found in content["ops"].items()
    }


def carry_over_note(policy: Policy, image_size: int) -> str:
    """One line that names what may do something else at `image_size` than where it was found.

    Empty where the sizes are the same, where all carries over, and where the policy does not say
    at which size it was found.
    """
    found = policy.found_on.image_size if policy.found_on else None
    if found is None or found == image_size:
        return ""
    reasons = list(dict.fromkeys(_reasons((*policy.views[0], *policy.views[1]), found, image_size)))
    if not reasons:
        return ""
    return (
        f"policy {policy.name!r} was found at {found} pixels and is used at {image_size}, where it "
        f"need not mean the same: {'; '.join(reasons)}"
    )


def _reasons(ops: tuple[PolicyOp, ...], found: int, used: int) -> Iterator[str]:
    smaller = min(found, used)
    for op in walk(ops):
        if op.is_identity():
            continue
        if op.op == "custom":
            yield f"{op.instance} is code of your own, which `augsearch.testing.ops` can check"
        elif op.op == "gaussian_blur":
            sigma = op.values()["sigma"] * smaller
            if sigma < SMALLEST_SIGMA:
                yield (
                    f"{op.instance} has a sigma of at most {sigma:.2g} pixels at {smaller}, where "
                    f"it blurs less than at {max(found, used)}"
                )
        elif op.op == "salt_and_pepper":
            cells = round(1 / op.values()[GRAIN.name])
            for size in (found, used):
                if cells < size < SAFE_CELL * cells and size % cells:
                    yield (
                        f"{op.instance} works on {cells} cells a side, no whole pixels at {size}, "
                        "where it does less"
                    )
