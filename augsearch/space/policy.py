"""A policy: one concrete point of a space, as ordered operations for one or two views."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from augsearch.notebook import Card, Carded
from augsearch.space.catalogue import GRAIN
from augsearch.space.policy_ops import (
    AnyOp,
    PolicyOp,
    custom_files,
    duplicate_instance,
    portable,
    walk,
)
from augsearch.space.view_options import Executor, Fit, ViewOptions
from augsearch.space.yaml_file import CONTROL, load_model

if TYPE_CHECKING:
    from torch import nn

NEXT_LINE = "\x85"


class FoundOn(BaseModel):
    """The images that a policy was found on, as the search saw them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    image_size: int = Field(ge=1, description="side of the square images in pixels")
    fit: Fit = Field(description="how pictures became square")
    mean: tuple[float, ...] = Field(description="of each channel, with pixels in [0, 1]")
    std: tuple[float, ...] = Field(description="standard deviation of each channel")
    window: tuple[float, float] | None = Field(
        default=None, description="values shown as black and white in files of more than 8 bits"
    )

    @model_validator(mode="after")
    def _a_number_for_each_channel(self) -> FoundOn:
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError("mean and std want a number for each channel")
        if min(self.std) <= 0:
            raise ValueError("std has to be above 0")
        return self


class Policy(Carded, BaseModel):
    """Ordered operations for two views. A policy file reads back as an equal policy.

    Either `ops` (both views alike) or `view1` and `view2`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(default="policy", description="a name for people; not part of the digest")
    found_on: FoundOn | None = Field(
        default=None, description="the images it was found on; not part of the digest"
    )
    ops: tuple[AnyOp, ...] | None = Field(default=None, description="operations of both views")
    view1: tuple[AnyOp, ...] | None = Field(default=None, description="operations of view 1")
    view2: tuple[AnyOp, ...] | None = Field(default=None, description="operations of view 2")

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if CONTROL.search(name):
            raise ValueError(f"{name!r} holds a control character, which no file may hold")
        return name

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
        content = portable(
            self.model_dump(mode="json", exclude={"name", "found_on"}, exclude_none=True)
        )
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def flatten(self) -> dict[str, str | float]:
        """Every value under `view1.<op instance>.<parameter>`, for tables and MLflow.

        `view1.order` names the operations in their order; a grain at its default is left out. A
        policy with shared operations says `view2: "as view1"` instead of repeating them.
        """
        flat: dict[str, str | float] = {}
        for number, ops in enumerate(self.views, 1):
            if number == 2 and self.shared:
                flat["view2"] = "as view1"
                break
            flat[f"view{number}.order"] = " > ".join(op.instance for op in ops)
            for op in walk(ops):
                flat[f"view{number}.{op.instance}.p"] = op.p
                values = op.values()
                if values.get(GRAIN.name) == GRAIN.default:
                    del values[GRAIN.name]
                flat |= {f"view{number}.{op.instance}.{k}": v for k, v in values.items()}
        return flat

    def to_yaml(self) -> str:
        """The policy as a YAML document that `load_policy` reads back to an equal policy.

        Files of custom operations are named without their directory; see `files`.
        """
        content = portable(self.model_dump(mode="json", exclude_none=True))
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        # PyYAML takes this line break for a space when it reads it back, unless it is escaped.
        if NEXT_LINE in text:
            text = yaml.safe_dump(content, sort_keys=False, allow_unicode=False)
        return text

    def files(self) -> dict[str, bytes]:
        """What belongs into one directory: `policy.yaml` and the files of custom operations.

        Raises:
            ConfigError: two different files have the same name, or one has changed.
        """
        operations = custom_files((*self.views[0], *self.views[1]))
        return {"policy.yaml": self.to_yaml().encode(), **operations}

    def card(self) -> Card:
        """What a notebook shows: each operation, how often it acts, and its values."""
        titles = ("",) if self.shared else ("view 1: ", "view 2: ")
        rows = [
            (f"{view}{op.instance}", f"{100 * op.p:.3g} %", _values_text(op))
            for view, ops in zip(titles, self.views, strict=False)
            for op in walk(ops)
        ]
        names = ", ".join(row[0] for row in rows) or "nothing"
        return Card(
            f"{self.name} ({self.digest}): {names}",
            (),
            ("operation", "acts on", "values"),
            tuple(rows),
        )

    def build(
        self,
        image_size: int,
        seed: int = 0,
        executor: Executor = "auto",
        **options: Unpack[ViewOptions],
    ) -> nn.Module:
        """`augsearch.build_views` of this policy."""
        import augsearch  # through the front door: this room knows nothing of those above it

        return augsearch.build_views(self, image_size, seed, executor, **options)


def _values_text(op: PolicyOp) -> str:
    """An operation's values in a line; a grain at its default is left out."""
    shown = op.values()
    if shown.get(GRAIN.name) == GRAIN.default:
        del shown[GRAIN.name]
    return ", ".join(f"{name} {number:.3g}" for name, number in shown.items())


def load_policy(path: str | Path) -> Policy:
    """Read a policy file.

    Raises:
        ConfigError: there is no such file, or file, line and key of what is wrong.
    """
    return load_model(Policy, Path(path))
