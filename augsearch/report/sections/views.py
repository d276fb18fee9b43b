"""The winner on the team's own images, beside the best baseline."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.report.section import Section


@dataclass(frozen=True)
class PolicyViews:
    """A picture of a policy's views of some images."""

    policy: str
    png: bytes


@dataclass(frozen=True)
class Views(Section):
    """Pictures of views; `missing` says why there are none, or is empty."""

    template = "views"
    title = "What it does to your images"

    pictures: tuple[PolicyViews, ...] = ()
    missing: str = ""

    @property
    def shown(self) -> bool:
        return bool(self.pictures or self.missing)
