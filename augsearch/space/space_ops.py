"""The operations of a space as models: every number fixed, searched, or following a strength."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from augsearch.space.catalogue import OPERATIONS, Operation, Parameter
from augsearch.space.custom import CustomSource
from augsearch.space.policy_ops import CODE, OF, check_names, resolve_custom
from augsearch.space.searched import AnySearched, Coupled, Range, Searched
from augsearch.space.trust import runs_code

GATE = Parameter(
    "p", 0.0, 1.0, "gate probability, drawn per sample", identity=0.0, default=1.0, unit="%"
)


def within(parameter: Parameter) -> Callable[[AnySearched], AnySearched]:
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
    p: Annotated[Searched, AfterValidator(within(GATE))] = Field(
        default=1.0, description="gate probability, drawn per sample"
    )

    @property
    def instance(self) -> str:
        """The name under which it draws and its axes are called."""
        return self.name or self.op

    @property
    def operation(self) -> Operation:
        """Its entry in the catalogue."""
        return OPERATIONS[self.op]

    def describe(self, values: dict[str, float]) -> dict[str, Any]:
        """The operation of a policy with these values, the gate's among them."""
        return {"op": self.op, **({"name": self.name} if self.name else {}), **values}

    def numbers(self) -> Iterator[tuple[Parameter, AnySearched]]:
        """The gate and every parameter, with what the space says about it."""
        yield GATE, self.p
        for parameter in self.operation.numbers:
            yield parameter, getattr(self, parameter.name)


def _space_op_model(operation: Operation) -> type[SpaceOp]:
    fields: dict[str, Any] = {"op": (Literal[operation.name], ...)}
    for parameter in operation.numbers:
        doc = f"{parameter.doc} (bounds {parameter.low:g} to {parameter.high:g})"
        kind = Annotated[Searched, AfterValidator(within(parameter))]
        fields[parameter.name] = (kind, Field(default=parameter.default, description=doc))
    title = "Searched" + "".join(word.capitalize() for word in operation.name.split("_"))
    return create_model(
        title, __base__=SpaceOp, __module__=__name__, __doc__=operation.doc, **fields
    )


SPACE_OPS: dict[str, type[SpaceOp]] = {
    name: _space_op_model(operation) for name, operation in OPERATIONS.items()
}
globals().update({model.__name__: model for model in SPACE_OPS.values()})  # pickle looks here


class SpaceCustom(SpaceOp):
    """An operation of the user's own, from a Python file beside this one."""

    op: Literal["custom"]
    of: str = Field(description=OF)
    code: str = Field(default="", description=CODE)
    parameters: dict[str, Searched] = Field(
        default_factory=dict, description="values, ranges or choices by name"
    )

    _resolved = model_validator(mode="before")(resolve_custom)

    @model_validator(mode="after")
    def _within_bounds(self) -> SpaceCustom:
        if not runs_code():
            return self
        known = {p.name: p for p in self.operation.parameters}
        check_names(self.parameters, known)
        for name, form in self.parameters.items():
            try:
                within(known[name])(form)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return self

    @property
    def operation(self) -> Operation:
        source = CustomSource.parse(self.of, None)
        return source.load(self.code).operation(source.name)

    @property
    def instance(self) -> str:
        return self.name or self.of.rpartition(":")[2]

    def describe(self, values: dict[str, float]) -> dict[str, Any]:
        parameters = {name: value for name, value in values.items() if name != GATE.name}
        given = {"of": self.of, "code": self.code, "parameters": parameters}
        return {**super().describe({GATE.name: values[GATE.name]}), **given}

    def numbers(self) -> Iterator[tuple[Parameter, AnySearched]]:
        yield GATE, self.p
        for parameter in self.operation.parameters:
            yield parameter, self.parameters.get(parameter.name, parameter.default)


if TYPE_CHECKING:
    PlainSpaceOp = SpaceOp
else:
    PlainSpaceOp = Annotated[
        reduce(or_, SPACE_OPS.values(), SpaceCustom), Field(discriminator="op")
    ]


class SpaceOneOf(SpaceOp):
    """A group of which each sample takes one, all equally likely."""

    op: Literal["one_of"]
    ops: tuple[PlainSpaceOp, ...] = Field(min_length=2, description="the members")

    def numbers(self) -> Iterator[tuple[Parameter, AnySearched]]:
        yield GATE, self.p


class SpaceGroup(BaseModel):
    """Operations that stand together; the policy holds them without the group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: str
    name: str = Field(default="", description="instance name; needed for a second such group")

    @property
    def instance(self) -> str:
        """The name under which its axes are called."""
        return self.name or self.op

    def numbers(self) -> Iterator[tuple[Parameter, AnySearched]]:
        """It has none of its own."""
        return iter(())


if TYPE_CHECKING:
    BlockMember = SpaceOp
    OrderMember = SpaceOp | SpaceGroup
    AnySpaceOp = SpaceOp | SpaceGroup
else:
    BlockMember = Annotated[PlainSpaceOp | SpaceOneOf, Field(discriminator="op")]


class SpaceBlock(SpaceGroup):
    """Operations that keep their order, as one member of an `any_order`."""

    op: Literal["block"]
    ops: tuple[BlockMember, ...] = Field(min_length=1, description="the operations, in their order")


if not TYPE_CHECKING:
    OrderMember = Annotated[PlainSpaceOp | SpaceOneOf | SpaceBlock, Field(discriminator="op")]


class SpaceAnyOrder(SpaceGroup):
    """Operations whose order is searched, every order as likely at first.

    Each member but the first has an axis `<group>.place.<member>`: how many of the members that
    are listed above it come before it.
    """

    op: Literal["any_order"]
    ops: tuple[OrderMember, ...] = Field(min_length=2, description="the members")

    def places(self) -> Iterator[tuple[str, Range]]:
        """Every member's axis, without the first member, whose place follows from the others'."""
        for earlier, member in enumerate(self.ops):
            if earlier:
                yield f"{self.instance}.place.{member.instance}", Range(low=0, high=earlier)

    def arranged(self, places: Iterable[float]) -> list[SpaceOp | SpaceGroup]:
        """The members in the order that `places`, one for each of `places()`, describe."""
        arranged: list[SpaceOp | SpaceGroup] = [self.ops[0]]
        for member, place in zip(self.ops[1:], places, strict=True):
            arranged.insert(round(place), member)
        return arranged


if not TYPE_CHECKING:
    AnySpaceOp = Annotated[
        PlainSpaceOp | SpaceOneOf | SpaceBlock | SpaceAnyOrder, Field(discriminator="op")
    ]
