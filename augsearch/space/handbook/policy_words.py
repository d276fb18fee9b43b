"""A policy in words: a line for each operation, as a person would tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from augsearch.space.catalogue import Parameter
from augsearch.space.handbook.handbook import value_text
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp

COMMON_SIDE = 224
"""Pixels of the shorter side that lengths are also given for."""

Step = tuple[str, str, tuple[str, ...]]
"""An operation's name and how often it acts, what it does, and a line for each of its values."""
Difference = tuple[str, str, str]
"""What differs, and what it is in the one policy and in the other."""


def policy_steps(policy: Policy) -> tuple[Step, ...]:
    """Every operation in its order, those of separate views one after the other."""
    if policy.shared:
        return tuple(_steps(policy.views[0]))
    return tuple(
        (f"view {number}: {title}", doc, lines)
        for number, ops in enumerate(policy.views, 1)
        for title, doc, lines in _steps(ops)
    )


def _steps(ops: Sequence[PolicyOp]) -> Iterator[Step]:
    for op in ops:
        if isinstance(op, OneOf):
            members = tuple(
                "; ".join([f"{_turns(member)}: {doc}", *lines])
                for member in op.ops
                for _, doc, lines in _steps((member,))
            )
            yield f"{op.instance}, {_often(op.p)}", "one of these, all equally likely", members
        else:
            yield _step(op)


def _step(op: PolicyOp) -> Step:
    doc = op.operation.doc.partition(";")[0].partition(". ")[0].removesuffix(".")
    values = op.values()
    moved = op.moved()
    lines = tuple(
        f"{p.name} {_value(p, values[p.name])}: {p.doc.partition(';')[0]}"
        for p in op.operation.parameters
        if p.identity is None or p in moved
    )
    return f"{op.instance}, {_often(op.p)}", f"{doc[:1].lower()}{doc[1:]}", lines


def _value(parameter: Parameter, value: float) -> str:
    """With its unit; a length also in pixels of a common size."""
    shown = value_text(parameter, value)
    if value and "share of the shorter side" in parameter.doc:
        return f"{shown} ({COMMON_SIDE * value:.2g} px at {COMMON_SIDE})"
    return shown


def policy_differences(one: Policy, other: Policy) -> tuple[Difference, ...]:
    """What differs between two policies, value by value; empty if nothing does."""
    if one.shared and other.shared:
        return tuple(_differences(one.views[0], other.views[0], ""))
    return tuple(
        difference
        for number, (ops, others) in enumerate(zip(one.views, other.views, strict=True), 1)
        for difference in _differences(ops, others, f"view {number}: ")
    )


def _differences(
    ops: Sequence[PolicyOp], others: Sequence[PolicyOp], view: str
) -> Iterator[Difference]:
    here, there = _acting(ops), _acting(others)
    for name in dict.fromkeys([*there, *here]):
        own, other = here.get(name), there.get(name)
        if own is None or other is None or own[0].op != other[0].op:
            yield f"{view}{name}", _in_brief(own), _in_brief(other)
            continue
        (mine, often), (theirs, other_often) = own, other
        if often != other_often:
            yield f"{view}{name}", _often(often), _often(other_often)
        other_values = theirs.values()
        for key, value in mine.values().items():
            parameter = mine.operation.parameter(key)
            texts = _value(parameter, value), _value(parameter, other_values[key])
            if texts[0] != texts[1]:
                yield f"{view}{name}: {_called(parameter)}", *texts
    both = here.keys() & there.keys()
    orders = [" > ".join(name for name in names if name in both) for names in (here, there)]
    if orders[0] != orders[1]:
        yield f"{view}order", orders[0], orders[1]


def _acting(ops: Sequence[PolicyOp]) -> dict[str, tuple[PolicyOp, float]]:
    """What can change an image, by name, and in what share of the views it does: of a group each
    member has its part."""
    found: dict[str, tuple[PolicyOp, float]] = {}
    for op in ops:
        members = op.ops if isinstance(op, OneOf) else (op,)
        share = op.p / len(members) if isinstance(op, OneOf) else 1.0
        for member in members:
            if not member.is_identity():
                found[member.instance] = member, share * member.p
    return found


def _turns(member: PolicyOp) -> str:
    """A member of a group, and how often it acts when its turn comes."""
    return member.instance + ("" if member.p == 1 else f", in {100 * member.p:.3g} % of its turns")


def _called(parameter: Parameter) -> str:
    """A parameter's name, and what it means where that is no formula."""
    doc = parameter.doc.partition(";")[0]
    return parameter.name if "[" in doc else f"{parameter.name}, {doc}"


def _in_brief(acting: tuple[PolicyOp, float] | None) -> str:
    """How often it acts and by how much."""
    if acting is None:
        return "not used"
    op, share = acting
    values, moved = op.values(), op.moved()
    return ", ".join([_often(share), *(f"{p.name} {_value(p, values[p.name])}" for p in moved)])


def _often(p: float) -> str:
    return "in every view" if p == 1 else f"in {100 * p:.3g} % of views"
