"""The cells of an ablation as pure data: which policies are trained, and which is held against
which. Nothing here trains, stores or knows of images.

A composition matrix follows SimCLR's Figure 5 (Chen et al. 2020, arXiv 2002.05709, section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from augsearch.augment.baselines import SIMCLR_CROP, for_channels
from augsearch.errors import ConfigError
from augsearch.space.points import at_share, bound_policy, middle_policy, operations
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import PolicyOp
from augsearch.space.space import Space

Mode = Literal["pairs", "leave-one-out", "add-one", "strength", "classes"]
Protocol = Literal["simclr", "policy"]
Training = Literal["simclr", "supervised"]
Ops = tuple[PolicyOp, ...]

BASE_CROP = "base_crop"
"""Instance of the crop on both branches; a `resized_crop` among the operations draws its own."""


@dataclass(frozen=True)
class Cell:
    """One policy, trained in one way.

    Attributes:
        name: unique among the cells of a plan that are trained in that way.
        op: the operation that the cell is about; empty for the policy that others are held against.
        second: in a matrix, the operation that follows; the same as `op` on the diagonal.
        share: in a strength sweep, the share of the way from no effect to the bound.
    """

    name: str
    policy: Policy
    op: str = ""
    second: str = ""
    share: float | None = None
    training: Training = "simclr"


@dataclass(frozen=True)
class Comparison:
    """The gain of one cell over the best of some others, all trained in the same way.

    Attributes:
        op: what the gain is put down to.
    """

    op: str
    cell: str
    against: tuple[str, ...]
    training: Training = "simclr"


@dataclass(frozen=True)
class Plan:
    """What an ablation trains and compares. In a strength sweep `ops` is the one that is swept."""

    mode: Mode
    protocol: Protocol | None
    ops: tuple[str, ...]
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def title(self) -> str:
        """Of files and of sections: `pairs-simclr`, `strength-color_jitter`, `classes`."""
        if self.mode == "pairs":
            return f"{self.mode}-{self.protocol}"
        return f"{self.mode}-{self.ops[0]}" if self.mode == "strength" else self.mode

    def for_channels(self, channels: int) -> Plan:
        """The plan with every policy as it acts on images of that many channels."""
        cells = (replace(c, policy=for_channels(c.policy, channels)) for c in self.cells)
        return replace(self, cells=tuple(cells))


OfViews = tuple[PolicyOp | None, PolicyOp | None]
"""An operation as view 1 and view 2 have it, or None for a view that lacks it."""


def of_views(policy: Policy, name: str) -> OfViews:
    """The operation of that name in either view."""
    first, second = (
        next((op for op in view if op.instance == name), None) for view in policy.views
    )
    return first, second


def at_bound(space: Space, name: str) -> OfViews:
    """An operation of the space at the bound of what is searched, in either view.

    Its gate is the middle one, unless the operation has no strength but its gate.

    Raises:
        ConfigError: it does nothing there.
    """
    bounds, middles = (of_views(p, name) for p in (bound_policy(space), middle_policy(space)))
    if not any(bounds):
        raise ConfigError(f"--op {name}: does nothing anywhere in the space {space.name!r}")

    def gated(most: PolicyOp | None, usual: PolicyOp | None) -> PolicyOp | None:
        if most is None or usual is None or not most.moved():
            return most
        return most.model_copy(update={"p": usual.p})

    return gated(bounds[0], middles[0]), gated(bounds[1], middles[1])


def plan_pairs(ops: Mapping[str, PolicyOp], protocol: Protocol, crop_scale_min: float) -> Plan:
    """Every operation alone and every ordered pair.

    Args:
        protocol: `simclr` puts them on one branch, behind a crop that both have; `policy` puts
            them on both branches and nothing else.
        crop_scale_min: of that crop; at 1 there is none.

    Raises:
        ConfigError: fewer than two operations.
    """
    if len(ops) < 2:
        names = ", ".join(ops) or "none"
        raise ConfigError(
            f"--mode pairs: needs two or more operations that act on these images, found: {names}"
        )
    base_crop = BASE_CROP
    while base_crop in ops:
        base_crop += "_"
    crop = Policy.model_validate(
        {"ops": [{**SIMCLR_CROP, "name": base_crop, "scale_min": crop_scale_min}]}
    ).views[0]
    before = crop if crop_scale_min < 1 else ()
    cells = []
    for first in ops:
        for second in ops:
            taken: Ops = (ops[first],) if first == second else (ops[first], ops[second])
            name = first if first == second else pair_name(first, second)
            views = (
                {"view1": (*before, *taken), "view2": before}
                if protocol == "simclr"
                else {"ops": taken}
            )
            policy = Policy.model_validate({"name": name, **views})
            cells.append(Cell(name, policy, first, second))
    comparisons = tuple(
        Comparison(cell.name, cell.name, (cell.op, cell.second))
        for cell in cells
        if cell.op != cell.second
    )
    return Plan("pairs", protocol, tuple(ops), tuple(cells), comparisons)


def pair_name(first: str, second: str) -> str:
    """What a cell off the diagonal is called."""
    return f"{first} > {second}"


def plan_leave_one_out(
    policy: Policy, names: Sequence[str], mode: Literal["leave-one-out", "classes"]
) -> Plan:
    """The policy, and the policy without each of these operations."""
    cells = [Cell("policy", policy)]
    for name in names:
        left = _changed(policy, f"without {name}", partial(_without, name=name))
        cells.append(Cell(f"without {name}", left, name))
    comparisons = tuple(Comparison(name, "policy", (f"without {name}",)) for name in names)
    return Plan(mode, None, tuple(names), tuple(cells), comparisons)


def plan_add_one(policy: Policy, ops: Mapping[str, PolicyOp], order: Sequence[str]) -> Plan:
    """The policy, and the policy with each of these operations more.

    Args:
        order: names of the space's operations; a new one goes before those that follow it there.

    Raises:
        ConfigError: the policy has all of them.
    """
    new = {name: op for name, op in ops.items() if name not in operations(policy)}
    if not new:
        raise ConfigError(
            f"--mode add-one: the policy {policy.name!r} has every one of these operations: "
            f"{', '.join(ops)}"
        )
    cells = [Cell("policy", policy)]
    for name, op in new.items():
        more = _changed(policy, f"with {name}", partial(_placed, new=op, order=order))
        cells.append(Cell(f"with {name}", more, name))
    comparisons = tuple(Comparison(name, f"with {name}", ("policy",)) for name in new)
    return Plan("add-one", None, tuple(new), tuple(cells), comparisons)


def plan_strength(
    policy: Policy,
    name: str,
    most: OfViews,
    shares: Sequence[float],
    order: Sequence[str],
    *,
    supervised: bool,
) -> Plan:
    """The policy with one operation at rising strengths, the first of which is none.

    Only views that have it in the policy get it; if none has, those that have it at its bound.
    Strengths that make the same policy as a weaker one (of whole numbers there may be few) are
    left out.

    Args:
        most: the operation at its bound.
        supervised: also train with labels under each.

    Raises:
        ConfigError: all strengths make the same policy.
    """
    trainings: tuple[Training, ...] = ("simclr", "supervised") if supervised else ("simclr",)
    policies: dict[float, Policy] = {}
    for share in shares:
        varied = _swept(policy, name, most, share, order)
        if all(varied.digest != weaker.digest for weaker in policies.values()):
            policies[share] = varied
    if len(policies) < 2:
        raise ConfigError(
            f"--op {name}: every strength makes the same policy; give its parameters a wider range"
        )
    cells = [
        Cell(varied.name, varied, name, share=share, training=training)
        for training in trainings
        for share, varied in policies.items()
    ]
    none, *more = (varied.name for varied in policies.values())
    comparisons = tuple(
        Comparison(name, cell, (none,), training) for training in trainings for cell in more
    )
    return Plan("strength", None, (name,), tuple(cells), comparisons)


def _swept(policy: Policy, name: str, most: OfViews, share: float, order: Sequence[str]) -> Policy:
    there = [op is not None for op in of_views(policy, name)]
    first, second = (
        _exchanged(view, name, at_share(op, share), order)
        if op is not None and (has or not any(there))
        else view
        for view, op, has in zip(policy.views, most, there, strict=True)
    )
    views = (
        {"ops": first}
        if policy.shared and most[0] == most[1]
        else {"view1": first, "view2": second}
    )
    return Policy.model_validate({"name": f"{name} at {share:g}", **views})


def _changed(policy: Policy, name: str, change: Callable[[Ops], Iterable[PolicyOp]]) -> Policy:
    """The policy with `change` made to the operations of either view."""
    first, second = (tuple(change(ops)) for ops in policy.views)
    views = {"ops": first} if policy.shared else {"view1": first, "view2": second}
    return Policy.model_validate({"name": name, **views})


def _without(ops: Ops, name: str) -> Ops:
    return tuple(op for op in ops if op.instance != name)


def _placed(ops: Ops, new: PolicyOp, order: Sequence[str]) -> Ops:
    """`ops` with `new` before those that follow it in `order`."""
    later = order[order.index(new.instance) :] if new.instance in order else ()
    place = next((i for i, op in enumerate(ops) if op.instance in later), len(ops))
    return (*ops[:place], new, *ops[place:])


def _exchanged(ops: Ops, name: str, new: PolicyOp | None, order: Sequence[str]) -> Ops:
    """`ops` with `new` in the place of the operation called `name`, or without it."""
    if new is None:
        return _without(ops, name)
    if any(op.instance == name for op in ops):
        return tuple(new if op.instance == name else op for op in ops)
    return _placed(ops, new, order)
