"""What the policy is worth where labels train the encoder."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import interval, percent


@dataclass(frozen=True)
class Labelled(Section):
    """Supervised training under the study's policies.

    Attributes:
        sentence: what was found.
        labels, steps, seeds: labels of each class, optimiser steps and seeds of the runs.
        rows: name, mean and interval of each policy, best first.
        winner: name of the policy that was found here.
    """

    template = "labelled"
    title = "With labels instead of SimCLR"

    sentence: str
    labels: int
    steps: int
    seeds: int
    rows: tuple[tuple[str, float, tuple[float, float]], ...]
    winner: str

    @property
    def findings(self) -> tuple[str, ...]:
        return (self.sentence,)

    @property
    def basis(self) -> str:
        """What it rests on."""
        return (
            f"The same encoder from the same start, trained by cross-entropy for {self.steps} "
            f"steps with {self.labels} labels of each class, on the sealed images over "
            f"{self.seeds} seeds; each seed has labels of its own. The intervals of the "
            "differences hold together in 95 % of studies."
        )

    def table(self, metric: str) -> Table:
        """Every policy."""
        rows = [(name, percent(mean), interval(ends)) for name, mean, ends in self.rows]
        marked = [n for n, (name, *_) in enumerate(self.rows) if name == self.winner]
        return Table(
            "Policies under supervised training",
            ("policy", f"{metric}, %", "95 % interval"),
            rows,
            marked=marked,
        )
