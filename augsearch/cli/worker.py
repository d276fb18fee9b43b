"""`augsearch worker`: train for a study that is driven elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import DeviceOption


def worker(
    study: Annotated[str, typer.Option(help="Name of the study.")],
    storage: Annotated[str, typer.Option(help="URL of the database that `run` was given.")],
    data: Annotated[
        Path | None, typer.Option(help="Where the images are here. [default: where they are there]")
    ] = None,
    device: DeviceOption = "auto",
    trials: Annotated[
        int | None, typer.Option(min=1, help="End after so many runs. [default: when all is done]")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="End after so many seconds without work.")
    ] = 300.0,
) -> None:
    """Train for a study that `run --engine workers` drives.

    Here or on another machine. Start as many as you like, at any time, also before the study; stop
    them at any time.
    """
    from augsearch.verbs.worker import work_on_study
    from augsearch.watch.terminal import TerminalProgress

    with TerminalProgress() as progress:
        try:
            done = work_on_study(
                study,
                storage=storage,
                data=data,
                device=device,
                trials=trials,
                wait=wait,
                progress=progress,
            )
        except KeyboardInterrupt:
            progress.note("stopped; another worker takes over the unfinished run")
            raise typer.Exit(130) from None
        progress.note(f"runs done here: {done}")
