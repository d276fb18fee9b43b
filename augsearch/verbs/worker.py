"""Train for a study that another process drives, on this machine."""

from __future__ import annotations

import time
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.engines.board import Board
from augsearch.errors import StudyError
from augsearch.progress import Progress, Quiet
from augsearch.search.workers import work_for
from augsearch.store.database import check_reachable, find_storage, is_running
from augsearch.store.listing import stored_at
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
    """Do runs of a study that `run_study(engine="workers")` drives somewhere else.

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
    _wait_for(name, storage, wait)
    setup = reopen(name, storage=storage, data=data, device=device, progress=progress)

    def is_over() -> bool:
        return not is_running(storage, name) and bool(setup_result(storage, name))

    return work_for(setup, progress, most=trials, wait=wait, is_over=is_over)


def setup_result(storage: str, name: str) -> bool:
    """Whether a study has its answer."""
    store = stored_at(storage, name)
    return store is not None and bool(store.kept.result)


def _wait_for(name: str, storage: str, wait: float) -> None:
    begin = time.monotonic()
    while True:
        find_storage(storage)
        store = stored_at(storage, name)
        if store is not None and store.kept.asked and Board(storage, name).is_made():
            return
        if time.monotonic() - begin > wait:
            raise StudyError(
                f"there is no study {name!r} that waits for workers; begin it with `augsearch run "
                f"--engine workers --name {name}` and the same --storage"
            )
        time.sleep(LOOK)
