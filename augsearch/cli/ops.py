"""`augsearch ops`: what each operation does, what it is good for, and where it is dangerous."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from augsearch.space.catalogue import Parameter
from augsearch.space.groups import GROUPS, Group
from augsearch.space.handbook.handbook import (
    OpDescription,
    bounds_text,
    carry_over_text,
    cost_text,
    describe_op,
    describe_ops,
    identity_text,
    number_text,
)
from augsearch.watch.console import terminal

GATE = (
    "Every op also has a gate probability p, 0 to 1, drawn per sample; 1 unless the YAML says so."
)
NEEDS_COLOUR = " [dim](needs colour)[/]"


def ops(
    name: Annotated[
        str | None, typer.Argument(help="One operation or group, to be shown in full.")
    ] = None,
) -> None:
    """List the augmentation operations, or show one in full."""
    if name is None:
        _print_list(describe_ops(), terminal())
    elif name in GROUPS:
        _print_group(GROUPS[name], terminal())
    else:
        _print_op(describe_op(name), terminal())


def _print_list(descriptions: Sequence[OpDescription], console: Console) -> None:
    table = _table("operation", "what it does; parameters with bounds")
    for family, members in groupby(descriptions, key=lambda description: description.family):
        table.add_row(f"[bold]{family}[/]")
        for one in members:
            colour = NEEDS_COLOUR if one.operation.colour_only else ""
            table.add_row(f"  {one.name}", escape(one.summary) + colour)
            for parameter in one.operation.numbers:
                table.add_row("", _parameter_line(parameter))
            if one.operation.limits:
                table.add_row("", f"[dim]{escape(one.operation.limits)}[/]")
    console.print(table)
    console.print(GATE)
    console.print(f"Beside operations, `ops` may hold: {', '.join(GROUPS)}.")
    console.print("One in full: augsearch ops NAME")


def _parameter_line(parameter: Parameter) -> str:
    identity = f"identity {identity_text(parameter)}, " if parameter.identity is not None else ""
    default = f"default {number_text(parameter.default)}"
    colour = NEEDS_COLOUR if parameter.colour_only else ""
    return f"{parameter.name} [dim]{bounds_text(parameter)}, {identity}{default}[/]{colour}"


def _print_op(description: OpDescription, console: Console) -> None:
    operation = description.operation
    colour = NEEDS_COLOUR if operation.colour_only else ""
    console.print(f"[bold]{operation.name}[/] ({description.family}){colour}")
    console.print(escape(operation.doc))
    console.print()
    if operation.numbers:
        table = _table("parameter", "bounds", "identity", "default", "meaning")
        for parameter in operation.numbers:
            table.add_row(
                parameter.name,
                bounds_text(parameter),
                identity_text(parameter),
                number_text(parameter.default),
                escape(parameter.doc) + (NEEDS_COLOUR if parameter.colour_only else ""),
            )
        console.print(table)
    console.print(GATE)
    console.print()
    table = _table("images", "good for", "dangerous")
    for domain, advice in description.advice.domains():
        table.add_row(domain, escape(advice.good_for), escape(advice.dangerous))
    console.print(table)
    console.print(f"cost of an image, gate open: {cost_text(description.costs)}")
    console.print(f"effect over that at 32 px: {carry_over_text(description.carry_over)}")
    if operation.limits:
        console.print(escape(operation.limits))


def _print_group(group: Group, console: Console) -> None:
    console.print(f"[bold]{group.name}[/] (no operation of the catalogue)")
    console.print(escape(group.doc))
    console.print(escape(group.where))
    console.print()
    console.print(escape(group.example))


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
