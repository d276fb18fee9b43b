"""The verbs. Heavy imports live inside them, so that `--help` answers at once."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from augsearch import __version__
from augsearch.augment.export.targets import ENDINGS
from augsearch.cli.ablate import ablate
from augsearch.cli.compare import compare
from augsearch.cli.completion import study_names
from augsearch.cli.deploy import deploy
from augsearch.cli.distill import distill
from augsearch.cli.embed import embed
from augsearch.cli.explain import explain
from augsearch.cli.finetune import finetune
from augsearch.cli.help import START, TITLE, Register, Verbs, example
from augsearch.cli.ops import ops
from augsearch.cli.options import (
    STORAGE,
    DeviceOption,
    DryRunOption,
    EngineOption,
    PolicyOption,
    StorageOption,
    StudyArgument,
    asks_for_study,
    choice,
)
from augsearch.cli.pilot import pilot
from augsearch.cli.pretrain import pretrain
from augsearch.cli.preview import preview
from augsearch.cli.selftest import selftest
from augsearch.cli.studies import STUDIES, studies_app
from augsearch.cli.triage import triage
from augsearch.cli.trust import trust
from augsearch.cli.worker import worker
from augsearch.errors import AugsearchError

if TYPE_CHECKING:
    from augsearch.study.request import StudyRequest

app = typer.Typer(
    cls=Verbs,
    help=f"{TITLE}\n\n{START}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
SEARCH = "Find a policy"
LOOK = "Look at studies and policies"
USE = "From the policy to a classifier"
TOOLS = "Operations and this installation"


def _verb(group: str, shown: str) -> Register:
    """Registers a verb under a title, with an example."""
    return app.command(rich_help_panel=group, epilog=example(shown))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"augsearch {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


_verb(SEARCH, "augsearch triage --space factory --data images/")(triage)


@_verb(SEARCH, "augsearch run --space factory --data images/ --name factory-images")
@asks_for_study
def run(request: StudyRequest, dry_run: DryRunOption = False) -> None:
    """Search, confirm, and write the best policy.

    Interrupted, it goes on where it stopped when the same command is given again.
    """
    from augsearch.cli.terminal.tables import print_result
    from augsearch.verbs.run import estimate_as_asked, run_as_asked
    from augsearch.watch.terminal import TerminalProgress

    with TerminalProgress() as progress:
        if dry_run:
            progress.estimated(estimate_as_asked(request, progress))
            return
        try:
            result = run_as_asked(request, progress)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        print_result(result, Path(request.output or f"runs/{result.study}"), progress.console)


_verb(SEARCH, "augsearch ablate --space factory --data images/ --mode leave-one-out")(ablate)


@_verb(SEARCH, "augsearch certify factory-images")
def certify(
    study: StudyArgument,
    random: Annotated[
        int | None,
        typer.Option(min=0, help="Trials drawn at random. [default: the study file's]"),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Seeds of the longest runs. [default: the study file's]"),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Where the images are now. [default: where they were]")
    ] = None,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    engine: EngineOption = "local",
) -> None:
    """Train some policies for longer: can the short runs be trusted?"""
    from augsearch.cli.terminal.tables import print_certificate
    from augsearch.study.request import engine_of
    from augsearch.verbs.certify import certify_study
    from augsearch.watch.terminal import TerminalProgress

    with TerminalProgress() as progress:
        try:
            certificate = certify_study(
                study,
                storage=storage,
                engine=engine_of(engine),
                random=random,
                seeds=seeds,
                data=data,
                device=device,
                progress=progress,
            )
        except KeyboardInterrupt:
            progress.note("stopped; finished work is kept. Run the same command again to continue")
            raise typer.Exit(130) from None
        print_certificate(certificate, progress.console)


app.add_typer(studies_app, name="studies", rich_help_panel=LOOK, epilog=example(STUDIES))
_verb(LOOK, 'augsearch compare factory-images 12 "SimCLR s=1"')(compare)
_verb(LOOK, "augsearch preview factory-images --output views.png")(preview)


@_verb(LOOK, "augsearch report factory-images")
def report(
    study: StudyArgument,
    data: Annotated[
        str | None, typer.Option(help="Where the images are now. [default: where they were]")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Directory to write to. [default: the study's own]")
    ] = None,
    storage: StorageOption = STORAGE,
) -> None:
    """Write a study's report: HTML, Markdown and a table of all runs.

    Of a study that has not ended, too.
    """
    from augsearch.verbs.report import report_study
    from augsearch.watch.terminal import TerminalProgress

    with TerminalProgress() as progress:
        page = report_study(study, storage=storage, data=data, output=output, progress=progress)
    typer.echo(f"wrote {page}, report.md and trials.csv beside it")


@_verb(LOOK, "augsearch sync")
def sync(
    study: Annotated[
        str | None,
        typer.Argument(help="Name of a study. [default: all]", autocompletion=study_names),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Where the images are now. [default: where they were]")
    ] = None,
    storage: StorageOption = STORAGE,
) -> None:
    """Bring MLflow up to date with stored studies, without training.

    For a server that was away, or a store that is new or lost: whatever MLflow lacks is made from
    Optuna's database. Pictures of views need the images.
    """
    from augsearch.cli.terminal.stored import print_synced
    from augsearch.errors import ConfigError, StudyError
    from augsearch.verbs.sync import sync_studies, sync_study
    from augsearch.watch.terminal import TerminalProgress
    from augsearch.words import counted

    if study is None and data is not None:
        raise ConfigError("--data: is of one study; name it")
    with TerminalProgress() as progress:
        left = 0
        if study is None:
            found, left = sync_studies(storage=storage, progress=progress)
        else:
            found = (sync_study(study, storage=storage, data=data, progress=progress),)
        print_synced(found, progress.console)
    if left:
        raise StudyError(f"left out, for the reasons above: {counted(left, 'study', 'studies')}")


@_verb(LOOK, "augsearch ui")
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000,
) -> None:
    """Open the MLflow UI on this directory's store."""
    from augsearch.tracking.ui import serve_ui

    serve_ui(port)


@_verb(USE, "augsearch export --policy runs/factory-images/policy.yaml --to kornia")
def export(
    policy: PolicyOption,
    to: Annotated[str, choice(*ENDINGS, help="The library, or plain JSON.")],
    output: Annotated[
        Path | None,
        typer.Option(help="File to write. [default: views_<target>.py, .yaml or .json]"),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            help="Side of the views in pixels. [default: that of the study that found the policy]"
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what the target cannot express.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite a file that is no export.")
    ] = False,
) -> None:
    """Write a policy as a file for another library.

    The file does not need augsearch.
    """
    from augsearch.space.handbook.carry_over import carry_over_note
    from augsearch.space.policy import load_policy
    from augsearch.verbs.export import export as write

    exported = write(policy, to, output, image_size=image_size, strict=strict, force=force)
    typer.echo(f"wrote {exported.path}")
    if exported.remarks:
        typer.echo(f"what differs from the policy, in {to}:")
        for remark in exported.remarks:
            typer.echo(f"  {remark}")
    if image_size and (note := carry_over_note(load_policy(policy), image_size)):
        typer.echo(f"note: {note}")


_verb(USE, "augsearch pretrain --policy factory-images --output runs/encoder")(pretrain)
_verb(USE, "augsearch finetune runs/encoder --labels 20 --output runs/classifier")(finetune)
_verb(USE, "augsearch distill runs/classifier --student tiny")(distill)
_verb(USE, "augsearch explain runs/classifier")(explain)
_verb(USE, "augsearch embed runs/classifier --output features.parquet")(embed)
_verb(USE, "augsearch deploy runs/classifier --formats onnx,int8")(deploy)
_verb(USE, "augsearch pilot --study factory-images --labels 5,10,20")(pilot)
_verb(TOOLS, "augsearch ops rotation")(ops)
_verb(TOOLS, "augsearch selftest")(selftest)
_verb(TOOLS, "augsearch trust my_ops.py")(trust)
_verb(TOOLS, "augsearch worker --study factory-images --storage postgresql://host/db")(worker)


def main() -> NoReturn:
    """Entry point: errors that a user can cause are one line and exit code 2."""
    # OpenMP's threads spin while they wait. Where another process wants the cores as well, that
    # makes training many times slower (seen: 19x on two cores); sleeping costs little otherwise.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A stopped job (SIGTERM) and a closed terminal (SIGHUP, unless nohup says otherwise) end
    # as cleanly as a run that is stopped by hand.
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _interrupt_again
    try:
        app(standalone_mode=True)
    except AugsearchError as error:
        line = " ".join(str(error).splitlines())  # even if a name in it has several
        typer.echo(f"augsearch: {line}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more would only disturb the way out
        sys.exit(130)
    sys.exit(0)


def _interrupt(_signal: int, _frame: FrameType | None) -> Any:
    raise KeyboardInterrupt


def _interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """An interrupt that came where nothing can be raised (a finalizer, a weak reference's callback)
    comes once more, a moment later, instead of being printed and forgotten."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        threading.Timer(0.01, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(lost)
