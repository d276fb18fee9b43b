"""Train for a study that another process drives, on this machine."""

from __future__ import annotations

import time
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.engines.board import Board
from augsearch.errors import StudyError
from augsearch.progress import Progress, Quiet
from augsearch.search.workers import work_for
from augsearch.store.database import BaseStorage, check_reachable, is_running, open_storage
from augsearch.store.listing import is_study
from augsearch.store.study_store import Store
from augsearch.study.reopen import reopen
from augsearch.tracking.client import quiet_mlflow

LOOK = 2.0
"""Seconds between two looks for a study that nobody has begun."""


def work_on_study(
    name: str,
    *,
    storage: str,
    data: str | Path | ImageSet | None = None,
    device: str = "auto",
    trials: int | None = None,
    wait: float = 300.0,
    progress: Progress | None = None,
) -> int:
    """Train for a study that `run_study(engine="workers")` drives somewhere else.

    Args:
        name: of the study.
        storage: URL of the database on a server that both see.
        data: the images, if they lie elsewhere here; they must be the same.
        device: as in `run_study`.
        trials: runs of any kind after which it ends; None for no limit.
        wait: seconds without work, or before the study has begun, after which it ends.
        progress: told what happens.

    Returns:
        Runs that were done.

    Raises:
        StudyError: the study does not begin, its images are others, or the database is no server.
    """
    progress = progress or Quiet()
    quiet_mlflow()
    check_reachable(storage)
    opened = open_storage(storage)
    store = _wait_for(opened, name, storage, wait)
    setup = reopen(name, storage=storage, data=data, device=device, progress=progress)
    was_driven = False

    def is_over() -> bool:
        nonlocal was_driven
        driven = is_running(storage, name)
        was_driven |= driven
        return was_driven and not driven and bool(store.kept.result)

    board = f"{name} {store.kept.identity}"
    return work_for(setup, board, progress, most=trials, wait=wait, is_over=is_over)


def _wait_for(opened: BaseStorage, name: str, storage: str, wait: float) -> Store:
    """The study, once it has been begun."""
    begin, board = time.monotonic(), Board(storage, name)
    while True:
        if is_study(opened, name):
            store = Store(opened, name)
            if store.kept.asked and board.is_made():
                return store
        if time.monotonic() - begin > wait:
            raise StudyError(
                f"there is no study {name!r} that waits for workers; begin it with `augsearch run "
                f"--engine workers --name {name}` and the same --storage"
            )
        time.sleep(LOOK)
