"""A policy's views for libraries that have a fixed list of operations, in an order of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from augsearch.augment.executor import Step
from augsearch.augment.views import ViewPlan
from augsearch.errors import ConfigError
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy

INDIFFERENT = ("horizontal_flip", "vertical_flip")
"""What every operation that these libraries have gives the same views before and after."""
ALIKE = (
    {"grayscale", "resized_crop"},
    {"grayscale", "rotation"},
    {"grayscale", "gaussian_blur"},
)
"""Pairs of which either may come first."""
USUAL_RATIO = 4 / 3


@dataclass(frozen=True)
class Fixed:
    """What of a view a library can express, by the name of the operation, and what it cannot."""

    steps: Mapping[str, Step]
    remarks: list[str] = field(default_factory=list)

    def p(self, name: str) -> float:
        """The gate probability of an operation; 0 if the view is without it."""
        return self.steps[name].p if name in self.steps else 0.0


def fixed(steps: Sequence[Step], order: Sequence[str]) -> Fixed:
    """The first of each operation in `order`, groups as operations on their own."""
    found: dict[str, Step] = {}
    remarks: list[str] = []
    for step, group in _members_apart(steps, order, remarks):
        where = f", of {group}" if group else ""
        if step.own is not None or step.op not in order:
            remarks.append(f"left out: {named(step)}{where} (p {step.p:g})")
        elif step.op in found:
            remarks.append(
                f"left out: {named(step)}{where} (p {step.p:g}): one is all there can be"
            )
        else:
            found[step.op] = step
    remarks += _moved(list(found), order)
    return Fixed(found, remarks)


def named(step: Step) -> str:
    """The operation and, where it has one, its name in the policy."""
    return step.op if step.op == step.instance else f"{step.op} ({step.instance!r})"


def each_view(
    policy: Policy, view_plan: ViewPlan, order: Sequence[str], target: str
) -> list[Fixed]:
    """One for both views, or one for each.

    Raises:
        ConfigError: the library expresses none of the policy's operations.
    """
    views = [fixed(steps, order) for steps in view_plan.lists]
    if any(view_plan.lists) and not any(view.steps for view in views):
        raise ConfigError(
            f"policy {policy.name!r} cannot be written for {target}, which has none of its "
            f"operations, only {', '.join(order)}; export it to kornia or json"
        )
    return views


def always_crops(view: Fixed) -> Iterator[str]:
    """Of libraries whose crop has no gate."""
    if "resized_crop" in view.steps and view.p("resized_crop") < 1:
        yield f"approximated: resized_crop: in every view, instead of p {view.p('resized_crop'):g}"


def jitters_in_any_order(view: Fixed) -> Iterator[str]:
    """Of libraries whose jitter draws the order of its parts."""
    parts = [name for name, most in values_of(view, "color_jitter").items() if most]
    if len(parts) > 1:
        yield (
            f"approximated: color_jitter: its parts come in a random order, instead of "
            f"{', '.join(parts)}"
        )


def values_of(view: Fixed, name: str) -> Mapping[str, float]:
    """The values of an operation; those at which it does nothing if the view is without it."""
    if name in view.steps:
        return view.steps[name].values
    return {p.name: p.default if p.identity is None else p.identity
            for p in OPERATIONS[name].parameters}  # fmt: skip


def _members_apart(
    steps: Sequence[Step], order: Sequence[str], remarks: list[str]
) -> Iterator[tuple[Step, str]]:
    """Steps, and members of groups with the share of the views that they have."""
    for step in steps:
        if not step.members:
            yield step, ""
            continue
        kept = {member.op: None for member in step.members if member.p and member.op in order}
        if len(kept) > 1:
            remarks.append(
                f"approximated: {step.instance}: {', '.join(kept)} come independently of each "
                "other, each as often as before, instead of one of them"
            )
        for member in step.members:
            if member.p and not _idle(member):
                yield replace(member, p=step.p * member.p / len(step.members)), step.instance


def _idle(step: Step) -> bool:
    return step.own is None and OPERATIONS[step.op].does_nothing(step.values)


def _moved(names: Sequence[str], order: Sequence[str]) -> Iterator[str]:
    counted = [name for name in names if name not in INDIFFERENT]
    for number, first in enumerate(counted):
        for later in counted[number + 1 :]:
            if order.index(first) > order.index(later) and {first, later} not in ALIKE:
                yield f"order: {first} comes after {later}, instead of before it"
