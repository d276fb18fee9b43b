"""`augsearch triage` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import (
    STORAGE,
    DataOption,
    DeviceOption,
    OutputOption,
    SeedOption,
    StorageOption,
    StudyOption,
    SubsetOption,
)


# Typer makes each option from an argument of its own.
def triage(
    space: Annotated[
        str | None,
        typer.Option(help="Space file, or the name of a preset. [default: that of --from]"),
    ] = None,
    data: DataOption = None,
    from_study: Annotated[
        str | None, typer.Option("--from", help="The finished study that the study begins from.")
    ] = None,
    study: StudyOption = None,
    trials: Annotated[
        int | None,
        typer.Option(help="Trials of the study in question. [default: what the study file says]"),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the study. [default: made of space, data and settings]"),
    ] = None,
    output: OutputOption = None,
    subset: SubsetOption = None,
) -> None:
    """Say whether a search is worth it here, for a tenth of its compute.

    The options are those of `run`, which goes on from what this trains.
    """
    from augsearch.cli.progress import TerminalProgress
    from augsearch.cli.tables import print_triage
    from augsearch.study.request import StudyRequest
    from augsearch.verbs.triage import triage_as_asked

    request = StudyRequest(
        space,
        data=data,
        from_study=from_study,
        study=study,
        trials=trials,
        seed=seed,
        device=device,
        storage=storage,
        name=name,
        output=output,
        subset=subset,
    )
    with TerminalProgress() as progress:
        try:
            found = triage_as_asked(request, progress)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        print_triage(found, output or Path("runs") / found.study, progress.console)
