"""A space: which operations may appear and over which ranges, and how a point becomes a policy."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from augsearch.notebook import Card, Carded
from augsearch.space.catalogue import OPERATIONS, Parameter
from augsearch.space.custom import CustomSource
from augsearch.space.policy import Policy
from augsearch.space.policy_ops import (
    CustomPolicyOp,
    custom_files,
    duplicate_instance,
    portable,
    walk,
)
from augsearch.space.presets import find_config
from augsearch.space.searched import (
    AnySearched,
    Choices,
    Coupled,
    Range,
    SearchedStrength,
    readable,
)
from augsearch.space.space_ops import (
    AnySpaceOp,
    SpaceAnyOrder,
    SpaceCustom,
    SpaceGroup,
    SpaceOneOf,
    SpaceOp,
)
from augsearch.space.yaml_file import load_model
from augsearch.words import counted


@dataclass(frozen=True)
class Axis:
    """One searched number of a space, as a sampler sees it.

    Attributes:
        name: unique within the space, such as `color_jitter.hue` or `strength.colour`.
        form: Range or Choices.
        integer: whole numbers only.
        identity: the value at which it changes nothing; None if it only shapes an effect.
        limits: beyond which no space can search; None if there are none.
        unit: how its values are written, as `Parameter.unit`.
    """

    name: str
    form: Range | Choices
    integer: bool = False
    identity: float | None = None
    limits: tuple[float, float] | None = None
    unit: str = ""


class Space(Carded, BaseModel):
    """What may be searched: operations in their order, for both views or for each.

    Every axis is suggested in every trial, whatever the other axes say; what a policy does not
    use is dropped when the point becomes a policy. So a sampler sees one static space.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(default="space", description="a name for people; unset: the file's")
    strengths: dict[str, SearchedStrength] = Field(
        default_factory=dict,
        description="searched numbers, usually 0 to 1, that several parameters follow",
    )
    ops: tuple[AnySpaceOp, ...] | None = Field(default=None, description="for both views")
    view1: tuple[AnySpaceOp, ...] | None = Field(default=None, description="for view 1")
    view2: tuple[AnySpaceOp, ...] | None = Field(default=None, description="for view 2")

    @model_validator(mode="after")
    def _consistent(self) -> Space:
        separate = (self.view1 is not None, self.view2 is not None)
        if (self.ops is None) != all(separate) or any(separate) != all(separate):
            raise ValueError("give either `ops` (both views) or both `view1` and `view2`")
        if not any(ops for _, ops in self.sections()):
            raise ValueError("the space is empty; list at least one operation under `ops`")
        for _, ops in self.sections():
            if name := duplicate_instance(ops):
                raise ValueError(f"two operations are called {name!r}; give one a `name`")
        used = set()
        for prefix, op in self._all_ops():
            for parameter, value in op.numbers():
                if not isinstance(value, Coupled):
                    continue
                where = f"{prefix}{op.instance}.{parameter.name}"
                if value.strength not in self.strengths:
                    known = ", ".join(self.strengths) or "none"
                    raise ValueError(
                        f"{where} follows the strength {value.strength!r}, which is not declared "
                        f"under `strengths` (there: {known})"
                    )
                used.add(value.strength)
                self._check_coupled(where, parameter, value)
        for name in self.strengths:
            if name not in used:
                raise ValueError(f"no parameter follows the strength {name!r}; remove it")
        return self

    def _check_coupled(self, where: str, parameter: Parameter, value: Coupled) -> None:
        strength = self.strengths[value.strength]
        identity = parameter.identity or 0.0
        for extreme in (strength,) if isinstance(strength, float) else strength.extremes():
            reached = value.at(extreme, identity)
            if not parameter.low <= reached <= parameter.high:
                raise ValueError(
                    f"{where} reaches {reached:g} at strength {extreme:g}, outside the bounds "
                    f"[{parameter.low:g}, {parameter.high:g}]"
                )

    def sections(self) -> tuple[tuple[str, tuple[SpaceOp | SpaceGroup, ...]], ...]:
        """The lists of operations with the prefix of their axes."""
        if self.ops is not None:
            return (("", self.ops),)
        return (("view1.", self.view1 or ()), ("view2.", self.view2 or ()))

    def _all_ops(self) -> Iterator[tuple[str, SpaceOp | SpaceGroup]]:
        for prefix, ops in self.sections():
            for op in walk(ops):
                yield prefix, op

    @property
    def digest(self) -> str:
        """Twelve hex digits that change with anything that changes the search."""
        content = {**self.describe(), "name": ""}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def describe(self) -> dict[str, Any]:
        """The space as JSON, the same wherever its files lie."""
        return portable(self.model_dump(mode="json", exclude_none=True))

    def card(self) -> Card:
        """What a notebook shows: every searched number."""
        operations = ", ".join(f"{prefix}{op.instance}" for prefix, op in self._all_ops())
        axes = self.axes()
        return Card(
            f"{self.name}: {counted(len(axes), 'searched number')} of {operations}",
            (),
            ("searched", "range"),
            tuple((axis.name, _range_text(axis.form)) for axis in axes),
        )

    def axes(self) -> tuple[Axis, ...]:
        """Every searched number, in a fixed order."""
        found = [
            Axis(f"strength.{name}", form, identity=0.0, limits=(0.0, 1.0))
            for name, form in self.strengths.items()
            if isinstance(form, (Range, Choices))
        ]
        for prefix, op in self._all_ops():
            if isinstance(op, SpaceAnyOrder):
                found += [Axis(prefix + name, form, True) for name, form in op.places()]
            found += [
                Axis(
                    f"{prefix}{op.instance}.{parameter.name}",
                    form,
                    parameter.integer,
                    parameter.identity,
                    (parameter.low, parameter.high),
                    parameter.unit,
                )
                for parameter, form in op.numbers()
                if isinstance(form, (Range, Choices))
            ]
        return tuple(found)

    def policy(self, point: Mapping[str, float], name: str = "policy") -> Policy:
        """The policy at `point` (axis name -> value), without what cannot change an image.

        Values are rounded to four significant digits, so that the file shows what ran.

        Raises:
            KeyError: `point` lacks an axis.
        """
        sections = {
            prefix.rstrip(".") or "ops": [
                built for op in ops for built in self._policy_ops(prefix, op, point)
            ]
            for prefix, ops in self.sections()
        }
        return Policy.model_validate({"name": name, **sections})

    def _policy_ops(
        self, prefix: str, op: SpaceOp | SpaceGroup, point: Mapping[str, float]
    ) -> Iterator[dict[str, Any]]:
        """What of `op` is in the policy, groups taken apart."""
        if isinstance(op, SpaceOp):
            if built := self._policy_op(prefix, op, point):
                yield built
            return
        members = getattr(op, "ops", ())
        if isinstance(op, SpaceAnyOrder):
            members = op.arranged(point[prefix + name] for name, _ in op.places())
        for member in members:
            yield from self._policy_ops(prefix, member, point)

    def _policy_op(
        self, prefix: str, op: SpaceOp, point: Mapping[str, float]
    ) -> dict[str, Any] | None:
        values = self._values(prefix, op, point)
        if values["p"] == 0:
            return None
        if isinstance(op, SpaceOneOf):
            # A member that does nothing stays: leaving it out would change the others' odds.
            members = [self._policy_op(prefix, m, point) or self._idle(m) for m in op.ops]
            return {**op.describe(values), "ops": members}
        if op.operation.does_nothing(values):
            return None
        return op.describe(values)

    def _values(self, prefix: str, op: SpaceOp, point: Mapping[str, float]) -> dict[str, float]:
        """The gate and parameters of `op` at `point`, by name."""
        values: dict[str, float] = {}
        for parameter, form in op.numbers():
            value = self._value(f"{prefix}{op.instance}.{parameter.name}", parameter, form, point)
            value = round(value) if parameter.integer else readable(value)
            values[parameter.name] = min(max(value, parameter.low), parameter.high)
        return values

    @staticmethod
    def _idle(op: SpaceOp) -> dict[str, Any]:
        return op.describe({"p": 0.0})

    def _value(
        self, axis: str, parameter: Parameter, form: AnySearched, point: Mapping[str, float]
    ) -> float:
        if isinstance(form, Coupled):
            strength = self.strengths[form.strength]
            if isinstance(strength, (Range, Choices)):
                strength = point[f"strength.{form.strength}"]
            return form.at(strength, parameter.identity or 0.0)
        if isinstance(form, (Range, Choices)):
            return point[axis]
        return form

    def random_point(self, rng: Random) -> dict[str, float]:
        """A point drawn evenly from ranges (or their logarithms) and choices."""

        def draw(axis: Axis) -> float:
            form = axis.form
            if isinstance(form, Choices):
                return rng.choice(form.choices)
            if axis.integer:
                return rng.randint(round(form.low), round(form.high))
            if form.log:
                return math.exp(rng.uniform(math.log(form.low), math.log(form.high)))
            return rng.uniform(form.low, form.high)

        return {axis.name: draw(axis) for axis in self.axes()}

    def custom_ops(self) -> Iterator[CustomPolicyOp]:
        """Every custom operation, gate open, with its values at either end of what is searched.

        An end at which it does nothing is left out, as it is in policies.
        """
        for end in (min, max):
            point = {axis.name: end(axis.form.extremes()) for axis in self.axes()}
            for prefix, op in self._all_ops():
                if isinstance(op, SpaceCustom):
                    described = op.describe({**self._values(prefix, op, point), "p": 1.0})
                    found = CustomPolicyOp.model_validate(described)
                    if not found.is_identity():
                        yield found

    def files(self) -> dict[str, bytes]:
        """The files of its custom operations, by name.

        Raises:
            ConfigError: two different files have the same name, or one has changed.
        """
        return custom_files(tuple(op for _, ops in self.sections() for op in ops))

    def for_channels(self, channels: int) -> Space:
        """The space for images of that many channels: colour is searched where there are three.

        Raises:
            ValueError: nothing is left.
        """
        if channels == 3:
            return self
        content = self.model_dump(mode="json", exclude_none=True)
        for key in ("ops", "view1", "view2"):
            if key in content:
                content[key] = [op for op in map(_without_colour, content[key]) if op]
        followed = set(_followed([content.get(key) for key in ("ops", "view1", "view2")]))
        content["strengths"] = {k: v for k, v in content["strengths"].items() if k in followed}
        return Space.model_validate(content)


def _followed(content: Any) -> Iterator[str]:
    """Names of the strengths that something in a dumped space follows."""
    if isinstance(content, dict):
        if isinstance(content.get("strength"), str):
            yield content["strength"]
        content = list(content.values())
    if isinstance(content, (list, tuple)):
        for part in content:
            yield from _followed(part)


def _without_colour(op: dict[str, Any]) -> dict[str, Any] | None:
    """A dumped operation as it acts on grey images; None if that is not at all."""
    if "ops" in op:
        members = [member for member in map(_without_colour, op["ops"]) if member]
        if len(members) > 1 or (op["op"] == "block" and members):
            return {**op, "ops": members}
        # A choice or an order of one is none; a choice would have left the others their share.
        return members[0] if members and op["op"] == "any_order" else None
    if op["op"] == "custom":
        source = CustomSource.parse(op["of"], None)
        return None if source.load().colour_only else op
    operation = OPERATIONS[op["op"]]
    if operation.colour_only:
        return None
    idle = {p.name: p.identity for p in operation.parameters if p.colour_only}
    return {**op, **idle}


def load_space(path: str | Path) -> Space:
    """Read a space file, or a preset by its name.

    A space that has no `name` is called by its file.

    Raises:
        ConfigError: there is no such file or preset, or file, line and key of what is wrong.
    """
    file = find_config(path, "spaces")
    space = load_model(Space, file)
    if "name" in space.model_fields_set:
        return space
    return space.model_copy(update={"name": file.stem})


def _range_text(form: Range | Choices) -> str:
    if isinstance(form, Choices):
        return " or ".join(f"{choice:g}" for choice in form.choices)
    return f"{form.low:g} to {form.high:g}"
