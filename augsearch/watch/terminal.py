"""Progress of a study on the terminal: one bar for all of it; where there is none, lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from augsearch.watch.account import Account
from augsearch.watch.console import terminal
from augsearch.watch.estimate import print_estimate

if TYPE_CHECKING:
    from augsearch.progress import Estimate, Phase, PhaseCost

WIDEST = 24
"""Columns of the bar; of a narrow terminal a fifth."""


class TerminalProgress:
    """Implements `augsearch.progress.Progress` with rich."""

    def __init__(self) -> None:
        self.console = terminal()
        self._account = Account()
        # A file would get an empty line of it.
        self._live = (
            Live(get_renderable=self._drawn, console=self.console, transient=True)
            if self.console.is_terminal
            else None
        )

    def __enter__(self) -> TerminalProgress:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def _drawn(self) -> RenderableType:
        account = self._account
        if not account.under_way:
            return Text()
        width = min(WIDEST, self.console.width // 5)
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(no_wrap=True, width=5, justify="right")
        line.add_column(no_wrap=True, width=width)
        line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        bar = ProgressBar(total=1.0, completed=account.share, width=width)
        line.add_row(f"{100 * account.share:.0f} %", bar, escape(account.said))
        below = Text(f"      {account.detail}", "dim", no_wrap=True, overflow="ellipsis")
        return Group(line, below) if account.detail else line

    def note(self, sentence: str) -> None:
        self.console.print(escape(sentence))

    def warn(self, sentence: str) -> None:
        self.console.print(f"[yellow]warning:[/] {escape(sentence)}")

    def estimated(self, estimate: Estimate) -> None:
        self._account.estimated(estimate)
        print_estimate(estimate, self.console)

    def expected(self, phases: Sequence[PhaseCost], lengths: Mapping[str, float]) -> None:
        self._account.expected(phases, lengths)

    def images(self, done: int, total: int) -> None:
        self._account.images(done, total)

    def phase(self, name: Phase, done: int, total: int, round: str = "") -> None:
        title = self._account.phase(name, done, total, round)
        resumed = f" ({done} done before)" if done else ""
        self.console.print(f"[bold]{title}[/]: {total} runs{resumed}")

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        self._account.step(run, step, steps, images_per_second)

    def run_ended(self, run: str, score: float | None, remark: str) -> None:
        account = self._account
        account.run_ended(run, counts=score is not None)
        shown = f"{100 * score:5.1f}" if score is not None else "    -"
        standing = account.standing(score, remark)
        tail = f"  {escape(remark)}" if remark else ""
        if standing:
            tail += f"  [dim]({standing})[/]"
        self.console.print(f"  {account.done:3d}/{account.total}  {shown}  {escape(run)}{tail}")
        seen = account.runs_seen
        if score is not None and seen & (seen - 1) == 0 and (left := account.time_left):
            # After 1, 2, 4, 8, ... runs.
            self.console.print(
                f"  [dim]{100 * account.share:.0f} % of all is done, {left}, as the runs so far "
                "went[/]"
            )
