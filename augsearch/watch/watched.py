"""Who is told what a call of the Python API does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from augsearch.progress import Progress, Quiet


@contextmanager
def watched(progress: Progress | bool | None) -> Iterator[Progress]:
    """Whom to tell, for as long as the call lasts.

    Args:
        progress: a listener; True for one that shows it here; False for none; None for one where
            somebody looks: in a notebook and on a terminal, not in a log.
    """
    if progress is not None and not isinstance(progress, bool):
        yield progress
        return
    from augsearch.watch.notebook import NotebookProgress, in_notebook

    notebook = in_notebook()
    if progress is False or (progress is None and not notebook and not _on_a_terminal()):
        yield Quiet()
    elif notebook:
        with NotebookProgress() as shown:
            yield shown
    else:
        from augsearch.watch.terminal import TerminalProgress

        with TerminalProgress() as drawn:
            yield drawn


def _on_a_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
