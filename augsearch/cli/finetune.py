"""`augsearch finetune` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import STORAGE, DeviceOption, SeedOption, StorageOption, choice

MODES = ("whole", "linear")


# Typer makes each option from an argument of its own.
def finetune(
    pretrained: Annotated[
        Path | None,
        typer.Argument(
            help="Directory that `pretrain` has ended in; without it, the encoder of --study."
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help="What labelled images are seen through: policy file, finished study, baseline's "
            "name, or none. [default: the policy of the pretraining or the study, or none, "
            "whichever is better on held-out folds]"
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the pretraining]")
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(help="Study file, preset or finished study: its encoder and `finetune`."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="N|N%|all",
            help="Labels to learn from: so many for each class, a share of them, or all.",
        ),
    ] = None,
    mode: Annotated[
        str | None,
        choice(*MODES, help="linear: the encoder stays as it is. [default: what the study says]"),
    ] = None,
    good: Annotated[
        str | None, typer.Option(help="The class without a defect, for --miss-rate.")
    ] = None,
    miss_rate: Annotated[
        float | None, typer.Option(help="Share of defects that may be called good.")
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the classifier. [default: in runs/]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Train anew, and overwrite what is there.")
    ] = False,
) -> None:
    """Make a classifier of an encoder and some labels, and judge it.

    The sealed images judge, which take no part in the training.

    Interrupted, it goes on when the same command is given again.
    """
    from augsearch.cli.terminal.tables import print_finetuned
    from augsearch.finetuning.request import FinetuneRequest
    from augsearch.verbs.finetune import finetune_as_asked
    from augsearch.watch.terminal import TerminalProgress

    request = FinetuneRequest(
        pretrained,
        policy=policy,
        data=data,
        study=study,
        labels=labels,
        mode=mode,
        good=good,
        miss_rate=miss_rate,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with TerminalProgress() as progress:
        try:
            found = finetune_as_asked(request, progress)
        except KeyboardInterrupt:
            progress.note(
                "stopped; finished networks are kept. Run the same command again to continue"
            )
            raise typer.Exit(130) from None
        print_finetuned(found, progress.console)
