"""`augsearch studies`: what is stored, and how to be rid of it."""

from __future__ import annotations

from typing import Annotated

import typer

from augsearch.cli.completion import study_names
from augsearch.cli.help import Verbs, example
from augsearch.cli.options import STORAGE, StorageOption

STUDIES = "augsearch studies"
"""The example of the list."""
NameArgument = Annotated[str, typer.Argument(help="Name of the study.", autocompletion=study_names)]

studies_app = typer.Typer(
    cls=Verbs,
    help="List, show, delete and clean stored studies.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@studies_app.callback()
def list_studies(context: typer.Context, storage: StorageOption = STORAGE) -> None:
    """List the studies, if no other verb is given."""
    if context.invoked_subcommand is not None:
        return
    from augsearch.cli.terminal.stored import print_summaries
    from augsearch.verbs.studies import list_stored
    from augsearch.watch.console import terminal

    print_summaries(list_stored(storage), terminal())


@studies_app.command(epilog=example("augsearch studies show factory-images"))
def show(
    name: NameArgument,
    every: Annotated[bool, typer.Option("--all", help="Every run, not the best alone.")] = False,
    storage: StorageOption = STORAGE,
) -> None:
    """Show a study: its verdict, confirmation, trials and baselines."""
    from augsearch.cli.terminal.stored import print_study
    from augsearch.verbs.studies import stored_study
    from augsearch.watch.console import terminal

    print_study(stored_study(storage, name), terminal(), every=every)


@studies_app.command(epilog=example("augsearch studies delete factory-images"))
def delete(
    name: NameArgument,
    storage: StorageOption = STORAGE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a study from the database and from MLflow.

    Its files under runs/ stay.
    """
    from augsearch.store.stored import find_study
    from augsearch.verbs.studies import delete_stored

    find_study(storage, name, exactly=True)
    if not yes:
        typer.confirm(
            f"Delete the study {name!r}, its MLflow runs and its registered policies?", abort=True
        )
    deleted = delete_stored(storage, name)
    policies = f"{deleted.versions} registered polic{'y' if deleted.versions == 1 else 'ies'}"
    typer.echo(f"deleted the study {name!r} and, in MLflow, {deleted.runs} runs and {policies}")
    for uri in deleted.kept:
        typer.echo(f"kept {uri}, which somebody gave an alias of their own")


@studies_app.command(epilog=example("augsearch studies clean --unused-days 7"))
def clean(
    storage: StorageOption = STORAGE,
    unused_days: Annotated[
        float,
        typer.Option(
            "--unused-days",
            metavar="N",
            min=0,
            help="Delete decoded images that no run has begun with for so many days; 0: all, also "
            "those that a run is working with.",
        ),
    ] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete studies without a finished trial, and old decoded images."""
    from augsearch.verbs.studies import clean_stored, empty_studies

    empty = empty_studies(storage)
    typer.echo(f"studies without a finished trial: {', '.join(empty) or 'none'}")
    if not yes:
        unused = f" that no run has begun with for {unused_days:g} days" if unused_days else ""
        typer.confirm(f"Delete them, and decoded images{unused}?", abort=True)
    freed = clean_stored(storage, unused_days=unused_days)
    typer.echo(f"deleted {len(empty)} studies and {freed / 2**20:.0f} MiB of decoded images")
