"""Explanations on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.explaining.result import Explained
from augsearch.finetuning.result import Part
from augsearch.words import counted, interval, percent

FIRST = 5
"""Suspected labels that are printed."""


def print_explained(found: Explained, console: Console) -> None:
    """The checks with their warnings, then what is in doubt."""
    from augsearch.explaining.report import headline
    from augsearch.store.sealed import MANY_USES, sealed_note

    table = Table(
        title=f"checks of the maps on {len(found.decisions)} decisions, share in %",
        title_justify="left",
    )
    table.add_column("maps")
    for head in ("more than elsewhere", "than shuffled maps", "than shuffled networks"):
        table.add_column(head, justify="right")
    table.add_column("passed")
    for check in found.checks:
        cells = [_share(part) for part in (check.holds, check.learnt, check.explains)]
        table.add_row(check.method, *cells, "yes" if check.passed else "[yellow]no[/]")
    console.print()
    console.print(table)
    console.print(f"[bold]{escape(headline(found))}[/]")
    for check in found.checks:
        for sentence in check.warnings:
            console.print(f"[yellow]warning:[/] {escape(sentence)}")
    for sentence in found.notes:
        console.print(f"note: {escape(sentence)}")
    console.print(
        f"{found.wrong} of {found.sealed} sealed images are taken for another class; "
        f"{counted(len(found.unsure), 'candidate')} for labelling of {found.doubtful}; "
        f"{counted(len(found.suspects), 'label')} of {found.judged} may be wrong"
    )
    for one in found.suspects[:FIRST]:
        console.print(
            f"  {escape(one.path)}: labelled {escape(one.label)}, may be {escape(one.instead)} "
            f"({percent(one.confidence)} %; {one.neighbours} of {one.of} neighbours are "
            f"{escape(one.label)})"
        )
    if found.uses > MANY_USES:
        console.print(f"[yellow]warning:[/] {sealed_note(found.uses)}")
    if page := found.files.get("explain.html"):
        console.print(f"the whole of it is in [bold]{escape(str(page))}[/]")


def _share(part: Part) -> str:
    return f"{percent(part.value)} ({interval((part.low, part.high))})"
