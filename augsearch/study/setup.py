"""From what a user names (files, presets, folders) to everything a study needs, checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch

from augsearch.augment.baselines import BASELINES
from augsearch.augment.custom import check_custom_ops
from augsearch.bench.bench import Bench
from augsearch.data.advice import classes_in_words, data_warnings, pool_warnings
from augsearch.data.cache import load_images
from augsearch.data.imageset import ImageSet
from augsearch.data.names import printable
from augsearch.data.subset import take_subset
from augsearch.data.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import ConfigError, DataError, OutputError
from augsearch.progress import Progress
from augsearch.simclr.device import resolve_device
from augsearch.space.policy import FoundOn, Policy
from augsearch.space.presets import preset_names
from augsearch.space.space import Space, load_space
from augsearch.store.database import DEFAULT_STORAGE, shown_url
from augsearch.study.command import command_line, handed_over
from augsearch.study.origin import Origin
from augsearch.study_file import StudyConfig, load_study_config

EMBEDDED = "embedded inspection surfaces"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
CHECKED = 16
"""Images that every custom operation is tried on before anything is trained."""


@dataclass(frozen=True)
class Setup:
    """A study that could start: what was asked, resolved and checked.

    Attributes:
        space: already without colour if the images are grey.
        space_file, study_file, source: what the user named, or what was taken instead.
        asked_space, asked_study: what the user named, None for what is taken by itself.
        in_python: why no command repeats this, see `command.handed_over`.
    """

    name: str
    space: Space
    config: StudyConfig
    bench: Bench
    seed: int
    device: torch.device
    source: str
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

    @property
    def baselines(self) -> dict[str, Policy]:
        """What every policy found must beat."""
        if self.origin is None:
            return BASELINES
        return {**BASELINES, self.origin.baseline: self.origin.winner}

    @property
    def beside(self) -> str | None:
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
    def warnings(self) -> tuple[str, ...]:
        """What about images and settings may spoil the result, a sentence each."""
        config = self.config
        root = None if self.source == EMBEDDED else Path(self.source)
        return (
            *data_warnings(
                self.image_set, config.data, config.evaluate.labels_per_class, root=root
            ),
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
            **self._from(),
        }

    def _from(self) -> dict[str, Any]:
        if self.origin is None:
            return {}
        return {"from": {"study": self.origin.study, "winner": self.origin.winner.digest}}

    @property
    def asked(self) -> dict[str, Any]:
        """What the user named, for verbs that open the study again; paths are absolute."""
        there = Path(self.source)
        return {
            "space_file": self.space_file,
            "study_file": self.study_file,
            "study_name": self.config.name,
            "data": str(there.resolve()) if there.exists() else self.source,
            "subset": self.subset,
            "trials": self.config.search.trials,
            "certify": self.config.certify.model_dump(mode="json"),
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
            "--data": self.source if self.source != EMBEDDED else None,
            "--subset": self.subset,
            "--trials": self.config.search.trials,
            "--seed": self.seed,
            "--name": self.name,
            "--device": None if self.asked_device == "auto" else self.asked_device,
            "--storage": None if self.storage == DEFAULT_STORAGE else shown_url(self.storage),
            "--output": None if self.output is None else str(self.output),
        }

    def command(self) -> str:
        """The command that repeats this study or goes on with it."""
        return command_line("run", self.flags)


def prepare(
    space: str | Path | Space | None,
    *,
    data: str | Path | ImageSet | None,
    study: str | Path | StudyConfig | None,
    trials: int | None,
    seed: int,
    device: str,
    name: str | None,
    subset: int | None,
    storage: str,
    output: str | Path | None,
    progress: Progress,
    origin: Origin | None = None,
    searching: bool = True,
) -> Setup:
    """Resolve and check everything a study needs; see `run_study` for the arguments.

    Args:
        origin: the study that this one begins from.
        searching: whether it needs a space in which something is searched.

    Raises:
        ConfigError, DataError, DeviceError: what is wrong, in one line.
    """
    named = {"--data": data, "--space": space, "--study": study, "--output": output}
    _check_plain({**named, "this directory": Path.cwd()})
    chosen_device = resolve_device(device)
    loaded, space_file = _space(space, origin)
    config, study_file = _config(study, origin, embedded=data is None)
    if trials is not None:
        if trials < 1:
            raise ConfigError(f"--trials {trials}: must be 1 or more")
        search = config.search.model_copy(update={"trials": trials})
        config = config.model_copy(update={"search": search})
    if name is not None and not NAME.fullmatch(name):
        raise ConfigError(
            f"--name {name}: use up to 100 letters, digits, dots, dashes and underscores"
        )
    if seed < 0:
        raise ConfigError(f"--seed {seed}: must be 0 or more")
    image_set, source = _images(data, config, progress)
    label_free = config.evaluate.label_free
    if not label_free and not (image_set.labels >= 0).any():
        raise DataError(
            f"{source}: no image has a label, and policies are scored by a few labels of each "
            "class; sort some images into a folder for each class, list them in labels.csv, or "
            "set evaluate.score in the study file to a label-free score (docs/label_free.md)"
        )
    if subset is not None:
        if subset < 1:
            raise ConfigError(f"--subset {subset}: must be 1 or more")
        image_set = take_subset(image_set, subset, seed=0, unlabelled=label_free)
    for sentence in image_set.notes:
        progress.note(sentence)
    fitting = _fitting(loaded, image_set.channels, space_file, progress, searching=searching)
    if name is None:
        text = f"{fitting.digest} {config.digest} {image_set.digest} {seed}"
        if origin is not None:
            text += f" {origin.study} {origin.winner.digest}"
        tail = hashlib.sha256(text.encode()).hexdigest()[:6]
        name = f"{_slug(loaded.name)}-{_slug(image_set.name)}-{tail}"
    bench = Bench.build(image_set, config, seed=seed, device=chosen_device)
    if data is not None:
        progress.note(classes_in_words(image_set, len(bench.split.test)))
    check_custom_ops(fitting.custom_ops(), some_images(bench, CHECKED))
    return Setup(
        name=name,
        space=fitting,
        config=config,
        bench=bench,
        seed=seed,
        device=chosen_device,
        source=source,
        space_file=space_file,
        study_file=study_file,
        subset=subset,
        storage=storage,
        output=None if output is None else Path(output),
        asked_device=device,
        asked_space=None if space is None else space_file,
        asked_study=None if study is None and origin is not None else study_file,
        in_python=handed_over(
            {
                "space": isinstance(space, Space),
                "study": isinstance(study, StudyConfig),
                "images": isinstance(data, ImageSet),
            }
        ),
        origin=origin,
    )


def _check_plain(paths: Mapping[str, object]) -> None:
    for option, path in paths.items():
        if isinstance(path, (str, Path)) and printable(str(path)) != str(path):
            raise ConfigError(
                f"{option} {printable(str(path))}: the path is no plain text in UTF-8, and the "
                "results could not name it; rename it, or make a link to it"
            )


def some_images(bench: Bench, most: int) -> torch.Tensor:
    """The pool's first images, uint8 `[n, C, S, S]` on the device."""
    return torch.as_tensor(bench.images[:most]).to(bench.device)


def _space(space: str | Path | Space | None, origin: Origin | None) -> tuple[Space, str]:
    if space is None and origin is not None:
        space = origin.space
    if space is None:
        raise ConfigError(
            f"--space: name a space file or a preset ({', '.join(preset_names('spaces'))})"
        )
    if isinstance(space, Space):
        return space, f"{space.name}.yaml"
    return load_space(space), str(space)


def _fitting(
    space: Space, channels: int, file: str, progress: Progress, *, searching: bool
) -> Space:
    """The space as it acts on images of that many channels; if there is to be a search, something
    in it must be searched."""
    if searching and not space.axes():
        raise ConfigError(
            f"{file}: is a policy, not a space: every value is fixed, so nothing is searched; "
            "give some value a range or choices, like {low: 0.0, high: 0.5}"
        )
    try:
        fitting = space.for_channels(channels)
    except ValueError:
        fitting = None
    if searching and (fitting is None or not fitting.axes()):
        raise ConfigError(
            f"{file}: the images are grey, and all that is searched acts on colour alone; give "
            "another value a range or choices"
        )
    fitting = fitting or space
    dropped = len(space.axes()) - len(fitting.axes())
    if dropped:
        progress.note(
            f"the images are grey: {dropped} of the space's {len(space.axes())} searched values "
            "act on colour alone and are left out"
        )
    fitting.files()
    return fitting


def _config(
    study: str | Path | StudyConfig | None, origin: Origin | None, *, embedded: bool
) -> tuple[StudyConfig, str]:
    if study is None and origin is not None:
        study = origin.config
    if isinstance(study, StudyConfig):
        return study, f"{study.name}.yaml"
    chosen = study or ("quick.yaml" if embedded else "standard.yaml")
    return load_study_config(chosen), str(chosen)


def _images(
    data: str | Path | ImageSet | None, config: StudyConfig, progress: Progress
) -> tuple[ImageSet, str]:
    if isinstance(data, ImageSet):
        return data, data.name
    if data is None:
        progress.note(
            "no --data given: searching on the embedded inspection surfaces, which this program "
            "draws itself"
        )
        return draw_surfaces(SurfaceSpec(image_size=config.data.image_size)), EMBEDDED
    return load_images(Path(data), config.data, progress=progress.images), str(data)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:40] or "study"


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
