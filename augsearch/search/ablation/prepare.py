"""From what a user asks for to an ablation that could start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from augsearch.errors import DataError
from augsearch.progress import Progress
from augsearch.search.ablation.cells import PHASES
from augsearch.search.ablation.choice import choose
from augsearch.search.ablation.plan import Plan, Training
from augsearch.search.ablation.request import AblationRequest
from augsearch.search.ablation.words import changed_by
from augsearch.space.policy import load_policy
from augsearch.space.space import Space, load_space
from augsearch.store.kept import ABLATIONS
from augsearch.store.listing import check_settings
from augsearch.store.names import made_name
from augsearch.study.command import command_line
from augsearch.study.jobs import Job
from augsearch.study.naming import briefly_named
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest
from augsearch.study.setup import Setup
from augsearch.tracking.client import quiet_mlflow, tracking_uri

FIRST_SEED = 201
"""Replicates of ablations: none that the search, a usual confirmation or certification uses."""
SEARCHING = ("--from", "--trials")
"""Options of `run` that `ablate` does not have."""


@dataclass(frozen=True)
class Prepared:
    """An ablation that could start: what was asked, resolved and checked.

    Attributes:
        changes: what each operation changes in an image, in a word or two.
        left_out: operations without an effect on these images.
        flags: every option of `ablate` but `--dry-run`, as the user gave it.
    """

    setup: Setup
    plan: Plan
    seeds: tuple[int, ...]
    changes: Mapping[str, str]
    left_out: tuple[str, ...]
    flags: Mapping[str, object]

    @property
    def command(self) -> str:
        """The command that repeats this ablation or goes on with it."""
        return command_line("ablate", self.flags)

    @property
    def settings(self) -> dict[str, Any]:
        """What must be the same for a stored ablation to go on, or to lend its cells."""
        return _settings(self.setup)

    def jobs(self) -> list[Job]:
        """Every run once, whatever the number of cells that it serves."""
        found: dict[tuple[Training, str, int], Job] = {}
        for seed in self.seeds:
            for cell in self.plan.cells:
                name = f"{cell.name} [{cell.policy.digest[:6]}]"
                found.setdefault(
                    (cell.training, cell.policy.digest, seed),
                    Job(PHASES[cell.training], name, cell.policy, seed),
                )
        return list(found.values())


def prepare_ablation(request: AblationRequest, progress: Progress) -> Prepared:
    """Resolve and check everything an ablation needs.

    Raises:
        ConfigError, DataError, DeviceError, StudyError: what is wrong, in one line.
    """
    quiet_mlflow()
    tracking_uri()
    request.check()
    space, policy = request.space, request.policy
    whole = space if isinstance(space, Space) else load_space(space)
    given = load_policy(policy) if isinstance(policy, (str, Path)) else policy
    setup = _setup(request, whole, progress)
    if not setup.bench.draws and request.mode == "classes":
        raise DataError(
            f"--mode classes: {setup.source.name} has too few labels to score a class by; label "
            "more, or use another mode"
        )
    choice = choose(request, setup, whole, given, progress)
    plan = choice.plan.for_channels(setup.image_set.channels)
    setup = replace(setup, digits=_digits(setup, plan), in_python=request.in_python)
    if request.name is None:
        name = made_name(whole.name, setup.image_set.name, setup.digits)
        setup = replace(setup, name=f"{plan.mode}-{name}")
        setup = briefly_named(setup, _settings(setup), progress)
    if not isinstance(space, Space):
        setup = replace(setup, space_file=str(space), asked_space=str(space))
    check_settings(request.storage, setup.name, _settings(setup))
    for sentence in setup.warnings:
        progress.warn(sentence)
    shared = {flag: value for flag, value in setup.flags.items() if flag not in SEARCHING}
    return Prepared(
        setup=setup,
        plan=plan,
        seeds=tuple(range(FIRST_SEED, FIRST_SEED + request.replicates)),
        changes={name: changed_by(op) for name, op in choice.acting.items()},
        left_out=tuple(choice.idle),
        flags={**shared, **request.flags},
    )


def _setup(request: AblationRequest, whole: Space, progress: Progress) -> Setup:
    wanted = StudyRequest(
        whole,
        data=request.data,
        study=request.study,
        seed=request.seed,
        device=request.device,
        name=request.name,
        subset=request.subset,
        storage=request.storage,
        output=request.output,
    )
    return prepare(wanted, progress=progress, searching=False)


def _digits(setup: Setup, plan: Plan) -> str:
    """The beginning of a digest of all that decides the cells."""
    cells = sorted((cell.training, cell.policy.digest) for cell in plan.cells)
    text = json.dumps([_settings(setup), plan.title, cells], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _settings(setup: Setup) -> dict[str, Any]:
    return {
        "kind": ABLATIONS,
        "study": setup.config.deciding_run(),
        "data": {"name": setup.image_set.name, "digest": setup.image_set.digest},
        "seed": setup.seed,
        **setup.start_facts,
        **setup.tile_facts,
    }
