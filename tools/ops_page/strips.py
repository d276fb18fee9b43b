"""Which strips show an operation: what is moved from column to column, and what stands still.

Knows the slots of the implementations (see `augsearch/augment/`), computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from augsearch.space.catalogue import Operation, Parameter
from augsearch.space.handbook.handbook import number_text

MOST = 1 - 2.0**-24
"""The largest uniform number: a magnitude that grows with it is at its parameter's value."""
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
FEWER_STEPS = (0.0, 1 / 3, 2 / 3, 1.0)
"""Shares of the way to the bound; fewer where the pictures themselves stand beside them."""
TOO_CLOSE = 0.06
"""A step this near to the default makes room for it."""
MIDDLE = 0.5

UNIFORM: Mapping[str, tuple[float, ...]] = {
    # area (10 attempts), aspect ratio (10 attempts), left, top: the smallest crop, of the middle
    "resized_crop": (*[0.0] * 10, *[MOST] * 10, MIDDLE, 0.6),
    "affine": (MOST, MIDDLE, MOST, MOST, MIDDLE),  # along x
    "perspective": (0.3, MOST, 0.1, 0.2, 0.1, 0.2, 0.3, MOST),  # as seen from the right
    "thin_plate_spline": (MOST, 0.7, 0.3, 0.0, 0.6, MOST, 0.0, 0.2, MOST, 0.0),
    "fisheye": (MOST, MIDDLE, MIDDLE, MOST),  # about the middle
    "rgb_shift": (MOST, MIDDLE, 0.0),  # more red, less blue
    "channel_dropout": (MOST, 0.0),
    "solarize": (0.0,),
    "posterize": (0.0,),
    "motion_blur": (MOST, 0.1),
    "erasing": (MOST, MIDDLE, 0.6, 0.6),
    "jpeg": (0.0,),
    "linear_illumination": (MOST, 0.6),
    "gaussian_illumination": (MOST, 0.4, 0.0, 0.6, 0.0),
    "plasma_shadow": (0.6, 0.5, MOST),
    "plasma_brightness": (0.5, MOST),
    "plasma_contrast": (0.5, MOST),
}
"""Uniform numbers of an operation's slots; all are at `MOST` where it is not named."""

BESIDE: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("resized_crop", "ratio"): {"scale_min": 0.25},  # a ratio needs room to differ in
}
"""Values of the other parameters while one is moved, where the identity would show nothing."""

DRAWN: Mapping[str, tuple[tuple[str, tuple[float, ...]], ...]] = {
    "rotate90": (("90°", (0.0,)), ("180°", (0.4,)), ("270°", (0.8,))),
    "channel_shuffle": (
        ("GBR", (0.1,)),
        ("BRG", (0.3,)),
        ("BGR", (0.5,)),
        ("RBG", (0.7,)),
        ("GRB", (0.9,)),
    ),
}
"""Operations without a magnitude that come out differently: titles and uniform numbers."""


@dataclass(frozen=True)
class Column:
    """One column of a strip.

    Attributes:
        title: stands above it.
        values: of the operation's parameters; None shows the pictures themselves.
        uniform: numbers for the operation's slots; None: all of them `MOST`.
    """

    title: str
    values: Mapping[str, float] | None = field(default_factory=dict)
    uniform: tuple[float, ...] | None = None


BEFORE = Column("before", None)


@dataclass(frozen=True)
class Strip:
    """A picture of an operation: `file` in `docs/images/ops/`, `alt` for those who cannot see."""

    operation: Operation
    file: str
    alt: str
    columns: tuple[Column, ...]


def strips_of(operation: Operation) -> tuple[Strip, ...]:
    """A strip for each parameter that is a magnitude; one for an operation that has none."""
    moved = [p for p in operation.parameters if p.identity is not None]
    moved = moved or list(operation.parameters)
    if not moved:
        return (_plain(operation),)
    return tuple(_moving(operation, parameter, alone=len(moved) == 1) for parameter in moved)


def _plain(operation: Operation) -> Strip:
    drawn = DRAWN.get(operation.name, (("applied", ()),))
    columns = (Column(title, {}, uniform or None) for title, uniform in drawn)
    alt = f"{operation.name}: before and after"
    return Strip(operation, f"{operation.name}.webp", alt, (BEFORE, *columns))


def _moving(operation: Operation, moved: Parameter, *, alone: bool) -> Strip:
    beside = BESIDE.get((operation.name, moved.name), {})
    still = {
        p.name: beside.get(p.name, p.default if p.identity is None else p.identity)
        for p in operation.parameters
    }
    values = _values(moved)
    columns = [
        Column(
            _title(moved, number, value), {**still, moved.name: value}, UNIFORM.get(operation.name)
        )
        for number, value in enumerate(values)
    ]
    before = [BEFORE] if moved.identity is None else []
    file = operation.name if alone else f"{operation.name}-{moved.name}"
    reach = f"from {number_text(values[0])} to {number_text(values[-1])}"
    alt = f"{operation.name}: {moved.name} {reach}"
    return Strip(operation, f"{file}.webp", alt, (*before, *columns))


def _title(parameter: Parameter, number: int, value: float) -> str:
    if number == 0:
        return f"{parameter.name} {number_text(value)}"
    return f"default {number_text(value)}" if value == parameter.default else number_text(value)


def _values(parameter: Parameter) -> list[float]:
    """From the identity (or the bound that does less) to the far bound, the default among them."""
    start = parameter.low if parameter.identity is None else parameter.identity
    end = max(parameter.low, parameter.high, key=lambda bound: abs(bound - start))
    default = (parameter.default - start) / (end - start)
    shares = STEPS if parameter.identity is not None else FEWER_STEPS
    values = {
        share: start + share * (end - start)
        for share in shares
        if share in (0, 1) or abs(share - default) > TOO_CLOSE
    } | {default: parameter.default}
    ordered = [values[share] for share in sorted(values)]
    return list(dict.fromkeys(map(round, ordered))) if parameter.integer else ordered
