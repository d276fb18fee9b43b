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


def _often(p: float) -> str:
    return "in every view" if p == 1 else f"in {100 * p:.3g} % of views"
