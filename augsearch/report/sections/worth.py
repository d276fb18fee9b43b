"""Whether a search is worth it here, as its triage saw it."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section
from augsearch.words import interval, percent

TRAINED = {"none": "nothing", "SimCLR": "SimCLR", "labels": "labels alone"}


@dataclass(frozen=True)
class Worth(Section):
    """The answer of a triage.

    Attributes:
        answer: in a few words, with its reason.
        next: what to do.
        told: what was found, a sentence for each question.
        rows: policy, what trained the encoder, score and interval, best first.
    """

    template = "worth"
    title = "Is a search worth it here?"

    answer: str
    next: str
    told: tuple[str, ...]
    rows: tuple[tuple[str, str, float, tuple[float, float]], ...]

    @property
    def basis(self) -> str:
        """What it rests on."""
        return (
            "Single runs of one seed on the images of the search, before it; the sealed images "
            "were not looked at. Intervals are for other seeds and labels, which move all of them "
            "together. What the study found since then stands elsewhere on this page."
        )

    def table(self, metric: str) -> Table:
        """All that was tried."""
        rows = [
            (name, TRAINED[training], percent(score), interval(ends))
            for name, training, score, ends in self.rows
        ]
        return Table(
            "What was tried", ("policy", "trained by", f"{metric}, %", "95 % interval"), rows,
            text=(0, 1),
        )  # fmt: skip
