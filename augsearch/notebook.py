"""How results, policies and spaces print: a line in a terminal, a card in a notebook."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """What a notebook shows.

    Attributes:
        title: the whole of it in a line.
        lines: sentences below.
        head, rows: a table below these, if there are rows.
    """

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def html(self) -> str:
        """Without a style of its own: a notebook's tables fit its theme."""
        parts = [f"<p><strong>{html.escape(self.title)}</strong></p>"]
        parts += [f"<p>{html.escape(line)}</p>" for line in self.lines]
        if self.rows:
            parts.append(f"<table><thead>{_row(self.head, 'th')}</thead><tbody>")
            parts += [_row(row, "td") for row in self.rows]
            parts.append("</tbody></table>")
        return f"<div>{''.join(parts)}</div>"


class Carded(ABC):
    """Something with a card: `repr` and `print` give its title, a notebook shows all of it."""

    @abstractmethod
    def card(self) -> Card:
        """What a notebook shows."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.card().title}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return self.card().html()


def _row(cells: tuple[str, ...], tag: str) -> str:
    inner = "".join(
        f'<{tag} style="text-align: left">{html.escape(cell)}</{tag}>' for cell in cells
    )
    return f"<tr>{inner}</tr>"
