"""The form of advice: for one operation and one domain, what it is good for and where it harms."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Advice:
    """One sentence each."""

    good_for: str
    dangerous: str


@dataclass(frozen=True)
class OpAdvice:
    """Advice on one operation for four kinds of images.

    Attributes:
        inspection: surfaces and parts under fixed cameras (preset `factory`).
        satellite: scenes from above.
        microscopy: cells and tissue.
        natural: everyday photographs.
    """

    inspection: Advice
    satellite: Advice
    microscopy: Advice
    natural: Advice

    def domains(self) -> tuple[tuple[str, Advice], ...]:
        """Name of each domain with its advice."""
        return tuple((field.name, getattr(self, field.name)) for field in fields(self))
