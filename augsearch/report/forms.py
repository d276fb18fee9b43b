"""What sections are made of beside prose: tables and figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows.

    Attributes:
        text: columns that are aligned left; numbers are aligned right.
        marked: rows that stand out.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: Collection[int] = (0,)
    marked: Collection[int] = ()

    def only(self, columns: Sequence[int]) -> Table:
        """The same table with these columns."""
        return Table(
            self.caption,
            [self.header[column] for column in columns],
            [[row[column] for column in columns] for row in self.rows],
            [place for place, column in enumerate(columns) if column in self.text],
            self.marked,
        )


@dataclass(frozen=True)
class Plot:
    """A figure with what it shows in words, for those who do not see it.

    Attributes:
        wide: needs more room than a phone has, so it scrolls there.
    """

    figure: Figure
    alt: str
    wide: bool = False

    @property
    def height(self) -> float:
        """In pixels."""
        height: float = self.figure.layout.height
        return height

    @property
    def json(self) -> str:
        """For `draw.js`. In JSON `<` can be written so that it ends no script."""
        json: str = self.figure.to_json()
        return json.replace("<", "\\u003c")
