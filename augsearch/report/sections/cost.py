"""Where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import duration, listed


@dataclass(frozen=True)
class Costs(Section):
    """What a study spent.

    Attributes:
        phases: phase -> (runs, seconds of computing).
        parts: what a complete trial spends its seconds on, in the mean.
        ops: operation -> microseconds an image and policy, gate taken into account; None where the
            policy does not have it.
        policies: the policies of `ops`, in their order.
        basis: where the costs of the operations come from.
    """

    template = "cost"
    title = "What it cost"

    phases: Mapping[str, tuple[int, float]]
    parts: Mapping[str, float]
    ops: tuple[tuple[str, tuple[float | None, ...]], ...]
    policies: tuple[str, ...]
    basis: str

    @property
    def shown(self) -> bool:
        return bool(self.phases)

    @property
    def sentence(self) -> str:
        """All of it, and what a trial spends it on."""
        total = sum(seconds for _, seconds in self.phases.values())
        parts = [f"{name} {duration(seconds)}" for name, seconds in self.parts.items()]
        inside = f" A complete trial takes on average: {listed(parts)}." if parts else ""
        return f"{duration(total)} of computing in all.{inside}"

    @property
    def total(self) -> str:
        """The same in a line."""
        if not self.phases:
            return ""
        parts = [f"{name} {duration(seconds)}" for name, (_, seconds) in self.phases.items()]
        return f"Computing time: {listed(parts)}."

    @property
    def by_phase(self) -> Table:
        return Table(
            "Computing time",
            ("phase", "runs", "time"),
            [(name, str(runs), duration(s)) for name, (runs, s) in self.phases.items()],
        )

    @property
    def by_operation(self) -> Table:
        """What each operation of the policies takes, and all of them."""
        rows = [
            (name, *("" if cost is None else f"{cost:,.1f}" for cost in several))
            for name, several in self.ops
        ]
        totals = [
            sum(several[policy] or 0.0 for _, several in self.ops)
            for policy in range(len(self.policies))
        ]
        return Table(
            "Microseconds that a view of one image takes, gates taken into account",
            ("operation", *self.policies),
            [*rows, ("all", *(f"{total:,.1f}" for total in totals))],
        )
