"""`augsearch distill` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import STORAGE, DeviceOption, SeedOption, StorageOption


# Typer makes each option from an argument of its own.
def distill(
    teacher: Annotated[Path, typer.Argument(help="Directory that `finetune` has ended in.")],
    student: Annotated[
        str, typer.Option(help="tiny, small, timm/<model> or torchvision/<classifier>.")
    ] = "tiny",
    weights: Annotated[
        str | None,
        typer.Option(help="pretrained, or a file of weights. [default: from nothing]"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the teacher]")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Optimiser steps. [default: ten times the teacher's]")
    ] = None,
    temperature: Annotated[float, typer.Option(help="By which both answers are softened.")] = 2.0,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the student. [default: in runs/]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite another distillation there.")
    ] = False,
) -> None:
    """Teach a small classifier what a larger one thinks of all images, without labels."""
    from augsearch.cli.terminal.distilled import print_distilled
    from augsearch.cli.terminal.progress import TerminalProgress
    from augsearch.distilling.request import DistillRequest
    from augsearch.verbs.distill import distill_as_asked

    request = DistillRequest(
        teacher,
        student=student,
        weights=weights,
        data=data,
        steps=steps,
        temperature=temperature,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with TerminalProgress() as progress:
        print_distilled(distill_as_asked(request, progress), progress.console)
