"""The seam between a study and the server that shows its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # it needs torch, which `augsearch ui` should not wait for
    from augsearch.tracking.registry import Registration

Series = Mapping[str, Iterable[tuple[int, float]]]


def in_percent(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares as metrics for people: `recall/crack` becomes `recall_percent/crack`."""
    parts = {name: name.partition("/") for name in shares}
    return {
        f"{head}_percent{slash}{rest}": round(100 * shares[name], 2)
        for name, (head, slash, rest) in parts.items()
    }


def in_points(differences: Mapping[str, float]) -> dict[str, float]:
    """Differences of shares as metrics for people: `gain` becomes `gain_points`."""
    return {f"{name}_points": round(100 * gain, 2) for name, gain in differences.items()}


@dataclass(frozen=True)
class DataReference:
    """The images, as a tracking server shows them."""

    name: str
    digest: str
    source: str
    profile: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """One finished training run, as a tracking server is told about it.

    Attributes:
        key: unique within the study.
        name: for people.
        status: FINISHED, FAILED or KILLED (pruned), MLflow's words.
        artifacts: file name -> content, made only when needed.
        start, end: milliseconds since 1970.
        description: Markdown; empty for none.
    """

    key: str
    name: str
    status: str
    params: Mapping[str, str | float]
    metrics: Mapping[str, float]
    series: Series
    tags: Mapping[str, str]
    artifacts: Callable[[], Mapping[str, bytes]]
    start: int
    end: int
    description: str = ""


@dataclass(frozen=True)
class Page:
    """What is shown of a study as a whole.

    Attributes:
        description: Markdown.
        artifacts: file name -> content.
        notes: the descriptions that its runs should have by now, by key.
        columns: parameters of trials that are worth a column, the most telling first.
    """

    description: str
    metrics: Mapping[str, float]
    artifacts: Mapping[str, bytes]
    tags: Mapping[str, str]
    notes: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()


class Tracker(Protocol):
    """Where the runs of one study are shown.

    It decides nothing and may fall behind: what it lacks it gets at the next call. No method
    raises because the server is away; each says whether it could do what was asked.
    """

    def sync(self, makers: Mapping[str, Callable[[], Record]], *, at_end: bool = False) -> bool:
        """Show the runs that it lacks, given by key. `at_end` of a phase: worth waiting for."""

    def finish(self, page: Page) -> bool:
        """Show what the study found, and that it is over."""

    def amend(self, section: str, page: Page) -> bool:
        """Add to a finished study: its description becomes a section of the one that is there, in
        place of an earlier one of that title."""

    def register(self, wanted: Registration) -> bool:
        """Give the recommended policy of a finished study its version in the model registry."""
