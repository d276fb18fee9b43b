"""Two policies beside each other on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.words import counted, percent, points

if TYPE_CHECKING:
    from augsearch.search.comparison.compared import Compared, Scores


def print_compared(found: Compared, console: Console) -> None:
    """What differs, what they reach, class by class."""
    first, second = map(escape, found.names)
    console.print(f"[bold]{first}[/] and [bold]{second}[/], in the study {escape(found.study)}")
    console.print()
    _print_differing(found, console)
    _print_scores(found, console)
    if found.classes:
        _print_classes(found, console)


def _print_differing(found: Compared, console: Console) -> None:
    if not found.differing:
        console.print("their operations are the same, with the same values")
        console.print()
        return
    table = _table("what differs", ("", *found.names))
    for difference in found.differing:
        table.add_row(*map(escape, difference))
    console.print(table)
    console.print()


def _print_scores(found: Compared, console: Console) -> None:
    metric = found.metric.replace("_", " ")
    table = _table(f"{metric} in %", ("", *found.names, "difference, points"), numbers=True)
    table.add_row("search: validation images, one seed", *_row(found.searched))
    seeds = f", {counted(found.confirmed.seeds, 'shared seed')}" if found.confirmed.seeds else ""
    table.add_row(f"confirmation: sealed images{seeds}", *_row(found.confirmed))
    console.print(table)
    console.print(
        "[dim]The best of many search scores is high by luck, too. The interval is of these two "
        "alone: it does not allow for having chosen them among several, as the verdict's does.[/]"
    )
    console.print()


def _row(scores: Scores) -> tuple[str, str, str]:
    shown = tuple(percent(one) or "–" for one in (scores.ours, scores.theirs))
    gain = "–" if scores.gain is None else points(100 * scores.gain)
    return shown[0], shown[1], gain + _ends(scores.interval)


def _ends(interval: tuple[float, float] | None) -> str:
    return f" ({points(100 * interval[0])} to {points(100 * interval[1])})" if interval else ""


def _print_classes(found: Compared, console: Console) -> None:
    side = "sealed" if found.on_sealed else "validation"
    names = ("class", *found.names, "difference, points")
    table = _table(f"recall in %, {side} images", names, numbers=True)
    for one in found.classes:
        style = {"gains": "green", "loses": "yellow", "open": None}[one.finding]
        table.add_row(
            escape(one.name),
            percent(one.ours),
            percent(one.theirs),
            points(100 * (one.ours - one.theirs)) + _ends(one.interval),
            style=style,
        )
    console.print(table)
    if any(one.interval for one in found.classes):
        console.print(
            "[dim]Intervals: 95 %; those of the classes hold together. They do not allow for "
            "having chosen these two among many.[/]"
        )


def _table(title: str, columns: tuple[str, ...], *, numbers: bool = False) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, show_edge=False
    )
    for at, name in enumerate(columns):
        table.add_column(
            escape(name),
            justify="right" if numbers and at else "left",
            overflow="fold",
        )
    return table
