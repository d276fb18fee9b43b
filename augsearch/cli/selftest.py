"""`augsearch selftest`: does this installation do what it says?"""

from __future__ import annotations

from typing import Annotated

import typer


def selftest(
    seed: Annotated[
        str,
        typer.Option(metavar="N|today", help="Seed of the images whose truth is to be found."),
    ] = "0",
) -> None:
    """Check this installation, in less than three minutes.

    Exit code 1 if a line says FAILED.
    """
    from augsearch.search.selftest.selftest import parse_seed, run_selftest

    number = parse_seed(seed)
    failed = 0
    for check in run_selftest(number):
        failed += not check.passed
        word = "ok    " if check.passed else "FAILED"
        typer.echo(f"{word}  {check.name} ({check.seconds:.0f} s): {check.seen}")
    if failed:
        typer.echo(f"{failed} of the checks failed", err=True)
        raise typer.Exit(1)
    typer.echo("all is well")
