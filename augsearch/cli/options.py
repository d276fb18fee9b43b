"""Options that several verbs have."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augsearch.cli.completion import space_names, study_files, study_names

if TYPE_CHECKING:
    from augsearch.study.request import StudyRequest

STORAGE = "sqlite:///augsearch.db"

DEVICES = ("auto", "cpu", "cuda", "mps")
ENGINES = ("local", "workers", "ray")

WIDEST = 60
"""Letters that stand on a line of their own beside the option, at 80 columns."""


def choice(*names: str, help: str) -> Any:
    """An option that shows what it takes. Typer's own choices would refuse another name with its
    usage and without the nearest name; the verbs refuse it in one line."""
    shown = "|".join(names)
    if len(shown) > WIDEST:
        shown, help = "NAME", f"{help} One of {', '.join(names)}."
    return typer.Option(metavar=shown, autocompletion=lambda: [*names], help=help)


SpaceOption = Annotated[
    str, typer.Option(help="Space file, or the name of a preset.", autocompletion=space_names)
]
DataOption = Annotated[
    Path | None,
    typer.Option(help="Folder of images; without it, embedded inspection surfaces are used."),
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.")]
DeviceOption = Annotated[str, choice(*DEVICES, help="What computes; cuda:1 is a second GPU.")]
StorageOption = Annotated[str, typer.Option(help="URL of Optuna's database.")]
PolicyOption = Annotated[Path, typer.Option(help="Policy file, such as runs/NAME/policy.yaml.")]
StudyOption = Annotated[
    str | None,
    typer.Option(
        help="Study file or preset. [default: standard; quick without --data]",
        autocompletion=study_files,
    ),
]
StudyArgument = Annotated[str, typer.Argument(help="Name of a study.", autocompletion=study_names)]
OutputOption = Annotated[
    Path | None, typer.Option(help="Directory for the results. [default: runs/NAME]")
]
SubsetOption = Annotated[
    int | None, typer.Option(help="Use a stratified part of this many images.")
]
EngineOption = Annotated[
    str,
    choice(*ENGINES, help="What trains: this machine, `augsearch worker`s, or a Ray cluster."),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, estimate the cost, and stop.")
]


# Typer makes each option from an argument of its own.
def _requested(
    space: Annotated[
        str | None,
        typer.Option(
            help="Space file, or the name of a preset. [default: that of --from]",
            autocompletion=space_names,
        ),
    ] = None,
    data: DataOption = None,
    from_study: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Begin from a finished study on other images: its winner, its trials.",
            autocompletion=study_names,
        ),
    ] = None,
    study: StudyOption = None,
    trials: Annotated[
        int | None, typer.Option(help="Trials to finish. [default: what the study file says]")
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the study. [default: made of space, data and settings]"),
    ] = None,
    output: OutputOption = None,
    subset: SubsetOption = None,
    engine: EngineOption = "local",
) -> StudyRequest:
    from augsearch.study.request import StudyRequest, engine_of

    return StudyRequest(
        space,
        data=data,
        from_study=from_study,
        study=study,
        trials=trials,
        seed=seed,
        device=device,
        storage=storage,
        name=name,
        output=output,
        subset=subset,
        engine=engine_of(engine),
    )


def asks_for_study(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb whose first argument is a `StudyRequest`, as one that has the request's options.

    Its further arguments are options of its own, which stand after them.
    """
    asked, (_, *own) = _parameters(_requested), _parameters(verb)

    def command(**options: Any) -> None:
        values = {option.name: options.pop(option.name) for option in own}
        verb(_requested(**options), **values)

    parameters = [option.replace(kind=Parameter.KEYWORD_ONLY) for option in (*asked, *own)]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # PEP 362's
    command.__annotations__ = {option.name: option.annotation for option in parameters}
    command.__name__, command.__doc__ = verb.__name__, verb.__doc__
    return command


def _parameters(function: Callable[..., object]) -> list[Parameter]:
    found = signature(function, eval_str=True, locals={"StudyRequest": object})
    return list(found.parameters.values())
