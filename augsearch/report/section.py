"""What every section of a report has."""

from __future__ import annotations

from collections.abc import Sequence


class Section:
    """A part of a report: what it says, as a frozen dataclass in `sections/`.

    `templates/TEMPLATE.html.j2` lays it out and knows it as `section`, the whole as `report` and
    the modules of `figures/` as `figures`.

    Attributes:
        title: over the section.
    """

    template: str
    title: str

    @property
    def anchor(self) -> str:
        """What links lead to."""
        return self.template

    @property
    def shown(self) -> bool:
        """Whether there is anything to show."""
        return True

    @property
    def findings(self) -> Sequence[str]:
        """What the page of Markdown says of it."""
        return ()
