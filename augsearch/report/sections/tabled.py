"""A section of sentences and tables."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section


@dataclass(frozen=True)
class Tabled(Section):
    """What was found, with the numbers.

    Attributes:
        name: what links lead to.
        basis: how the numbers are meant.
    """

    template = "tabled"

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    basis: str = ""

    @property
    def anchor(self) -> str:
        return self.name

    @property
    def shown(self) -> bool:
        return bool(self.sentences or any(table.rows for table in self.tables))

    @property
    def findings(self) -> tuple[str, ...]:
        return self.sentences
