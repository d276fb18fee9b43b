"""`augsearch deploy` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import STORAGE, StorageOption


# Typer makes each option from an argument of its own.
def deploy(
    classifier: Annotated[Path, typer.Argument(help="Directory that `finetune` has ended in.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the classifier]")
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(
            metavar="onnx,fp16,int8,openvino,torch",
            help="Forms to write, any of these with commas between. [default: onnx,fp16,int8]",
        ),
    ] = None,
    loss: Annotated[
        float,
        typer.Option(
            help="Points of right decisions that INT8 may lose: the upper end of its 95 % "
            "interval counts."
        ),
    ] = 1.0,
    class_loss: Annotated[float, typer.Option(help="The same in any one class, in points.")] = 2.0,
    storage: StorageOption = STORAGE,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the files. [default: in runs/]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite another deployment there.")
    ] = False,
) -> None:
    """Write a classifier as files for the line, and check them.

    They take a camera's bytes and give decisions.

    INT8 is refused where it may lose too much; asked for by name, that ends with exit code 1.
    """
    from augsearch.cli.terminal.deployed import print_deployed
    from augsearch.deploying.request import USUAL, DeployRequest
    from augsearch.verbs.deploy import deploy_as_asked
    from augsearch.watch.terminal import TerminalProgress

    asked = USUAL if formats is None else tuple(name.strip() for name in formats.split(","))
    request = DeployRequest(
        classifier,
        data=data,
        formats=asked,
        loss=loss / 100,
        class_loss=class_loss / 100,
        storage=storage,
        output=output,
        force=force,
    )
    with TerminalProgress() as progress:
        found = deploy_as_asked(request, progress)
        print_deployed(found, progress.console)
    if formats is not None and any(one.refused for one in found.formats):
        raise typer.Exit(1)
