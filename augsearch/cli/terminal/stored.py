"""Stored studies on the terminal: the list, and one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.words import counted, interval, percent, points

if TYPE_CHECKING:
    from augsearch.store.listing import StudySummary
    from augsearch.verbs.studies import Section, StoredStudy
    from augsearch.verbs.sync import Synced

FIRST = 10
"""Runs of a section that are shown where not all are wanted."""


def print_summaries(summaries: Sequence[StudySummary], console: Console) -> None:
    """The list of studies."""
    if not summaries:
        console.print(
            "no study is stored here; start one with `augsearch run --space factory.yaml`"
        )
        return
    from augsearch.store.names import is_made, short_names

    made = [
        one.name for one in summaries if not one.digits and is_made(one.name, one.space, one.data)
    ]
    short = short_names(made, [one.name for one in summaries])
    table = Table(box=SIMPLE_HEAD)
    table.add_column("study", no_wrap=True)  # to be copied
    for title in ("space", "data"):
        table.add_column(title, overflow="fold")
    for title in ("trials", "best", "gain"):
        table.add_column(title, justify="right")
    table.add_column("verdict", no_wrap=True)
    for one in summaries:
        failed = f" (+{one.failed} failed)" if one.failed else ""
        table.add_row(
            escape(short.get(one.name, one.name)),
            escape(one.space),
            escape(one.data),
            f"{one.finished}{failed}",
            f"{100 * one.best:.1f}" if one.best is not None else "",
            "" if one.gain is None else points(100 * one.gain),
            escape(_in_a_word(one)),
        )
    console.print(table)
    console.print(
        "best: in the search, in %; gain: confirmed, in points over the best baseline. A study in "
        "full: augsearch studies show NAME"
    )


def print_synced(found: Sequence[Synced], console: Console) -> None:
    """What MLflow has now."""
    for one in found:
        said = f"{one.study}: {counted(one.runs, 'run')}"
        said += " and the verdict" if one.verdict else ", no verdict yet"
        console.print(escape(f"{said}; MLflow has them"))


def _in_a_word(one: StudySummary) -> str:
    from augsearch.search.confirm.verdict import WORDS, badge_of

    # Later versions may have verdicts that this one does not know.
    known = next((code for code in WORDS if code == one.code), None)
    return badge_of(known) if known else one.verdict.partition(":")[0] or "not finished"


def print_study(study: StoredStudy, console: Console, *, every: bool) -> None:
    """One study: its verdict, then its policies, those apart whose scores are not alike.

    Args:
        every: every run, instead of a line for each policy and the best of each section.
    """
    summary = study.summary
    of = " on ".join(filter(None, [summary.space, summary.data]))
    metric = study.metric.replace("_", " ")
    console.print(f"[bold]{escape(summary.name)}[/]: {escape(of)}, {metric} in %")
    if summary.verdict:
        console.print(f"[bold]{escape(_in_a_word(summary))}[/]")
    console.print(escape(summary.verdict) or "not finished: no verdict yet")
    for section in study.sections:
        console.print()
        console.print(f"[bold]{section.title}[/]")
        console.print(_each_run(section) if every else _each_policy(study, section))
        if not every and (more := len(section.policies) - FIRST) > 0:
            console.print(f"  [dim]and {more} more[/]")
    if not every:
        console.print()
        if study.recommended:
            console.print("* is recommended")
        console.print(
            f"every run: augsearch studies show {escape(summary.name)} --all; "
            f"two policies beside each other: augsearch compare {escape(summary.name)} A B"
        )


def _each_policy(study: StoredStudy, section: Section) -> Table:
    known = study.intervals if section.confirms else {}
    seeded = any(len(runs) > 1 for runs in section.policies.values())
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column("policy", overflow="fold")
    table.add_column("mean" if seeded else "score", justify="right")
    if known:
        table.add_column("95 % interval", justify="right")
    if seeded:
        table.add_column("seeds", justify="right")
    table.add_column("steps", justify="right")
    for name, runs in list(section.policies.items())[:FIRST]:
        scores = [run.score for run in runs if run.score is not None]
        steps = {str(run.step) for run in runs if run.step is not None}
        table.add_row(
            escape(name) + (" *" if name == study.recommended else ""),
            percent(sum(scores) / len(scores)) if scores else "–",
            *([interval(known.get(name))] if known else []),
            *([str(len(scores))] if seeded else []),
            ", ".join(sorted(steps)),
            style="bold" if name == study.recommended else None,
        )
    return table


def _each_run(section: Section) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column("run", overflow="fold")
    for column in ("score", "steps"):
        table.add_column(column, justify="right")
    table.add_column("policy's digest")
    for row in section.runs:
        seed = f", seed {row.seed}" if row.seed else ""
        step = "" if row.step is None else str(row.step)
        table.add_row(escape(row.policy) + seed, percent(row.score) or "–", step, row.digest)
    return table
