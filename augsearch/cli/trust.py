"""`augsearch trust` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.space.trust import forget_code, trust_code, trusted_code


def trust(
    path: Annotated[
        Path | None, typer.Argument(help="A Python file, as it is now; or a directory, for good.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Trust it no longer.")] = False,
) -> None:
    """Let Python files that spaces, policies and studies name be run.

    Without a path, list those that may. Operations and encoders of your own are such files. Read
    what comes from others first.
    """
    if path is None:
        for one in trusted_code():
            typer.echo(str(one))
    elif forget:
        forget_code(path)
        typer.echo(f"{path.resolve()} is not run any more")
    else:
        typer.echo(f"{trust_code(path)} may run now")
