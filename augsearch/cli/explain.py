"""`augsearch explain` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import STORAGE, DeviceOption, SeedOption, StorageOption


# Typer makes each option from an argument of its own.
def explain(
    directory: Annotated[Path, typer.Argument(help="Directory that `finetune` has ended in.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the classifier]")
    ] = None,
    images: Annotated[
        int, typer.Option(help="Decisions that are explained, up to half of them wrong ones.")
    ] = 24,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    output: Annotated[
        Path | None, typer.Option(help="Directory to write to. [default: DIRECTORY/explained]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite an explanation that is there.")
    ] = False,
) -> None:
    """Show what decisions rest on, and find doubtful labels.

    Of a classifier that `finetune` made; the maps are checked first.
    """
    from augsearch.cli.terminal.explain import print_explained
    from augsearch.explaining.request import ExplainRequest
    from augsearch.verbs.explain import explain_as_asked
    from augsearch.watch.terminal import TerminalProgress

    request = ExplainRequest(
        directory,
        data=data,
        images=images,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with TerminalProgress() as progress:
        print_explained(explain_as_asked(request, progress), progress.console)
