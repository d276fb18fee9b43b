"""`augsearch preview`: what a policy does to images."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.completion import study_names
from augsearch.cli.options import STORAGE, DataOption, SeedOption, StorageOption


# Typer makes each option from an argument of its own.
def preview(
    study: Annotated[
        str | None,
        typer.Argument(
            help="Name of a finished study: its winner, on its images.", autocompletion=study_names
        ),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file, such as runs/NAME/policy.yaml.")
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="Space file or preset: show its operations, and without a policy its middle."
        ),
    ] = None,
    data: DataOption = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="Published policy to compare with. [default: the study's best, else SimCLR s=1]"
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Picture to write; its suffix says the format.")
    ] = Path("preview.png"),
    image_size: Annotated[
        int | None,
        typer.Option(help="Side of the images in pixels. [default: that of the study, or 96]"),
    ] = None,
    seed: SeedOption = 0,
    storage: StorageOption = STORAGE,
    no_thumbnail: Annotated[
        bool, typer.Option("--no-thumbnail", help="Show nothing in the terminal.")
    ] = False,
) -> None:
    """Draw what a policy does to your images.

    Views beside those of a baseline, then each operation alone from nothing to full strength. Name
    a finished study, a policy file or a space, and look before you train.
    """
    from augsearch.cli.terminal.thumbnail import show_thumbnail
    from augsearch.verbs.preview import write_preview
    from augsearch.watch.terminal import TerminalProgress

    progress = TerminalProgress()
    # Where no bar can be drawn, rich would leave an empty line instead.
    with progress if progress.console.is_terminal else nullcontext():
        found = write_preview(
            policy,
            data,
            output,
            image_size=image_size,
            seed=seed,
            space=space,
            study=study,
            baseline=baseline,
            storage=storage,
            progress=progress,
        )
    if not no_thumbnail:
        show_thumbnail(found.rows, found.caption, progress.console)
    typer.echo(f"wrote {', '.join(map(str, found.files))}")
