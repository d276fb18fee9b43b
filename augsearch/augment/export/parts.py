"""What exported files have in common: the head, what the search did around the policy, the code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType

from augsearch.augment.executor import Step
from augsearch.augment.export.bundle import bundle
from augsearch.augment.ops import (
    blur,
    channels,
    colour,
    geometric,
    grain,
    illumination,
    noise,
    warp,
    weather,
)
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.ops.operation import Implementation
from augsearch.augment.views import ViewPlan, surroundings_of
from augsearch.errors import ConfigError
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import CustomPolicyOp, walk

FAMILIES = (grain, geometric, warp, colour, channels, blur, noise, weather, illumination)
MARK = "exported by augsearch"
"""It stands in the head of every file, by which it is known again."""

DRAWS = """Every call draws new numbers. They follow from the seed, the number of the call, the
worker of a DataLoader, its epoch and the rank of a distributed run, which torch.distributed tells,
or `rank` and `world_size`. `state_dict()` holds what a resumed run needs to draw on. Where copies
are sent to processes that neither of the two knows, give each a rank or a seed of its own."""


@dataclass(frozen=True)
class Export:
    """A policy in the form of another library.

    Attributes:
        text: content of the file.
        remarks: what the library cannot express, a line each; the file's head has them too.
    """

    text: str
    remarks: tuple[str, ...] = ()


def found_on(policy: Policy, image_size: int) -> str:
    """What the search did around the policy, as constants."""
    found = surroundings_of(policy)
    known = "" if policy.found_on else ": not known of this policy"
    return (
        f"IMAGE_SIZE = {image_size}  # of the views\n"
        f"# The images that the search saw{known}.\n"
        f"FOUND_AT = {found.tile}  # their size\n"
        f"FIT = {found.fit!r}  # how pictures became square\n"
        f"MEAN = {tuple(found.mean)!r}  # of each channel, in [0, 1]\n"
        f"STD = {tuple(found.std)!r}\n"
        f"WINDOW = {policy.found_on.window if policy.found_on else None!r}  # black and white of "
        "files of more than 8 bits\n"
    )


def head(
    policy: Policy, use: str, image_size: int, remarks: Sequence[str] = (), *, exact: str = ""
) -> str:
    """What the file is, how to use it and what it cannot express, as comments.

    Args:
        exact: what is said where there are no remarks.
    """
    note = carry_over_note(policy, image_size)
    note = f"Note: {note}.\n\n" if note else ""
    differs = "".join(f"- {remark}\n" for remark in remarks)
    differs = f"What differs from the policy:\n{differs}\n" if remarks else exact
    text = (
        f"Two views under the policy {policy.name!r} (digest {policy.digest}), "
        f"{MARK} {version('augsearch')}.\n\n"
        f"{use.format(size=image_size, draws=DRAWS)}\n\n"
        f"{differs}{note}The policy:\n\n{policy.to_yaml()}"
    )
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines()) + "\n\n"


def program_head(policy: Policy, use: str, image_size: int, remarks: Sequence[str] = ()) -> str:
    """The head of a Python file."""
    return head(policy, use, image_size, remarks) + "from __future__ import annotations\n\n"


def all_steps(steps: Iterable[Step]) -> list[Step]:
    return [one for step in steps for one in (step, *step.members)]


def op_names(view_plan: ViewPlan) -> list[str]:
    """Names of the plan's operations in the catalogue's order, custom ones not counted."""
    steps = [step for steps in view_plan.lists for step in all_steps(steps)]
    used = {step.op for step in steps if step.own is None}
    return [name for name in IMPLEMENTATIONS if name in used]


def own_ops(view_plan: ViewPlan) -> dict[str, Implementation]:
    """Custom operations by name."""
    steps = [step for steps in view_plan.lists for step in all_steps(steps)]
    return {step.op: step.own for step in steps if step.own is not None}


def _custom_modules(policy: Policy) -> list[ModuleType]:
    custom = [
        op for op in walk((*policy.views[0], *policy.views[1])) if isinstance(op, CustomPolicyOp)
    ]
    return list({op.code: op.source.module for op in custom}.values())


def bundled(policy: Policy, modules: Sequence[ModuleType], roots: Sequence[str]) -> str:
    try:
        return bundle(modules, roots, "augsearch", _custom_modules(policy))
    except ValueError as error:
        raise ConfigError(f"policy {policy.name!r} cannot be exported: {error}") from None
