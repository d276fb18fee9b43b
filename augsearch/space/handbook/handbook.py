"""All that there is to read about an operation in one place: catalogue, advice and cost."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from augsearch.errors import ConfigError
from augsearch.space.catalogue import (
    COLOUR,
    GEOMETRIC,
    ILLUMINATION,
    NOISE_AND_LOSS,
    OPERATIONS,
    SHARPNESS_AND_BLUR,
    WEATHER,
    Operation,
    Parameter,
)
from augsearch.space.handbook.advice import ADVICE, OpAdvice
from augsearch.space.handbook.carry_over import CarryOver, measured_carry_over
from augsearch.space.handbook.costs import Cost, load_costs
from augsearch.words import Unit

FAMILIES: Mapping[str, tuple[Operation, ...]] = {
    "geometry": GEOMETRIC,
    "colour and tone": COLOUR,
    "sharpness and blur": SHARPNESS_AND_BLUR,
    "noise and loss": NOISE_AND_LOSS,
    "weather": WEATHER,
    "light": ILLUMINATION,
}


@dataclass(frozen=True)
class OpDescription:
    """One operation, described.

    Attributes:
        operation: what it does, and its parameters with bounds, identity and default.
        family: the group of operations that it belongs to.
        advice: for four kinds of images, what it is good for and where it is dangerous.
        costs: measured microseconds per image; empty if it was not measured.
        carry_over: measured effects on larger images over those at 32 pixels.
    """

    operation: Operation
    family: str
    advice: OpAdvice
    costs: tuple[Cost, ...]
    carry_over: tuple[CarryOver, ...] = ()

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def summary(self) -> str:
        """The first sentence of what it does."""
        return self.operation.doc.partition(". ")[0].removesuffix(".") + "."


def describe_ops() -> tuple[OpDescription, ...]:
    """Every operation of the catalogue, family by family."""
    costs, carried = load_costs().ops, measured_carry_over()
    return tuple(
        OpDescription(
            operation,
            family,
            ADVICE[operation.name],
            costs.get(operation.name, ()),
            carried.get(operation.name, ()),
        )
        for family, operations in FAMILIES.items()
        for operation in operations
    )


def describe_op(name: str) -> OpDescription:
    """Look up the operation called `name`.

    Raises:
        ConfigError: there is none; the message names the nearest.
    """
    for description in describe_ops():
        if description.name == name:
            return description
    close = difflib.get_close_matches(name, OPERATIONS, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else "`augsearch ops` lists them"
    raise ConfigError(f"there is no operation {name!r}; {hint}")


def number_text(number: float) -> str:
    """A parameter's value as people write it."""
    return f"{number:.4g}"


def value_text(parameter: Parameter, value: float) -> str:
    """A parameter's value with its unit: "15°", "×1.5", "±40 %", "4 bits"."""
    return unit_of(parameter.unit).text(value)


def unit_of(name: str) -> Unit:
    """What `Parameter.unit` names."""
    bare = name.removeprefix("±")
    sign = "±" if bare != name else ""
    if bare == "%":
        return Unit(100, sign, " %")
    if bare == "×":
        return Unit(before="×")
    return Unit(before=sign, after=f" {bare}" if bare.isalpha() else bare)


def bounds_text(parameter: Parameter) -> str:
    """Hard bounds, as "0 to 180"."""
    whole = ", whole" if parameter.integer else ""
    return f"{number_text(parameter.low)} to {number_text(parameter.high)}{whole}"


def identity_text(parameter: Parameter) -> str:
    """Where a parameter changes nothing; a dash if it only shapes the effect."""
    return "-" if parameter.identity is None else number_text(parameter.identity)


def carry_over_text(found: Sequence[CarryOver]) -> str:
    """Ratios as "0.98 at 96 px, 0.97 at 224 px (surfaces); ..."; "not measured" without any."""
    pictures: dict[str, list[str]] = {}
    for one in found:
        pictures.setdefault(one.pictures, []).append(f"{one.ratio:.2f} at {one.image_size} px")
    parts = [f"{', '.join(sizes)} ({name})" for name, sizes in pictures.items()]
    return "; ".join(parts) or "not measured"


def cost_text(costs: Sequence[Cost]) -> str:
    """Costs as "kornia 12 µs at 32 px, 80 µs at 96 px; fused ..."; "not measured" without any."""
    executors: dict[str, list[str]] = {}
    for cost in costs:
        shown = f"{cost.microseconds:,.0f} µs at {cost.image_size} px"
        executors.setdefault(cost.executor, []).append(shown)
    parts = [f"{executor} {', '.join(sizes)}" for executor, sizes in executors.items()]
    return "; ".join(parts) or "not measured"
