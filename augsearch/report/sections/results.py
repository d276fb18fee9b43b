"""Every policy with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import interval, percent

Kind = Literal["candidate", "baseline", "floor"]
KINDS = {"candidate": "found here", "baseline": "baseline", "floor": "no training"}


@dataclass(frozen=True)
class PolicyRow:
    """A line of the table of results.

    Attributes:
        confirmed: score of each fresh seed; empty if it was not confirmed.
        interval: 95 %, for other seeds and, where that is known, other test images.
        seeds_only: the same for other seeds on the same test images, where `interval` is for both.
    """

    name: str
    kind: Kind
    search: float | None
    confirmed: tuple[float, ...]
    mean: float | None
    interval: tuple[float, float] | None
    seeds_only: tuple[float, float] | None
    chosen: bool

    @property
    def title(self) -> str:
        """Its name, with a star if it is the one to use."""
        return f"{self.name} ★" if self.chosen else self.name


@dataclass(frozen=True)
class Results(Section):
    """The policies, best first."""

    template = "results"
    title = "Results"

    policies: tuple[PolicyRow, ...]
    placed: str = ""
    """Where the best policy lies among the published ones."""
    guessing: float | None = None
    """The score that guessing reaches, in [0, 1]; None where that is not known."""

    @property
    def shown(self) -> bool:
        return bool(self.policies)

    @property
    def confirmed(self) -> tuple[PolicyRow, ...]:
        return tuple(row for row in self.policies if row.mean is not None)

    @property
    def reach(self) -> str:
        """What the intervals are for."""
        if any(row.seeds_only for row in self.confirmed):
            return (
                "for other seeds and other test images (thin), for other seeds on these alone "
                "(thick)"
            )
        return "for other seeds on these test images"

    def table(self, metric: str) -> Table:
        """Every policy; columns in which nothing stands are left out."""
        rows = [
            (
                row.title,
                percent(row.mean) or "not confirmed",
                interval(row.interval),
                interval(row.seeds_only),
                str(len(row.confirmed) or ""),
                percent(row.search),
                KINDS[row.kind],
            )
            for row in self.policies
        ]
        header = ("policy", "confirmed", "95 % interval", "on these images alone", "seeds")
        whole = Table(
            f"{metric} in %; ★ is in policy.yaml" if self.confirmed else f"{metric} in %",
            (*header, "in the search", "what it is"),
            rows,
            text=(0, 6),
            marked=[place for place, row in enumerate(self.policies) if row.chosen],
        )
        if not self.confirmed:
            return whole.only((0, 5, 6))
        return whole.only([i for i in range(7) if i in (0, 5, 6) or any(row[i] for row in rows)])
