"""`augsearch triage` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from augsearch.cli.options import asks_for_study

if TYPE_CHECKING:
    from augsearch.study.request import StudyRequest


@asks_for_study
def triage(request: StudyRequest) -> None:
    """Say whether a search is worth it, for a tenth of its compute.

    The options are those of `run`, which goes on from what this trains.
    """
    from augsearch.cli.terminal.tables import print_triage
    from augsearch.verbs.triage import triage_as_asked
    from augsearch.watch.terminal import TerminalProgress

    with TerminalProgress() as progress:
        try:
            found = triage_as_asked(request, progress)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        print_triage(found, Path(request.output or f"runs/{found.study}"), progress.console)
