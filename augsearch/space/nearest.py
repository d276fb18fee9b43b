"""Where in a space a policy lies that was not made from it, such as a published one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from augsearch.space.catalogue import Parameter
from augsearch.space.points import middle
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp
from augsearch.space.searched import Choices, Coupled, Range
from augsearch.space.space import Axis, Space
from augsearch.space.space_ops import SpaceGroup, SpaceOneOf, SpaceOp

NEAR = 0.25
"""Distance up to which a point stands for a policy."""
GRID = 401
"""Values of a strength that are tried for the parameters that follow it."""


@dataclass(frozen=True)
class Nearest:
    """A space's nearest point to a policy.

    Attributes:
        point: axis name -> value.
        distance: from 0, the same policy, to 1, nothing in common; see `distance`.
    """

    point: dict[str, float]
    distance: float

    @property
    def stands_for_it(self) -> bool:
        """Whether the policy's score says something about this point."""
        return self.distance <= NEAR


def nearest_point(space: Space, policy: Policy) -> Nearest:
    """The point whose operations are most like those of `policy`.

    An operation of the space that the policy lacks is switched off where the space allows it;
    what else is searched of it stays in the middle. Operations of the policy that the space lacks
    make the point a distant one.
    """
    aims = _Aims({}, {})
    for (prefix, ops), view in zip(space.sections(), policy.views, strict=False):
        aims.add(prefix, ops, list(view))
    point = {}
    for axis in space.axes():
        strength = axis.name.removeprefix("strength.")
        if strength != axis.name:
            point[axis.name] = _strength(axis, aims.followed.get(strength, []))
        else:
            target = aims.numbers.get(axis.name)
            point[axis.name] = middle(axis) if target is None else _closest(axis, target)
    return Nearest(point, distance(space.policy(point), policy))


@dataclass(frozen=True)
class _Aims:
    """What the searched numbers should be.

    Attributes:
        numbers: by axis; None for whatever it likes.
        followed: by strength, what should come out of it.
    """

    numbers: dict[str, float | None]
    followed: dict[str, list[tuple[Coupled, Parameter, float]]]

    def add(self, prefix: str, ops: Iterable[SpaceOp | SpaceGroup], wanted: list[PolicyOp]) -> None:
        """Match operations with those of a policy, each of which is taken once."""
        for op in ops:
            if isinstance(op, SpaceGroup):
                self.add(prefix, getattr(op, "ops", ()), wanted)
                continue
            found = _take(op, wanted)
            self._add(prefix, op, found)
            if isinstance(op, SpaceOneOf):
                self.add(prefix, op.ops, list(found.ops) if isinstance(found, OneOf) else [])

    def _add(self, prefix: str, op: SpaceOp, found: PolicyOp | None) -> None:
        closes = found is None and _can_close(op)
        values = {} if found is None else {**found.values(), "p": found.p}
        for parameter, form in op.numbers():
            target = values.get(parameter.name)
            if found is None:
                target = 0.0 if parameter.name == "p" else None if closes else parameter.identity
            if isinstance(form, Coupled):
                if target is not None:
                    self.followed.setdefault(form.strength, []).append((form, parameter, target))
            elif isinstance(form, (Range, Choices)):
                self.numbers[f"{prefix}{op.instance}.{parameter.name}"] = target


def _take(op: SpaceOp, wanted: list[PolicyOp]) -> PolicyOp | None:
    """The policy's operation of that kind, which no other of the space may take as well."""
    for number, candidate in enumerate(wanted):
        if candidate.op != op.op:
            continue
        if isinstance(op, SpaceOneOf) and isinstance(candidate, OneOf):
            if [m.op for m in op.ops] != [m.op for m in candidate.ops]:
                continue
        elif op.op == "custom" and getattr(op, "of", "") != getattr(candidate, "of", ""):
            continue
        return wanted.pop(number)
    return None


def _can_close(op: SpaceOp) -> bool:
    """Whether the gate can be shut."""
    gate = next(form for parameter, form in op.numbers() if parameter.name == "p")
    if isinstance(gate, (Range, Choices)):
        return min(gate.extremes()) == 0
    return gate == 0


def _closest(axis: Axis, target: float) -> float:
    form = axis.form
    if isinstance(form, Choices):
        return min(form.choices, key=lambda choice: abs(choice - target))
    value = min(max(target, form.low), form.high)
    return round(value) if axis.integer else value


def _strength(axis: Axis, following: Sequence[tuple[Coupled, Parameter, float]]) -> float:
    """The strength that brings what follows it nearest to where it should be."""
    if not following:
        return middle(axis)
    form = axis.form
    if isinstance(form, Choices):
        tried = form.choices
    else:
        tried = tuple(form.low + (form.high - form.low) * n / (GRID - 1) for n in range(GRID))

    def off(strength: float) -> float:
        return sum(
            ((coupled.at(strength, p.identity or 0.0) - target) / (p.high - p.low)) ** 2
            for coupled, p, target in following
        )

    return min(tried, key=off)


def distance(one: Policy, other: Policy) -> float:
    """How far two policies are apart, from 0 to 1: the share of what both do that only one does.

    What an operation does is counted for each of its magnitudes: its gate times the root of the
    share of the way from no effect to the catalogue's bound, so that weak effects count as well.
    """
    apart = both = 0.0
    for mine, theirs in zip(_effects(one), _effects(other), strict=True):
        for name in mine.keys() | theirs.keys():
            ours, others = mine.get(name, {}), theirs.get(name, {})
            keys = ours.keys() | others.keys()
            apart += sum(abs(ours.get(key, 0.0) - others.get(key, 0.0)) for key in keys) / len(keys)
            both += sum(max(ours.get(key, 0.0), others.get(key, 0.0)) for key in keys) / len(keys)
    return apart / both if both else 0.0


def _effects(policy: Policy) -> Iterator[Mapping[str, Mapping[str, float]]]:
    """Of each view: operation -> magnitude -> gate times share of the way to its bound."""
    for view in policy.views:
        found: dict[str, dict[str, float]] = {}
        for name, magnitudes in _of_ops(view, 1.0):
            known = found.setdefault(name, {})
            for key, effect in magnitudes.items():
                known[key] = known.get(key, 0.0) + effect
        yield found


def _of_ops(ops: Iterable[PolicyOp], share: float) -> Iterator[tuple[str, dict[str, float]]]:
    for op in ops:
        if op.is_identity():
            continue
        if isinstance(op, OneOf):
            yield from _of_ops(op.ops, share * op.p / len(op.ops))
            continue
        values, magnitudes = op.values(), op.operation.magnitudes
        away = {p.name: _away(p, values[p.name]) for p in magnitudes}
        yield op.op, {key: share * op.p * way for key, way in (away or {"p": 1.0}).items()}


def _away(parameter: Parameter, value: float) -> float:
    """Share of the way from no effect to the farther bound, its root: weak effects count."""
    assert parameter.identity is not None
    span = max(parameter.high - parameter.identity, parameter.identity - parameter.low)
    return float((abs(value - parameter.identity) / span) ** 0.5) if span else 0.0
