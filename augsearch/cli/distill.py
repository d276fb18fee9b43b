"""`augsearch distill` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import STORAGE, DeviceOption, SeedOption, StorageOption, choice

STUDENTS = ("tiny", "small", "timm/MODEL", "torchvision/MODEL")


# Typer makes each option from an argument of its own.
def distill(
    teacher: Annotated[
        str,
        typer.Argument(
            help="Directory that `finetune` or `pretrain` has ended in; or a study (finished, file "
            "or preset) whose encoder begins with weights."
        ),
    ],
    student: Annotated[str, choice(*STUDENTS, help="The network that is taught.")] = "tiny",
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="pretrained|FILE", help="What it begins with. [default: from nothing]"
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help="For an encoder: as for pretrain. [default: the one that it was pretrained with, "
            "or the study's winner]"
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the teacher]")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Optimiser steps. [default: ten times a classifier's, an encoder's own, ten "
            "times a trial's]"
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(help="By which a classifier's answers are softened. [default: 2]"),
    ] = None,
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
    """Teach a small network what a larger one knows, without labels.

    From a classifier it learns the answers and is a classifier; from an encoder it learns the
    features and is an encoder, for finetune.
    """
    from augsearch.cli.terminal.distilled import print_distilled
    from augsearch.distilling.request import DistillRequest
    from augsearch.verbs.distill import distill_as_asked
    from augsearch.watch.terminal import TerminalProgress

    request = DistillRequest(
        teacher,
        student=student,
        weights=weights,
        policy=policy,
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
