"""`augsearch ablate`: which operations help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsearch.cli.options import (
    STORAGE,
    DataOption,
    DeviceOption,
    DryRunOption,
    OutputOption,
    SeedOption,
    SpaceOption,
    StorageOption,
    StudyOption,
    SubsetOption,
    choice,
)

MODES = ("pairs", "leave-one-out", "add-one", "strength", "classes")
PROTOCOLS = ("simclr", "policy")


# Typer makes each option from an argument of its own.
def ablate(
    space: SpaceOption,
    data: DataOption = None,
    study: StudyOption = None,
    mode: Annotated[
        str, choice(*MODES, help="What is compared; docs/ablations.md explains each.")
    ] = "pairs",
    protocol: Annotated[
        str | None,
        choice(
            *PROTOCOLS,
            help="In pairs: operations on one branch, or on both. [default: simclr]",
        ),
    ] = None,
    ops: Annotated[
        str | None, typer.Option(help="Operations, with commas between. [default: all]")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Policy file to ablate; in pairs, where strengths come from. [default: the middle "
            "of the space; in add-one, a crop alone]"
        ),
    ] = None,
    op: Annotated[str | None, typer.Option(help="strength: the operation.")] = None,
    replicates: Annotated[int, typer.Option(help="Seeds of each cell.")] = 3,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    storage: StorageOption = STORAGE,
    name: Annotated[
        str | None,
        typer.Option(help="Name it is stored under. [default: made of mode, space and data]"),
    ] = None,
    output: OutputOption = None,
    subset: SubsetOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Measure which operations help, alone and in pairs.

    Or how strong they should be, and which class they cost.

    Interrupted, it goes on where it stopped when the same command is given again.
    """
    from augsearch.cli.terminal.tables import print_ablation
    from augsearch.search.ablation.estimate import in_sentence
    from augsearch.search.ablation.request import AblationRequest
    from augsearch.verbs.ablate import ablate_as_asked, estimate_ablation
    from augsearch.watch.terminal import TerminalProgress

    request = AblationRequest(
        space,
        data=data,
        study=study,
        mode=mode,
        protocol=protocol,
        ops=None if ops is None else [name.strip() for name in ops.split(",")],
        policy=policy,
        op=op,
        replicates=replicates,
        seed=seed,
        device=device,
        storage=storage,
        name=name,
        output=output,
        subset=subset,
    )
    with TerminalProgress() as progress:
        if dry_run:
            progress.note(in_sentence(estimate_ablation(request, progress=progress)))
        else:
            try:
                found = ablate_as_asked(request, progress)
            except KeyboardInterrupt:
                raise typer.Exit(130) from None
            print_ablation(found, output or Path("runs") / found.study, progress.console)
