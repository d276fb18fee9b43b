"""What it takes to do it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from augsearch.report.forms import Table
from augsearch.report.section import Section


@dataclass(frozen=True)
class Reproduce(Section):
    """The command, and what it depends on."""

    template = "reproduce"
    title = "How to reproduce it"

    command: str
    facts: Mapping[str, str]
    digests: Mapping[str, str]
    versions: Mapping[str, str]

    @property
    def study(self) -> Table:
        return _pairs("The study", ("what", "value"), self.facts)

    @property
    def of_digests(self) -> Table:
        return _pairs("Digests", ("of", "digest"), self.digests)

    @property
    def of_versions(self) -> Table:
        return _pairs("Versions", ("of", "version"), self.versions)


def _pairs(caption: str, header: tuple[str, str], pairs: Mapping[str, str]) -> Table:
    return Table(caption, header, list(pairs.items()), text=(0, 1))
