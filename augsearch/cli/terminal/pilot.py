"""Pilots as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.piloting.result import Curve, Pilot
from augsearch.words import percent


def print_pilot(found: Pilot, console: Console) -> None:
    """The curves, and what to do."""
    from augsearch.store.sealed import MANY_USES, sealed_note

    said = found.recommendation
    table = Table(
        title=f"mean recall in % on {found.sealed} sealed images, by labels of each class",
        title_justify="left",
    )
    table.add_column("way")
    for count in found.labels:
        table.add_column(str(count), justify="right")
    for curve in found.curves:
        bold = "[bold]" if curve.way == said.way else ""
        table.add_row(f"{bold}{escape(curve.title)}", *_cells(curve, bold))
    console.print()
    console.print(table)
    console.print(f"[bold]{escape(said.title)}.[/] {escape(said.reason)}")
    for sentence in said.findings:
        console.print(escape(sentence))
    if found.uses > MANY_USES:
        console.print(f"[yellow]warning:[/] {sealed_note(found.uses)}")
    if page := found.files.get("report.html"):
        console.print(f"the whole of it is in [bold]{escape(str(page))}[/]")


def _cells(curve: Curve, style: str) -> list[str]:
    return [
        f"{style}{percent(p.score.mean)} ({100 * p.score.low:.0f}–{100 * p.score.high:.0f})"
        for p in curve.points
    ]


def print_comparison(page: Path, pilots: Sequence[Pilot], console: Console) -> None:
    """What was recommended where, and the curves at the labels that all tried."""
    common = sorted(set.intersection(*(set(pilot.labels) for pilot in pilots)))
    table = Table(title="mean recall in %, by labels of each class", title_justify="left")
    table.add_column("way")
    for pilot in pilots:
        for count in common:
            table.add_column(f"{escape(pilot.name)}\n{count}", justify="right")
    for title in dict.fromkeys(curve.title for pilot in pilots for curve in pilot.curves):
        cells = []
        for pilot in pilots:
            curve = next((one for one in pilot.curves if one.title == title), None)
            scores = {p.labels: percent(p.score.mean) for p in curve.points} if curve else {}
            cells += [scores.get(count, "") for count in common]
        table.add_row(escape(title), *cells)
    console.print()
    console.print(table)
    for pilot in pilots:
        console.print(f"[bold]{escape(pilot.name)}[/]: {escape(pilot.recommendation.title)}")
    console.print(f"beside each other in [bold]{escape(str(page))}[/]")
