"""Options that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

STORAGE = "sqlite:///augsearch.db"

SpaceOption = Annotated[str, typer.Option(help="Space file, or the name of a preset.")]
DataOption = Annotated[
    Path | None,
    typer.Option(help="Folder of images; without it, embedded inspection surfaces are used."),
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
StorageOption = Annotated[str, typer.Option(help="URL of Optuna's database.")]
PolicyOption = Annotated[Path, typer.Option(help="Policy file, such as runs/NAME/policy.yaml.")]
StudyOption = Annotated[
    str | None,
    typer.Option(help="Study file or preset. [default: standard; quick without --data]"),
]
OutputOption = Annotated[
    Path | None, typer.Option(help="Directory for the results. [default: runs/NAME]")
]
SubsetOption = Annotated[
    int | None, typer.Option(help="Use a stratified part of this many images.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, estimate the cost, and stop.")
]
