"""Progress of a study in a notebook: one line that changes, and the sentences above it."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console

from augsearch.progress import duration
from augsearch.watch.account import Account
from augsearch.watch.console import NARROWEST
from augsearch.watch.estimate import print_estimate

if TYPE_CHECKING:
    from augsearch.progress import Estimate, Phase, PhaseCost

EVERY = 0.25
"""Seconds between two pictures; more would fill the notebook's connection."""


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    # Only a kernel has imported it already; a terminal's IPython is no notebook.
    if "IPython" not in sys.modules:
        return False
    shell = import_module("IPython").get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress:
    """Implements `augsearch.progress.Progress` with what every notebook can draw.

    rich's own bars need ipywidgets there, which is an extension of its own.
    """

    def __init__(self) -> None:
        self._account = Account()
        self._console = Console(
            file=sys.stdout,
            force_jupyter=False,
            force_terminal=False,
            width=NARROWEST,
            highlight=False,
        )
        self._display: Any = None
        self._handle: Any = None
        self._begun, self._drawn_at, self._last = time.monotonic(), 0.0, ""

    def __enter__(self) -> NotebookProgress:
        self._display = import_module("IPython.display")
        self._handle = self._display.display(self._display.HTML(""), display_id=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._account.under_way:
            how = "stopped after" if kind else "done in"
            share = self._account.share if kind else 1.0
            self._show(share, f"{how} {duration(time.monotonic() - self._begun)}", self._last)

    def _draw(self, *, at_once: bool = False) -> None:
        account, now = self._account, time.monotonic()
        if account.under_way and (at_once or now - self._drawn_at >= EVERY):
            self._drawn_at = now
            self._show(account.share, account.said, account.detail or self._last)

    def _show(self, share: float, said: str, below: str) -> None:
        self._handle.update(
            self._display.HTML(
                f'<progress value="{share:.3f}" max="1"></progress> {100 * share:.0f} % '
                f"{html.escape(said)}<br><small>{html.escape(below)}</small>"
            )
        )

    def note(self, sentence: str) -> None:
        self._console.print(sentence, markup=False)

    def warn(self, sentence: str) -> None:
        self._console.print(f"warning: {sentence}", markup=False)

    def estimated(self, estimate: Estimate) -> None:
        self._account.estimated(estimate)
        print_estimate(estimate, self._console)

    def expected(self, phases: Sequence[PhaseCost], lengths: Mapping[str, float]) -> None:
        self._account.expected(phases, lengths)

    def images(self, done: int, total: int) -> None:
        self._account.images(done, total)
        self._draw()

    def phase(self, name: Phase, done: int, total: int, round: str = "") -> None:
        self._account.phase(name, done, total, round)
        self._draw(at_once=True)

    def step(self, run: str, step: int, steps: int, images_per_second: float) -> None:
        self._account.step(run, step, steps, images_per_second)
        self._draw()

    def run_ended(self, run: str, score: float | None, remark: str) -> None:
        self._account.run_ended(run, counts=score is not None)
        shown = "failed" if score is None else f"{100 * score:.1f}"
        standing = self._account.standing(score, remark)
        further = "; ".join(filter(None, [remark, standing]))
        self._last = f"{run}: {shown}" + (f" ({further})" if further else "")
        self._draw(at_once=True)
