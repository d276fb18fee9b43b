"""What the catalogue is made of: operations and their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """One searchable number of an operation.

    Attributes:
        name: key in YAML.
        low, high: hard physical bounds, inclusive; no space can leave them.
        doc: what it means and how a sample's magnitude follows from it, with its unit.
        identity: the value at which it changes nothing; None if it only shapes the effect.
        default: value where YAML leaves it out.
        integer: whole numbers only.
        colour_only: does nothing to a grey image.
        unit: how a value is written for people: `%` of what `doc` names, `°`, `×`, `turns`,
            `bits`; with a `±` before it where both signs are meant.
    """

    name: str
    low: float
    high: float
    doc: str
    identity: float | None
    default: float
    integer: bool = False
    colour_only: bool = False
    unit: str = ""


GRAIN = Parameter(
    "grain", 1 / 512, 0.25,
    "side of the cells that it works on, as a share of the shorter side; at 1/32 a cell is a pixel "
    "of 32 (fixed unless searched)",
    identity=None, default=1 / 32, unit="%",
)  # fmt: skip
"""No magnitude: every sample has the same, so it is not among an operation's `parameters`."""


@dataclass(frozen=True)
class Operation:
    """One augmentation.

    Attributes:
        name, doc: what it is called and what it does.
        parameters: its magnitudes and what shapes them.
        colour_only: does nothing to a grey image.
        grained: it works on cells, whose side is `GRAIN`.
        limits: where it does not do the same at other sizes; empty if it does anywhere.
    """

    name: str
    doc: str
    parameters: tuple[Parameter, ...] = ()
    colour_only: bool = False
    grained: bool = False
    limits: str = ""

    @property
    def numbers(self) -> tuple[Parameter, ...]:
        """All that can be set: the parameters, then the grain if it has one."""
        return (*self.parameters, GRAIN) if self.grained else self.parameters

    @property
    def magnitudes(self) -> tuple[Parameter, ...]:
        """The parameters that say how much is done: those with an identity."""
        return tuple(p for p in self.parameters if p.identity is not None)

    def moved(self, values: Mapping[str, float]) -> tuple[Parameter, ...]:
        """The magnitudes that these values take away from their identity."""
        return tuple(p for p in self.magnitudes if values[p.name] != p.identity)

    def does_nothing(self, values: Mapping[str, float]) -> bool:
        """Whether there are magnitudes and all stand at their identity."""
        return bool(self.magnitudes) and not self.moved(values)

    def parameter(self, name: str) -> Parameter:
        """The parameter or grain called `name`; KeyError if there is none."""
        for parameter in self.numbers:
            if parameter.name == name:
                return parameter
        raise KeyError(name)
