"""Who gains and who loses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import listed, percent, points

MOST_CLASSES = 30
"""Classes that are drawn."""


@dataclass(frozen=True)
class ClassEffect:
    """Recall of one class under two policies; `low` and `high` enclose the difference in points,
    together with those of the other classes in 95 % of studies. Both are None where that is not
    known."""

    name: str
    ours: float
    theirs: float
    difference: float
    low: float | None
    high: float | None

    @property
    def finding(self) -> Literal["gains", "loses", "open"]:
        if self.low is None or self.high is None:
            return "open"
        return "gains" if self.low > 0 else "loses" if self.high < 0 else "open"

    @property
    def in_words(self) -> str:
        return f"{self.name} ({points(self.difference)} points)"


@dataclass(frozen=True)
class ClassEffects(Section):
    """Who gains and who loses by `ours` against `theirs`, over so many seeds."""

    template = "classes"
    title = "Who gains, who loses"

    ours: str
    theirs: str
    seeds: int
    classes: tuple[ClassEffect, ...]

    @property
    def shown(self) -> bool:
        return bool(self.classes)

    @property
    def known(self) -> bool:
        """Whether there are intervals."""
        return any(c.low is not None for c in self.classes)

    @property
    def findings(self) -> tuple[str, ...]:
        return (self.sentence,)

    def those_that(self, finding: str) -> list[ClassEffect]:
        """The classes of which that was found."""
        return [c for c in self.classes if c.finding == finding]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if self.seeds < 2:
            return "Not confirmed yet: these differences are of a single seed."
        if not self.known:
            return (
                "Of these differences it is not known what is chance: there is no record of which "
                "images each seed had right."
            )

        def named(finding: str) -> list[str]:
            found = sorted(self.those_that(finding), key=lambda c: -abs(c.difference))
            return [c.in_words for c in found]

        gains, loses = named("gains"), named("loses")
        against = f"Against {self.theirs}, "
        if not gains and not loses:
            nothing = f"no class is shown to gain or to lose by {self.ours}"
            return f"{against}{nothing}: the intervals all hold 0."
        parts = []
        if gains:
            parts.append(f"{self.ours} helps {listed(gains)}")
        if loses:
            who = "it costs" if gains else f"{self.ours} costs"
            parts.append(f"{who} {listed(loses)}")
        rest = len(self.classes) - len(gains) - len(loses)
        tail = f" For the other {rest} the intervals do not decide." if rest else ""
        return f"{against}{', but '.join(parts)}.{tail}"

    @property
    def caption(self) -> str:
        """What the figure shows."""
        shown = f"Recall of each class under {self.ours}, less that under {self.theirs}"
        many = len(self.classes)
        most = (
            f" Of {many} classes the {MOST_CLASSES} that move most are drawn."
            if many > MOST_CLASSES
            else ""
        )
        if self.known:
            return (
                f"{shown}. Intervals are for other seeds ({self.seeds} were run), labels and test "
                "images of a class, and hold for all classes together in 95 % of studies; grey: "
                f"the interval does not decide.{most}"
            )
        if self.seeds > 1:
            return f"{shown}, over {self.seeds} fresh seeds; how sure that is, is not known.{most}"
        return f"{shown}: one seed of the search, so without intervals.{most}"

    @property
    def table(self) -> Table:
        """Every class, those that gain most first."""
        whole = Table(
            "Recall in %, differences in points",
            ("class", self.theirs, self.ours, "difference", "interval", "finding"),
            [
                (
                    c.name,
                    percent(c.theirs),
                    percent(c.ours),
                    points(c.difference),
                    f"{points(c.low)} to {points(c.high)}"
                    if c.low is not None and c.high is not None
                    else "",
                    c.finding if c.finding != "open" else "",
                )
                for c in sorted(self.classes, key=lambda c: -c.difference)
            ],
            text=(0, 5),
        )
        return whole if self.known else whole.only(range(4))
