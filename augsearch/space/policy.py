"""A policy: one concrete point of a space, as ordered operations for one or two views."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from augsearch.space.catalogue import OPERATIONS, Operation
from augsearch.space.yaml_file import load_model

if TYPE_CHECKING:
    from torch import nn

SCHEMA_VERSION = 1


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

    def values(self) -> dict[str, float]:
        """Parameter values by name, without the gate."""
        return {p.name: getattr(self, p.name) for p in OPERATIONS[self.op].parameters}

    def is_identity(self) -> bool:
        """True if it can change no image: gate closed, or every magnitude at its identity."""
        return self.p == 0 or values_are_identity(OPERATIONS[self.op], self.values())


def values_are_identity(operation: Operation, values: dict[str, float]) -> bool:
    """True if every parameter that has an identity stands at it (and there is one)."""
    magnitudes = [p for p in operation.parameters if p.identity is not None]
    return bool(magnitudes) and all(values[p.name] == p.identity for p in magnitudes)


def _policy_op_model(operation: Operation) -> type[PolicyOp]:
    fields: dict[str, Any] = {"op": (Literal[operation.name], ...)}
    for parameter in operation.parameters:
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

if TYPE_CHECKING:
    PlainOp = PolicyOp
else:
    PlainOp = Annotated[reduce(or_, POLICY_OPS.values()), Field(discriminator="op")]


class OneOf(PolicyOp):
    """A group of which each sample takes one, all equally likely; the member's gate then holds."""

    op: Literal["one_of"]
    ops: tuple[PlainOp, ...] = Field(min_length=2, description="the members")

    def values(self) -> dict[str, float]:
        return {}

    def is_identity(self) -> bool:
        return self.p == 0 or all(member.is_identity() for member in self.ops)


if TYPE_CHECKING:
    AnyOp = PolicyOp
else:
    AnyOp = Annotated[reduce(or_, POLICY_OPS.values(), OneOf), Field(discriminator="op")]


def duplicate_instance(ops: tuple[Any, ...]) -> str | None:
    """The first instance name that `ops` (with group members) use twice, or None.

    Draws are made per instance name, so two operations of one name would move in step.
    """
    seen: set[str] = set()
    for op in _walk(ops):
        name = op.name or op.op
        if name in seen:
            return str(name)
        seen.add(name)
    return None


def _walk(ops: tuple[Any, ...]) -> Iterator[Any]:
    for op in ops:
        yield op
        yield from _walk(getattr(op, "ops", ()))


class Policy(BaseModel):
    """Ordered operations for two views, frozen and comparable; YAML there and back loses nothing.

    Either `ops` (both views alike) or `view1` and `view2`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(default="policy", description="a name for people; not part of the digest")
    ops: tuple[AnyOp, ...] | None = Field(default=None, description="operations of both views")
    view1: tuple[AnyOp, ...] | None = Field(default=None, description="operations of view 1")
    view2: tuple[AnyOp, ...] | None = Field(default=None, description="operations of view 2")

    @model_validator(mode="after")
    def _one_or_two_views(self) -> Policy:
        separate = (self.view1 is not None, self.view2 is not None)
        if (self.ops is None) != all(separate) or any(separate) != all(separate):
            raise ValueError("give either `ops` (both views) or both `view1` and `view2`")
        for ops in self.views:
            if name := duplicate_instance(ops):
                raise ValueError(f"two operations are called {name!r}; give one a `name`")
        return self

    @property
    def shared(self) -> bool:
        """True if both views have the same operations (their draws differ all the same)."""
        return self.ops is not None

    @property
    def views(self) -> tuple[tuple[PolicyOp, ...], tuple[PolicyOp, ...]]:
        """The operations of view 1 and of view 2."""
        if self.ops is not None:
            return self.ops, self.ops
        return self.view1 or (), self.view2 or ()

    @property
    def digest(self) -> str:
        """Twelve hex digits that change with anything that changes a view, and nothing else."""
        content = self.model_dump(mode="json", exclude={"name"}, exclude_none=True)
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def flatten(self) -> dict[str, str | float]:
        """Every value under `view1.<op instance>.<parameter>`, for tables and MLflow.

        A policy with shared operations says `view2: "as view1"` instead of repeating them.
        """
        flat: dict[str, str | float] = {}
        for number, ops in enumerate(self.views, 1):
            if number == 2 and self.shared:
                flat["view2"] = "as view1"
                break
            for op in _walk(ops):
                flat[f"view{number}.{op.instance}.p"] = op.p
                flat |= {f"view{number}.{op.instance}.{k}": v for k, v in op.values().items()}
        return flat

    def to_yaml(self) -> str:
        """The policy as a YAML document that `load_policy` reads back to an equal policy."""
        content = self.model_dump(mode="json", exclude_none=True)
        for key in ("ops", "view1", "view2"):
            if key in content:
                content[key] = [_without_empty_name(op) for op in content[key]]
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)

    def build(self, image_size: int, seed: int = 0) -> nn.Module:
        """A module that maps images `[B, C, H, W]` to two views, for any training loop.

        Input is uint8, or float in [0, 1]; both views are float32 `[B, C, S, S]` in [0, 1],
        S = `image_size`. Every call in training mode draws new numbers from `seed` and its own
        counter, never from the global generators.
        """
        from augsearch.augment.build import TwoViews

        module: nn.Module = TwoViews(self, image_size=image_size, seed=seed)
        return module


def _without_empty_name(op: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in op.items() if not (key == "name" and value == "")}
    if "ops" in kept:
        kept["ops"] = [_without_empty_name(member) for member in kept["ops"]]
    return kept


def load_policy(path: str | Path) -> Policy:
    """Read a policy file; ConfigError names file, line and key of what is wrong."""
    return load_model(Policy, Path(path))
