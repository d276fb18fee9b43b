"""Policies at chosen points of a space: its middle, its bound, and shares of the way there."""

from __future__ import annotations

import math

from augsearch.space.catalogue import Parameter
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import PolicyOp
from augsearch.space.searched import Choices, readable
from augsearch.space.space import Axis, Space


def middle(axis: Axis) -> float:
    """The value in the middle of what is searched.

    Of choices, the (upper) median of those that do something: 0.5 of p in 0, 0.5.
    """
    form = axis.form
    if isinstance(form, Choices):
        acting = sorted(c for c in form.choices if c != axis.identity) or list(form.choices)
        return acting[len(acting) // 2]
    value = math.sqrt(form.low * form.high) if form.log else (form.low + form.high) / 2
    if not axis.integer:
        return value
    # Of the two whole numbers around it the nearer one, unless that does nothing.
    whole = round(value)
    return math.floor(value) + math.ceil(value) - whole if whole == axis.identity else whole


def bound(axis: Axis) -> float:
    """The value of a searched number that is farthest from doing nothing."""
    if axis.identity is None:
        return middle(axis)
    identity = axis.identity
    return max(axis.form.extremes(), key=lambda value: abs(value - identity))


def operations(policy: Policy) -> dict[str, PolicyOp]:
    """The operations of a policy by instance name; of a name in both views, view 1's."""
    first, second = policy.views
    found = {op.instance: op for op in first}
    return found | {op.instance: op for op in second if op.instance not in found}


def middle_policy(space: Space) -> Policy:
    """The policy in the middle of everything that is searched."""
    point = {axis.name: middle(axis) for axis in space.axes()}
    return space.policy(point, name=f"middle of {space.name}")


def bound_policy(space: Space) -> Policy:
    """The policy at the bound of everything that is searched."""
    point = {axis.name: bound(axis) for axis in space.axes()}
    return space.policy(point, name=f"bound of {space.name}")


def at_share(most: PolicyOp, share: float) -> PolicyOp | None:
    """`most` weakened to a share of its way from no effect; None if nothing is left of it.

    Every parameter with an identity goes, in equal parts, or the gate if there is none.
    """
    values, moved = most.values(), most.moved()
    if moved:
        weaker = most.with_values({p.name: _weakened(p, values[p.name], share) for p in moved})
    else:
        weaker = most.model_copy(update={"p": readable(share * most.p)})
    return None if weaker.is_identity() else weaker


def _weakened(parameter: Parameter, value: float, share: float) -> float:
    identity = parameter.identity or 0.0
    weaker = identity + share * (value - identity)
    return round(weaker) if parameter.integer else readable(weaker)
