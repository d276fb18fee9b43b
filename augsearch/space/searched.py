"""What may stand for a number in a space: fixed, a range, choices, or a share of a strength."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator


class Value(BaseModel):
    """Base of the forms of a searched number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(Value):
    """Any number from `low` to `high`; with `log`, uniform in the logarithm."""

    low: float = Field(description="smallest value")
    high: float = Field(description="largest value")
    log: bool = Field(default=False, description="uniform in the logarithm; low must be above 0")

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}; swap them")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range needs low above 0, not {self.low:g}")
        return self

    def extremes(self) -> tuple[float, ...]:
        return (self.low, self.high)


class Choices(Value):
    """One of the listed numbers."""

    choices: tuple[float, ...] = Field(min_length=1, description="the values to choose from")

    @model_validator(mode="after")
    def _distinct(self) -> Choices:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("a choice is listed twice; list each once")
        return self

    def extremes(self) -> tuple[float, ...]:
        return self.choices


class Coupled(Value):
    """Follows a strength: the identity at strength 0, `full` at strength 1, linear between."""

    strength: str = Field(description="name of an entry of the space's `strengths`")
    full: float = Field(description="value at strength 1")

    def at(self, strength: float, identity: float) -> float:
        return identity + (self.full - identity) * strength


def _form(value: Any) -> str:
    """Which form of a searched number `value` has, for pydantic's discriminated union."""
    if isinstance(value, (Range, Choices, Coupled)):
        return type(value).__name__.lower()
    if isinstance(value, dict):
        for key, form in (("choices", "choices"), ("strength", "coupled")):
            if key in value:
                return form
        return "range"
    return "fixed"


Fixed = Annotated[float, Field(allow_inf_nan=False, strict=False)]
SearchedStrength = Annotated[
    Annotated[Fixed, Tag("fixed")]
    | Annotated[Range, Tag("range")]
    | Annotated[Choices, Tag("choices")],
    Discriminator(_form),
]
Searched = Annotated[
    Annotated[Fixed, Tag("fixed")]
    | Annotated[Range, Tag("range")]
    | Annotated[Choices, Tag("choices")]
    | Annotated[Coupled, Tag("coupled")],
    Discriminator(_form),
]
AnySearched = float | Range | Choices | Coupled


def readable(value: float) -> float:
    """`value` rounded to four significant digits: what a policy file shows is what ran."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, 3 - math.floor(math.log10(abs(value))))
