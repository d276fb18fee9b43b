"""The operations of a policy as models: one class per catalogue entry, made from its table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    create_model,
    model_validator,
)

from augsearch.errors import ConfigError
from augsearch.space.catalogue import GRAIN, OPERATIONS, Operation, Parameter
from augsearch.space.custom import CustomOp, CustomSource, digest, found_again, has_changed
from augsearch.space.trust import runs_code


class PolicyOp(BaseModel):
    """One operation with its values; the concrete classes, one per catalogue entry, add them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    op: str
    name: str = Field(default="", description="instance name; needed when an op appears twice")
    p: float = Field(default=1.0, ge=0, le=1, description="gate probability, drawn per sample")

    @property
    def instance(self) -> str:
        """The name under which draws are made and values are logged."""
        return self.name or self.op

    @property
    def operation(self) -> Operation:
        """Its entry in the catalogue."""
        return OPERATIONS[self.op]

    def values(self) -> dict[str, float]:
        """Parameter values by name, with the grain, without the gate."""
        return {p.name: getattr(self, p.name) for p in self.operation.numbers}

    def with_values(self, values: dict[str, float]) -> Self:
        """The same operation with some values replaced."""
        return self.model_copy(update=dict(values))

    def moved(self) -> tuple[Parameter, ...]:
        """The magnitudes that stand away from their identity; a group has none."""
        return self.operation.moved(self.values())

    def is_identity(self) -> bool:
        """True if it can change no image: gate closed, or every magnitude at its identity."""
        return self.p == 0 or self.operation.does_nothing(self.values())


def _policy_op_model(operation: Operation) -> type[PolicyOp]:
    fields: dict[str, Any] = {"op": (Literal[operation.name], ...)}
    for parameter in operation.numbers:
        kind = int if parameter.integer else float
        bounds = Field(ge=parameter.low, le=parameter.high, description=parameter.doc)
        fields[parameter.name] = (Annotated[kind, bounds], kind(parameter.default))
    title = "".join(word.capitalize() for word in operation.name.split("_"))
    return create_model(
        title, __base__=PolicyOp, __module__=__name__, __doc__=operation.doc, **fields
    )


POLICY_OPS: dict[str, type[PolicyOp]] = {
    name: _policy_op_model(operation) for name, operation in OPERATIONS.items()
}
globals().update({model.__name__: model for model in POLICY_OPS.values()})  # pickle looks here

OF = "file.py:name of a CustomOp; a relative path starts at the file that says so"
CODE = "digest of that file, filled in on reading; a file that has changed is refused"


def resolve_custom(content: Any, info: ValidationInfo) -> Any:
    """Before validation of a custom operation: find its file and check the file's digest.

    Raises:
        ValueError: no such file or operation, or the file is not the one that was meant.
        ConfigError: the same, where it is not a YAML file that is being read.
    """
    if not isinstance(content, dict) or not isinstance(content.get("of"), str) or not runs_code():
        return content  # if it is wrong, for the model to complain about
    try:
        source = _source(content, info)
        source.load()
        code = source.code
        if (meant := content.get("code") or code) != code:
            raise ValueError(has_changed(source.file, meant))
    except ValueError as error:
        if info.context is not None:
            raise  # the reader of the file adds the line
        raise ConfigError(f"operation {content['of']}: {error}") from None
    return {**content, "of": str(source), "code": code}


def _source(content: dict[str, Any], info: ValidationInfo) -> CustomSource:
    try:
        return CustomSource.parse(content["of"], (info.context or {}).get("directory"))
    except ValueError:
        moved = None if info.context is not None else found_again(str(content.get("code")))
        if moved is None:
            raise
        return CustomSource(moved, content["of"].rpartition(":")[2])


class CustomPolicyOp(PolicyOp):
    """An operation of the user's own, from a Python file beside this one."""

    op: Literal["custom"]
    of: str = Field(description=OF)
    code: str = Field(default="", description=CODE)
    parameters: dict[str, float] = Field(default_factory=dict, description="values by name")

    _resolved = model_validator(mode="before")(resolve_custom)

    @model_validator(mode="after")
    def _within_bounds(self) -> CustomPolicyOp:
        if not runs_code():
            return self
        known = {p.name: p for p in self.operation.parameters}
        check_names(self.parameters, known)
        for name, value in self.parameters.items():
            if not known[name].low <= value <= known[name].high:
                raise ValueError(
                    f"{name}: {value:g} is outside the bounds [{known[name].low:g}, "
                    f"{known[name].high:g}]"
                )
        return self

    @property
    def source(self) -> CustomSource:
        """Where it is defined."""
        return CustomSource.parse(self.of, None)

    @property
    def custom(self) -> CustomOp:
        """What its file defines."""
        return self.source.load(self.code)

    @property
    def operation(self) -> Operation:
        return self.custom.operation(self.source.name)

    @property
    def instance(self) -> str:
        return self.name or self.of.rpartition(":")[2]

    def with_values(self, values: dict[str, float]) -> Self:
        return self.model_copy(update={"parameters": {**self.parameters, **values}})

    def values(self) -> dict[str, float]:
        return {p.name: self.parameters.get(p.name, p.default) for p in self.operation.parameters}


def check_names(given: dict[str, Any], known: dict[str, Any]) -> None:
    """Raise ValueError if a parameter is given that the operation does not have."""
    for name in given:
        if name not in known:
            raise ValueError(f"unknown parameter {name!r}; it has: {', '.join(known) or 'none'}")


def portable(content: dict[str, Any]) -> dict[str, Any]:
    """A dumped space or policy without the directories of its files.

    Empty names and grains at their default are left out: digests are those of versions that had
    no grain.
    """
    kept = dict(content)
    if kept.get(GRAIN.name) == GRAIN.default:
        del kept[GRAIN.name]
    if "op" in kept and kept.get("name") == "":
        del kept["name"]
    if kept.get("op") == "custom":
        file, _, name = kept["of"].rpartition(":")
        kept["of"] = f"{Path(file).name}:{name}"
    for key in ("ops", "view1", "view2"):
        if kept.get(key):
            kept[key] = [portable(op) for op in kept[key]]
    return kept


if TYPE_CHECKING:
    PlainOp = PolicyOp
else:
    PlainOp = Annotated[reduce(or_, POLICY_OPS.values(), CustomPolicyOp), Field(discriminator="op")]


class OneOf(PolicyOp):
    """A group of which each sample takes one, all equally likely; the member's gate then holds."""

    op: Literal["one_of"]
    ops: tuple[PlainOp, ...] = Field(min_length=2, description="the members")

    def values(self) -> dict[str, float]:
        return {}

    def moved(self) -> tuple[Parameter, ...]:
        return ()

    def is_identity(self) -> bool:
        return self.p == 0 or all(member.is_identity() for member in self.ops)


if TYPE_CHECKING:
    AnyOp = PolicyOp
else:
    AnyOp = Annotated[
        reduce(or_, POLICY_OPS.values(), CustomPolicyOp) | OneOf, Field(discriminator="op")
    ]


def duplicate_instance(ops: tuple[Any, ...]) -> str | None:
    """The first instance name that `ops` (with group members) use twice, or None.

    Draws are made per instance name, so two operations of one name would move in step.
    """
    seen: set[str] = set()
    for op in walk(ops):
        name = op.instance
        if name in seen:
            return str(name)
        seen.add(name)
    return None


def custom_files(ops: tuple[Any, ...]) -> dict[str, bytes]:
    """The files that the custom operations among `ops` (with group members) come from, by name.

    Raises:
        ConfigError: two different files have the same name, or one has changed since it was read.
    """
    found: dict[str, bytes] = {}
    for op in walk(ops):
        if op.op != "custom":
            continue
        file = CustomSource.parse(op.of, None).file
        content = file.read_bytes()
        if digest(content) != op.code:
            raise ConfigError(has_changed(file, op.code))
        if found.setdefault(file.name, content) != content:
            raise ConfigError(f"two files of operations are called {file.name}; rename one")
    return found


def walk(ops: tuple[Any, ...]) -> Iterator[Any]:
    """Every operation, groups before their members."""
    for op in ops:
        yield op
        yield from walk(getattr(op, "ops", ()))
