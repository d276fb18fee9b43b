"""A study that could start: what was asked, resolved and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import torch

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import Bench
from augsearch.data.advice import data_warnings, pool_warnings
from augsearch.data.imageset import ImageSet
from augsearch.engines.engine import Engine
from augsearch.engines.on_ray import OnRay
from augsearch.engines.processes import Processes
from augsearch.engines.remote import Remote
from augsearch.errors import OutputError
from augsearch.space.policy import FoundOn, Policy
from augsearch.space.space import Space
from augsearch.store.database import storage_flag
from augsearch.store.listing import board_name
from augsearch.study.command import command_line
from augsearch.study.origin import Origin
from augsearch.study.request import EngineName
from augsearch.study.sizes import SizeChoice
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig


@dataclass(frozen=True)
class Setup:
    """A study that could start: what was asked, resolved and checked.

    Attributes:
        space: already without colour if the images have none.
        space_file, study_file: what the user named, or what was taken instead.
        asked_space, asked_study: what the user named, None for what is taken by itself.
        engine_name: what trains.
        digits: six hex digits of all that decides the study, to tell it from others.
        asked_engine: what the study itself was run with.
        in_python: why no command repeats this, see `command.handed_over`.
        sizes: what was probed for the image size; None if the user said one.
    """

    name: str
    space: Space
    config: StudyConfig
    bench: Bench
    seed: int
    device: torch.device
    source: Source
    space_file: str
    study_file: str
    subset: int | None
    storage: str
    output: Path | None
    asked_device: str
    asked_space: str | None
    asked_study: str | None
    in_python: str = ""
    origin: Origin | None = None
    sizes: SizeChoice | None = None
    engine_name: EngineName = "local"
    asked_engine: EngineName = "local"
    digits: str = ""

    @property
    def engine(self) -> Engine:
        """What trains."""
        return self.engine_telling(lambda _: None)

    def engine_telling(self, tell: Callable[[str], None]) -> Engine:
        """The same, which says when nobody is there to train."""
        if self.engine_name == "workers":
            return Remote(
                self.storage, self.name, tell, study=lambda: board_name(self.storage, self.name)
            )
        if self.engine_name == "ray":
            on_gpus = self.config.compute.gpu_share if self.device.type == "cuda" else 0.0
            return OnRay(threads=self.config.compute.threads, gpus=on_gpus)
        on_cpu = self.device.type == "cpu"
        return Processes(self.config.compute.threads, most=None if on_cpu else 1)

    @property
    def baselines(self) -> dict[str, Policy]:
        """What every policy found must beat."""
        if self.origin is None:
            return BASELINES
        return {**BASELINES, self.origin.baseline: self.origin.winner}

    @property
    def always_confirmed(self) -> str | None:
        """The baseline that is confirmed in any case: the winner of the origin."""
        return None if self.origin is None else self.origin.baseline

    @property
    def directory(self) -> Path:
        """Where the results go."""
        return self.output if self.output is not None else Path("runs") / self.name

    @property
    def image_set(self) -> ImageSet:
        return self.bench.image_set

    def executor_of(self, policy: Policy) -> str:
        """Who renders a policy's views, in words."""
        return self.bench.renderer(policy).executor

    def as_found(self, policy: Policy) -> Policy:
        """The policy with what it was found on, for files that leave the study."""
        found_on = FoundOn(
            image_size=self.image_set.image_size,
            fit=self.config.data.fit,
            mean=self.bench.mean,
            std=self.bench.std,
            window=self.image_set.window,
        )
        return policy.model_copy(update={"found_on": found_on})

    @property
    def data_facts(self) -> dict[str, str | int]:
        """What the images are and how they were split."""
        image_set, split = self.image_set, self.bench.split
        every = np.arange(len(image_set))
        return {
            "name": image_set.name,
            "source": self.source.name,
            "digest": image_set.digest,
            "images": len(image_set.one_each(every)),
            "labelled": len(image_set.labelled_pictures),
            "classes": len(image_set.classes),
            "channels": image_set.channels,
            "pool": len(image_set.one_each(split.pool)),
            "test": len(image_set.one_each(split.test)),
        }

    @property
    def warnings(self) -> tuple[str, ...]:
        """What about images and settings may spoil the result, a sentence each."""
        config = self.config
        labels = config.evaluate.labels_per_class
        return (
            *data_warnings(self.image_set, config.data, labels, root=self.source.folder),
            *pool_warnings(
                len(self.bench.split.pool), config.pretrain.batch_size, config.pretrain.steps
            ),
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What must be the same for a stored study to go on."""
        return {
            "space": self.space.describe(),
            "study": self.config.deciding(),
            "data": {"name": self.image_set.name, "digest": self.image_set.digest},
            "seed": self.seed,
            **self.start_facts,
            **self.tile_facts,
            **self._from(),
        }

    @property
    def start_facts(self) -> dict[str, Any]:
        """Which weights the encoder starts from; empty for random ones."""
        start = self.bench.start
        return {} if start is None else {"weights": start.digest}

    @property
    def tile_facts(self) -> dict[str, str]:
        """How tiles are scored; an older version scored each by itself."""
        return {} if self.image_set.pictures is None else {"tiles": "pooled"}

    def _from(self) -> dict[str, Any]:
        if self.origin is None:
            return {}
        return {"from": {"study": self.origin.study, "winner": self.origin.winner.digest}}

    @property
    def asked(self) -> dict[str, Any]:
        """What the user named, for verbs that open the study again; paths are absolute."""
        return {
            "space_file": self.space_file,
            "study_file": self.study_file,
            "study_name": self.config.name,
            "encoder_files": self.config.encoder.files,
            "data": self.source.stored_as,
            "subset": self.subset,
            "trials": self.config.search.trials,
            "parallel": self.config.compute.parallel,
            "gpu_share": self.config.compute.gpu_share,
            "also": self.config.confirm.also,
            "certify": self.config.certify.model_dump(mode="json"),
            "full": self.config.full.model_dump(mode="json"),
            "finetune": self.config.finetune.model_dump(mode="json"),
            "pilot": self.config.pilot.model_dump(mode="json"),
            "flags": self.flags,
            "in_python": self.in_python,
            "directory": str(Path.cwd()),
            "output": None if self.output is None else str(self.output.resolve()),
        }

    @property
    def flags(self) -> dict[str, str | int | None]:
        """Every option of `run` but `--dry-run`, as the user gave it; None where it says what goes
        without saying."""
        return {
            "--from": self.origin.study if self.origin else None,
            "--space": self.asked_space,
            "--study": self.asked_study,
            "--data": self.source.flag,
            "--subset": self.subset,
            "--trials": self.config.search.trials,
            "--seed": self.seed,
            "--name": self.name,
            "--device": None if self.asked_device == "auto" else self.asked_device,
            "--storage": storage_flag(self.storage),
            "--engine": None if self.asked_engine == "local" else self.asked_engine,
            "--output": None if self.output is None else str(self.output),
        }

    def command(self) -> str:
        """The command that repeats this study or goes on with it."""
        return command_line("run", self.flags)


def some_images(bench: Bench, most: int) -> torch.Tensor:
    """The pool's first images, uint8 `[n, C, S, S]` on the device."""
    return torch.as_tensor(bench.images[:most]).to(bench.device)


def check_output(directory: Path, *, make: bool) -> None:
    """Check that results can be written, before any work is done.

    Args:
        make: also make the directory.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        if make:
            directory.mkdir(parents=True, exist_ok=True)
        there = next(path for path in (directory, *directory.parents) if path.exists())
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise OutputError(
            f"--output {directory}: cannot be written ({error.strerror}); name another directory"
        ) from None
