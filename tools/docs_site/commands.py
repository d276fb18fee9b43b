"""The page of the command line: every verb with its options, as typer itself writes them."""

from __future__ import annotations

import re

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from augsearch.cli.app import app


def commands_page() -> str:
    """Markdown of all verbs; their names are the headings."""
    command = get_command(app)
    context = typer.Context(command)
    text = get_docs_for_click(obj=command, ctx=context, name="augsearch", title="Command line")
    # Every verb has a heading and is in the page's contents; cut to 45 characters here.
    return fenced(re.sub(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n", "", text))


def fenced(text: str) -> str:
    """Paragraphs whose lines are kept as they are (click marks them with `\\b`), as blocks."""
    return re.sub(r"\x08\n((?:.+\n?)+)", lambda kept: f"```text\n{kept[1].rstrip()}\n```\n", text)
