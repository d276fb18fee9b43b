"""What a report shows, as plain data. Scores and recalls lie in [0, 1], differences are points.

Nothing here knows of stores or of Optuna: `augsearch.search.report` fills it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from augsearch.report.section import Section
from augsearch.report.sections.verdict import Headline

SomeSection = TypeVar("SomeSection", bound=Section)


@dataclass(frozen=True)
class Report:
    """Everything in a report.

    Attributes:
        subject: what it is about, with the name of the data.
        written: when, for people.
        metric: what the scores are.
        data: the images, in words.
        sections: in their order.
    """

    study: str
    subject: str
    written: str
    metric: str
    data: str
    headline: Headline
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """For the tab and the top of the page."""
        return f"{self.subject}, {self.written.partition(' ')[0]}"

    def section(self, kind: type[SomeSection]) -> SomeSection | None:
        """The first section of that kind, if there is one."""
        return next((one for one in self.sections if isinstance(one, kind)), None)
