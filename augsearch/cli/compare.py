"""`augsearch compare` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.completion import study_names
from augsearch.cli.options import STORAGE, SeedOption, StorageOption


def compare(
    study: Annotated[
        str,
        typer.Argument(help="Name of a study, finished or not.", autocompletion=study_names),
    ],
    first: Annotated[
        str,
        typer.Argument(help='A trial, such as 12, or a baseline, such as "SimCLR s=1".'),
    ],
    second: Annotated[str, typer.Argument(help="The other one.")],
    data: Annotated[
        str | None, typer.Option(help="Where the images are now. [default: where they were]")
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Picture of the views; its suffix says the format.")
    ] = Path("compare.png"),
    seed: SeedOption = 0,
    storage: StorageOption = STORAGE,
    no_thumbnail: Annotated[
        bool, typer.Option("--no-thumbnail", help="Show nothing in the terminal.")
    ] = False,
) -> None:
    """Compare two policies of a study: values, scores, classes, views.

    Trials and baselines are named as `augsearch studies show` does. Views are of the same images,
    with the same random numbers.
    """
    from augsearch.cli.terminal.comparison import print_compared
    from augsearch.cli.terminal.thumbnail import show_thumbnail
    from augsearch.verbs.compare_policies import compare_policies
    from augsearch.watch.terminal import TerminalProgress

    progress = TerminalProgress()
    with progress:
        found = compare_policies(
            study,
            first,
            second,
            data=data,
            output=output,
            seed=seed,
            storage=storage,
            progress=progress,
        )
    print_compared(found, progress.console)
    if found.preview and not no_thumbnail:
        show_thumbnail(found.preview.rows, found.preview.caption, progress.console)
    if found.files:
        typer.echo(f"wrote {', '.join(map(str, found.files))}")
