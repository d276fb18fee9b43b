"""The few forms that the report is made of: sections, tables, figures. Text comes in unescaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augsearch.words import esc, joined

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Plot:
    """A figure with what it shows in words, for those who do not see it.

    Attributes:
        wide: needs more room than a phone has, so it scrolls there.
    """

    figure: Figure
    alt: str
    wide: bool = False


def section(anchor: str, title: str, *parts: str) -> str:
    """A section; empty if all of its parts are."""
    body = joined(parts)
    if not body:
        return ""
    return f'<section id="{anchor}">\n<h2>{esc(title)}</h2>\n{body}\n</section>'


def heading(text: str) -> str:
    """A heading within a section."""
    return f"<h3>{esc(text)}</h3>"


def paragraph(*sentences: str, kind: str = "") -> str:
    """A paragraph; empty if there is nothing in it."""
    text = " ".join(filter(None, sentences))
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{esc(text)}</p>" if text else ""


def warning(sentence: str) -> str:
    """A sentence that must not be missed."""
    return f'<p class="warning"><strong>Warning:</strong> {esc(sentence)}</p>'


def bullets(items: Iterable[str]) -> str:
    """A list of sentences; empty if there are none."""
    lines = "".join(f"<li>{esc(item)}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else ""


def table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    text: Sequence[int] = (0,),
    marked: Sequence[int] = (),
) -> str:
    """A table whose first column names its rows; it scrolls by itself where it is too wide.

    Args:
        text: columns that are aligned left; numbers are aligned right.
        marked: rows that stand out.
    """
    if not rows:
        return ""

    def kind(column: int) -> str:
        return ' class="text"' if column in text else ""

    head = "".join(f'<th scope="col"{kind(i)}>{esc(cell)}</th>' for i, cell in enumerate(header))
    lines = []
    for number, row in enumerate(rows):
        first = f'<th scope="row" class="text">{esc(row[0])}</th>'
        cells = "".join(f"<td{kind(i)}>{esc(cell)}</td>" for i, cell in enumerate(row) if i)
        chosen = ' class="chosen"' if number in marked else ""
        lines.append(f"<tr{chosen}>{first}{cells}</tr>")
    body = "\n".join(lines)
    # A region that scrolls must be reachable without a mouse.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(caption)}">'
        f"<table><caption>{esc(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def details(summary: str, body: str) -> str:
    """Something that opens on request; empty if there is nothing in it."""
    return f"<details><summary>{esc(summary)}</summary>\n{body}\n</details>" if body else ""


def plot(shown: Plot, caption: str) -> str:
    """A plotly figure; `draw.js` draws it from the JSON beside it."""
    # In JSON `<` can be written so that it ends no script.
    data = shown.figure.to_json().replace("<", "\\u003c")
    height, kind = shown.figure.layout.height, "wide" if shown.wide else "fits"
    return (
        f'<figure class="{kind}">'
        f'<div class="plot" role="img" aria-label="{esc(shown.alt)}" '
        f'style="height:{height:.0f}px"></div>'
        f'<script type="application/json">{data}</script>'
        f"<figcaption>{esc(caption)}</figcaption></figure>"
    )


def picture(png: bytes, alt: str, caption: str, *, wide: bool = False) -> str:
    """A picture inside the page; a wide one scrolls on a phone, as `Plot` does."""
    data, told = base64.b64encode(png).decode(), esc(caption)
    return (
        f'<figure class="picture{" wide" if wide else ""}">'
        f'<img src="data:image/png;base64,{data}" alt="{esc(alt)}">'
        f"{f'<figcaption>{told}</figcaption>' if told else ''}</figure>"
    )


def grid(parts: Iterable[str], kind: str) -> str:
    """Parts side by side as far as there is room."""
    body = joined(parts)
    return f'<div class="grid {kind}">\n{body}\n</div>' if body else ""


def code(text: str) -> str:
    """A block of code or of a file."""
    return f'<pre tabindex="0"><code>{esc(text)}</code></pre>'
