"""`augsearch pilot` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import STORAGE, DeviceOption, DryRunOption, SeedOption, StorageOption


# Typer makes each option from an argument of its own.
def pilot(
    study: Annotated[
        str | None,
        typer.Option(
            help="Finished study: its winner, images and settings; or study file or preset, for "
            "settings. [default: standard]"
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of images. [default: those of the study]")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="The found policy, as in `pretrain`. [default: the winner of --study]"),
    ] = None,
    policy_from: Annotated[
        Path | None,
        typer.Option(help="Finished pilot of another plant: try its policy, with its settings."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="Space of the search that comes first if nothing names a policy: file or preset. "
            "[default: natural]"
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="pretrained|FILE|none",
            help="What a team would begin with otherwise. [default: what the settings say]",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...", help="Labels of each class, several. [default: 5,10,20,50]"
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Times that everything is done anew. [default: 3]")
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="Published policy beside the found one. [default: the study's best]"),
    ] = None,
    good: Annotated[
        str | None, typer.Option(help="The class without a defect: misses are counted.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Steps of a pretraining. [default: full.steps, else ten times a trial's]"
        ),
    ] = None,
    label_seconds: Annotated[
        float | None, typer.Option(help="Seconds that a label takes a person. [default: 5]")
    ] = None,
    label_rate: Annotated[
        float | None, typer.Option(help="Money for an hour of labelling.")
    ] = None,
    machine_rate: Annotated[
        float | None, typer.Option(help="Money for an hour of the machine.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Of the rates.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Lay two finished pilots beside each other, and do nothing else."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    output: Annotated[
        Path | None, typer.Option(help="Directory for the results. [default: in runs/]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Begin anew, and overwrite what is there.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Measure what policy and pretraining are worth to a classifier.

    In accuracy, labels and hours; compares them with labels alone and with weights as they came, on
    the sealed images. Interrupted, it goes on when the same command is given again.
    """
    from augsearch.cli.terminal.pilot import print_comparison, print_pilot
    from augsearch.errors import ConfigError
    from augsearch.piloting.estimate import in_sentence
    from augsearch.piloting.request import PilotRequest
    from augsearch.verbs.compare_pilots import compare_pilots
    from augsearch.verbs.pilot import estimate_pilot, pilot_as_asked
    from augsearch.watch.terminal import TerminalProgress

    if compare is not None and dry_run:
        raise ConfigError("--dry-run: is not for --compare, which trains nothing; leave it out")
    with TerminalProgress() as progress:
        if compare is not None:
            page, pilots = compare_pilots(compare, output=output)
            print_comparison(page, pilots, progress.console)
            return
        request = PilotRequest(
            study,
            data=data,
            policy=policy,
            policy_from=policy_from,
            space=space,
            weights=weights,
            labels=_numbers(labels),
            seeds=seeds,
            baseline=baseline,
            good=good,
            steps=steps,
            label_seconds=label_seconds,
            label_rate=label_rate,
            machine_rate=machine_rate,
            currency=currency,
            seed=seed,
            device=device,
            storage=storage,
            output=output,
            force=force,
        )
        if dry_run:
            progress.note(in_sentence(estimate_pilot(request, progress)))
            return
        try:
            found = pilot_as_asked(request, progress)
        except KeyboardInterrupt:
            progress.note("stopped; finished work is kept. Run the same command again to continue")
            raise typer.Exit(130) from None
        print_pilot(found, progress.console)


def _numbers(text: str | None) -> tuple[int, ...] | None:
    from augsearch.errors import ConfigError

    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"--labels {text}: want whole numbers with commas, such as 5,10"
        ) from None
