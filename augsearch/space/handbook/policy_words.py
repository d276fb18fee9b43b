"""A policy in words: a line for each operation, as a person would tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from augsearch.space.catalogue import Parameter
from augsearch.space.handbook.handbook import value_text
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp, walk

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
                "; ".join([f"{title}: {doc}", *lines]) for title, doc, lines in _steps(op.ops)
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
    here: dict[str, PolicyOp] = {op.instance: op for op in walk(tuple(ops))}
    there: dict[str, PolicyOp] = {op.instance: op for op in walk(tuple(others))}
    for name in dict.fromkeys([*there, *here]):
        mine, theirs = here.get(name), there.get(name)
        if mine is None or theirs is None or mine.op != theirs.op:
            yield f"{view}{name}", _in_brief(mine), _in_brief(theirs)
            continue
        if mine.p != theirs.p:
            yield f"{view}{name}", _often(mine.p), _often(theirs.p)
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


def _called(parameter: Parameter) -> str:
    """A parameter's name, and what it means where that is no formula."""
    doc = parameter.doc.partition(";")[0]
    return parameter.name if "[" in doc else f"{parameter.name}, {doc}"


def _in_brief(op: PolicyOp | None) -> str:
    """How often it acts and by how much."""
    if op is None:
        return "not used"
    values, moved = op.values(), op.moved()
    return ", ".join([_often(op.p), *(f"{p.name} {_value(p, values[p.name])}" for p in moved)])


def _often(p: float) -> str:
    return "in every view" if p == 1 else f"in {100 * p:.3g} % of views"
