"""`augsearch embed` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import DeviceOption


# Typer makes each option from an argument of its own.
def embed(
    directory: Annotated[
        Path, typer.Argument(help="Directory that `finetune` or `pretrain` has ended in.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the directory]")
    ] = None,
    output: Annotated[Path, typer.Option(help="File to write: .parquet or .npz.")] = Path(
        "features.parquet"
    ),
    device: DeviceOption = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write the features of every image as Parquet or NumPy."""
    from augsearch.verbs.embed import embed as embed_images
    from augsearch.watch.terminal import TerminalProgress

    with TerminalProgress() as progress:
        found = embed_images(
            directory, data=data, output=output, device=device, force=force, progress=progress
        )
    sides = ", ".join(f"{count} {side}" for side, count in found.sides.items())
    typer.echo(f"wrote {output}: {found.images} images ({sides}), {found.features} {found.what}")
