"""A section that some studies have."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section


@dataclass(frozen=True)
class Extra(Section):
    """Findings with pictures and a table.

    Attributes:
        basis: what it rests on.
        sentences: what was found, the main finding first.
        pictures: caption, PNG, what it shows in words.
        header, rows: of a table that opens on request.
        text: columns of it that are no numbers.
        number: among the sections of this kind, from 1.
    """

    template = "extra"

    title: str
    basis: str = ""
    sentences: tuple[str, ...] = ()
    pictures: tuple[tuple[str, bytes, str], ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: tuple[int, ...] = (0,)
    number: int = 1

    @property
    def anchor(self) -> str:
        return f"{self.template}-{self.number}"

    @property
    def shown(self) -> bool:
        return bool(self.basis or self.sentences or self.pictures or self.rows)

    @property
    def findings(self) -> tuple[str, ...]:
        return self.sentences

    @property
    def table(self) -> Table:
        return Table(self.title, self.header, self.rows, self.text)
