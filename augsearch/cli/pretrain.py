"""`augsearch pretrain` on the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import STORAGE, DeviceOption, SeedOption, StorageOption


# Typer makes each option from an argument of its own.
def pretrain(
    policy: Annotated[
        str | None,
        typer.Option(
            help="Policy file, finished study (its winner), models:/NAME/VERSION in MLflow's "
            "registry, or a baseline's name. [default: the winner of --study]"
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the study]")
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            help="Finished study, for its images and settings; or study file or preset. "
            "[default: the study that --policy names, else standard]"
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Optimiser steps. [default: full.steps, else ten times a trial's]"),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the encoder. [default: in runs/]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Begin anew, and overwrite what is there.")
    ] = False,
) -> None:
    """Pretrain an encoder in full with one policy.

    On all images but the sealed ones. Interrupted, it goes on from its last checkpoint when the
    same command is given again. Several devices: torchrun --nproc-per-node 2 -m augsearch pretrain
    ...
    """
    from augsearch.cli.terminal.tables import print_pretrained
    from augsearch.pretraining.request import PretrainRequest
    from augsearch.verbs.pretrain import pretrain_as_asked
    from augsearch.watch.terminal import TerminalProgress

    request = PretrainRequest(
        policy,
        data=data,
        study=study,
        steps=steps,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with TerminalProgress() as progress:
        try:
            found = pretrain_as_asked(request, progress)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        if os.environ.get("RANK", "0") == "0":
            print_pretrained(found, progress.console)
