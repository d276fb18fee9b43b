"""A space: which operations may appear and over which ranges, and how a point becomes a policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from augsearch.space.catalogue import OPERATIONS, Operation, Parameter
from augsearch.space.policy import Policy, duplicate_instance, values_are_identity
from augsearch.space.searched import (
    AnySearched,
    Choices,
    Coupled,
    Range,
    Searched,
    SearchedStrength,
    readable,
)
from augsearch.space.yaml_file import load_model

GATE = Parameter("p", 0.0, 1.0, "gate probability, drawn per sample", identity=0.0, default=1.0)


@dataclass(frozen=True)
class Axis:
    """One searched number of a space, as a sampler sees it.

    Attributes:
        name: unique within the space, such as `color_jitter.hue` or `strength.colour`.
        form: Range or Choices.
        integer: whole numbers only.
    """

    name: str
    form: Range | Choices
    integer: bool = False


def _within(parameter: Parameter) -> Callable[[AnySearched], AnySearched]:
    """A check that a fixed or searched value stays within the parameter's hard bounds."""

    def check(value: AnySearched) -> AnySearched:
        if isinstance(value, Coupled):
            if parameter.identity is None:
                raise ValueError(f"{parameter.name} cannot follow a strength: it has no identity")
            extremes: tuple[float, ...] = (value.full,)
        else:
            extremes = (value,) if isinstance(value, (int, float)) else value.extremes()
        for extreme in extremes:
            if not parameter.low <= extreme <= parameter.high:
                raise ValueError(
                    f"{extreme:g} is outside the bounds [{parameter.low:g}, {parameter.high:g}]"
                )
            if parameter.integer and extreme != int(extreme):
                raise ValueError(f"{extreme:g} is not a whole number")
        if isinstance(value, Range) and value.log and parameter.integer:
            raise ValueError("a whole number cannot have a log range; list choices instead")
        return value

    return check


class SpaceOp(BaseModel):
    """One operation of a space; the concrete classes, one per catalogue entry, add parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: str
    name: str = Field(default="", description="instance name; needed when an op appears twice")
    p: Annotated[Searched, AfterValidator(_within(GATE))] = Field(
        default=1.0, description="gate probability, drawn per sample"
    )

    @property
    def instance(self) -> str:
        return self.name or self.op

    def numbers(self) -> Iterator[tuple[Parameter, AnySearched]]:
        """The gate and every parameter, with what the space says about it."""
        yield GATE, self.p
        for parameter in OPERATIONS[self.op].parameters:
            yield parameter, getattr(self, parameter.name)


def _space_op_model(operation: Operation) -> type[SpaceOp]:
    fields: dict[str, Any] = {"op": (Literal[operation.name], ...)}
    for parameter in operation.parameters:
        doc = f"{parameter.doc} (bounds {parameter.low:g} to {parameter.high:g})"
        kind = Annotated[Searched, AfterValidator(_within(parameter))]
        fields[parameter.name] = (kind, Field(default=parameter.default, description=doc))
    title = "Searched" + "".join(word.capitalize() for word in operation.name.split("_"))
    return create_model(
        title, __base__=SpaceOp, __module__=__name__, __doc__=operation.doc, **fields
    )


SPACE_OPS: dict[str, type[SpaceOp]] = {
    name: _space_op_model(operation) for name, operation in OPERATIONS.items()
}

if TYPE_CHECKING:
    PlainSpaceOp = SpaceOp
else:
    PlainSpaceOp = Annotated[reduce(or_, SPACE_OPS.values()), Field(discriminator="op")]


class SpaceOneOf(SpaceOp):
    """A group of which each sample takes one, all equally likely."""

    op: Literal["one_of"]
    ops: tuple[PlainSpaceOp, ...] = Field(min_length=2, description="the members")

    def numbers(self) -> Iterator[tuple[Parameter, AnySearched]]:
        yield GATE, self.p


if TYPE_CHECKING:
    AnySpaceOp = SpaceOp
else:
    AnySpaceOp = Annotated[reduce(or_, SPACE_OPS.values(), SpaceOneOf), Field(discriminator="op")]


class Space(BaseModel):
    """What may be searched: operations in their order, for both views or for each.

    Every axis is suggested in every trial, whatever the other axes say; what a policy does not
    use is dropped when the point becomes a policy. So a sampler sees one static space.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(default="space", description="a name for people")
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
        if not any(ops for _, ops in self._sections()):
            raise ValueError("the space is empty; list at least one operation under `ops`")
        for _, ops in self._sections():
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

    def _sections(self) -> tuple[tuple[str, tuple[SpaceOp, ...]], ...]:
        """The lists of operations with the prefix of their axes."""
        if self.ops is not None:
            return (("", self.ops),)
        return (("view1.", self.view1 or ()), ("view2.", self.view2 or ()))

    def _all_ops(self) -> Iterator[tuple[str, SpaceOp]]:
        for prefix, ops in self._sections():
            for op in ops:
                yield prefix, op
                for member in getattr(op, "ops", ()):
                    yield prefix, member

    @property
    def digest(self) -> str:
        """Twelve hex digits that change with anything that changes the search."""
        text = json.dumps(self.model_dump(mode="json", exclude={"name"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def axes(self) -> tuple[Axis, ...]:
        """Every searched number, in a fixed order."""
        found = [
            Axis(f"strength.{name}", form)
            for name, form in self.strengths.items()
            if isinstance(form, (Range, Choices))
        ]
        for prefix, op in self._all_ops():
            found += [
                Axis(f"{prefix}{op.instance}.{parameter.name}", form, parameter.integer)
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
                built for op in ops if (built := self._policy_op(prefix, op, point))
            ]
            for prefix, ops in self._sections()
        }
        return Policy.model_validate({"name": name, **sections})

    def _policy_op(
        self, prefix: str, op: SpaceOp, point: Mapping[str, float]
    ) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        for parameter, form in op.numbers():
            value = self._value(f"{prefix}{op.instance}.{parameter.name}", parameter, form, point)
            value = round(value) if parameter.integer else readable(value)
            values[parameter.name] = min(max(value, parameter.low), parameter.high)
        if values["p"] == 0:
            return None
        described = {"op": op.op, **({"name": op.name} if op.name else {}), **values}
        if isinstance(op, SpaceOneOf):
            # A member that does nothing stays: leaving it out would change the others' odds.
            members = [self._policy_op(prefix, m, point) or self._idle(m) for m in op.ops]
            return {**described, "ops": members}
        if values_are_identity(OPERATIONS[op.op], values):
            return None
        return described

    @staticmethod
    def _idle(op: SpaceOp) -> dict[str, Any]:
        return {"op": op.op, **({"name": op.name} if op.name else {}), "p": 0.0}

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

    def for_channels(self, channels: int) -> Space:
        """The space for images of that many channels: on grey images colour is not searched.

        Raises:
            ValueError: nothing is left.
        """
        if channels != 1:
            return self
        content = self.model_dump(mode="json", exclude_none=True)
        for key in ("ops", "view1", "view2"):
            if key in content:
                content[key] = [op for op in map(_without_colour, content[key]) if op]
        coupled = {
            value["strength"]
            for op in _dumped_ops(content)
            for value in op.values()
            if isinstance(value, dict) and "strength" in value
        }
        content["strengths"] = {k: v for k, v in content["strengths"].items() if k in coupled}
        return Space.model_validate(content)


def _dumped_ops(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("ops", "view1", "view2"):
        for op in content.get(key, ()):
            yield op
            yield from op.get("ops", ())


def _without_colour(op: dict[str, Any]) -> dict[str, Any] | None:
    if op["op"] == "one_of":
        members = [member for member in map(_without_colour, op["ops"]) if member]
        return {**op, "ops": members} if len(members) > 1 else None
    operation = OPERATIONS[op["op"]]
    if operation.colour_only:
        return None
    idle = {p.name: p.identity for p in operation.parameters if p.colour_only}
    return {**op, **idle}


def load_space(path: str | Path) -> Space:
    """Read a space file; ConfigError names file, line and key of what is wrong."""
    return load_model(Space, Path(path))
