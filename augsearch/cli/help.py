"""How help reads: a beginner's commands first, the verbs in groups, an example below each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.core import TyperGroup

TITLE = "Find the augmentations that suit your own images for self-supervised learning."
START = """\
\b
Start here:
  augsearch run --space factory
      search on surfaces drawn by the program, in minutes
  augsearch triage --space factory --data images/
      your images, a folder per class: worth a search?
  augsearch run --space factory --data images/
      search on them, confirm, and write the best policy"""

Register = Callable[[Callable[..., Any]], Callable[..., Any]]


class Verbs(TyperGroup):
    """Lists its commands under the titles that they were registered with, then its options.

    Typer draws such groups itself where it draws boxes, which are wide and no plain text.
    """

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands by group, then the options."""
        self.format_commands(ctx, formatter)
        rows = [row for param in self.get_params(ctx) if (row := param.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(rows)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A section for each group, in the order of its first command."""
        named = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        shown = [(name, command) for name, command in named if command and not command.hidden]
        width = max(len(name) for name, _ in shown)
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in shown:
            title = getattr(command, "rich_help_panel", None) or "Commands"
            short = command.get_short_help_str(formatter.width - 6 - width)
            groups.setdefault(str(title), []).append((name.ljust(width), short))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def example(command: str) -> str:
    """The end of a command's help."""
    return f"\b\nExample:\n  {command}"
