"""From what a user asks of a pretraining to everything that it needs, checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Bench
from augsearch.data.cache import load_images
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import content_marks
from augsearch.errors import ConfigError, StudyError
from augsearch.pretraining.checkpoint import Checkpoints
from augsearch.pretraining.pool import Pool, pool_of
from augsearch.pretraining.recipe import SPLIT_FILE, Before, Recipe, find_recipe
from augsearch.pretraining.request import PretrainRequest
from augsearch.progress import Progress
from augsearch.simclr.device import resolve_device
from augsearch.simclr.feature_teacher import FeatureTeacher
from augsearch.simclr.ranks import ALONE, Ranks
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import Policy
from augsearch.store.database import find_storage
from augsearch.store.listing import is_study
from augsearch.store.sealed import sealed_before
from augsearch.study.prepare import check_own_encoder
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig

LONGER = 10
"""Steps of a full pretraining where none are said, as a multiple of a trial's."""
LOOKS = 20
CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class Prepared:
    """A pretraining that could start now.

    Attributes:
        policy: fitted to the images' channels.
        bench: of the pool alone.
        steps, probe_every, checkpoint_every: optimiser steps.
        batch_size: images a step, of all processes.
        patience: probes without a gain before it stops; None for never.
        teacher: whose features are learnt; None for SimCLR.
    """

    recipe: Recipe
    policy: Policy
    config: StudyConfig
    pool: Pool
    bench: Bench
    source: Source
    directory: Path
    steps: int
    probe_every: int
    checkpoint_every: int
    patience: int | None
    batch_size: int
    teacher: FeatureTeacher | None = None

    @property
    def identity(self) -> dict[str, str]:
        """What two pretrainings share that are the same; values are short."""
        run = self.config.deciding_run()
        run["pretrain"] = {**run["pretrain"], "steps": self.steps}
        run["full"] = [self.probe_every, self.patience] if self.patience else []
        start, teacher = self.bench.start, self.teacher
        return {
            "policy": self.policy.digest,
            "settings": short_digest(run),
            "images": self.pool.digest[:12],
            "batch": str(self.batch_size),
            "seed": str(self.bench.seed),
            "weights": "none" if start is None else start.digest[:12],
            **({} if teacher is None else {"teacher": teacher.digest[:12]}),
        }

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.directory / CHECKPOINT, self.identity)

    @property
    def name(self) -> str:
        """For people."""
        return self.directory.name


def prepare(request: PretrainRequest, ranks: Ranks, progress: Progress) -> Prepared:
    """Resolve and check everything.

    Raises:
        AugsearchError: what is wrong, in one line.
    """
    if request.steps is not None and request.steps < 1:
        raise ConfigError(f"--steps {request.steps}: must be 1 or more")
    if request.seed < 0:
        raise ConfigError(f"--seed {request.seed}: must be 0 or more")
    device = _device(request.device, ranks)
    recipe = find_recipe(request)
    config = settled_size(recipe)
    known = recipe.study.source if recipe.study else None
    image_set, source = given_images(request.data, known, config, progress)
    for sentence in image_set.notes:
        progress.note(sentence)
    config = as_decoded(config, image_set)
    pool = sealed_off(
        image_set,
        source,
        config,
        recipe.study.before if recipe.study else None,
        request.storage,
        progress,
    )
    prepared = ready(
        replace(recipe, config=config),
        pool,
        source,
        seed=request.seed,
        device=device,
        ranks=ranks,
        steps=request.steps,
        progress=progress,
    )
    begins = recipe.study.name if recipe.study else pool.images.name
    directory = directory_for(request.output, begins, "pretrained", prepared.identity)
    return replace(prepared, directory=directory)


def ready(
    recipe: Recipe,
    pool: Pool,
    source: Source,
    *,
    seed: int,
    device: torch.device,
    ranks: Ranks = ALONE,
    steps: int | None = None,
    progress: Progress,
) -> Prepared:
    """A pretraining on a pool that is there, under `recipe`, whose settings say a size of images;
    its directory is to be set.

    Raises:
        AugsearchError: as `prepare`.
    """
    config = recipe.config
    check_own_encoder(config, pool.images)
    bench = Bench.of_pool(pool.images, config, seed=seed, device=device)
    for sentence in bench.start.notes if bench.start else ():
        progress.note(sentence)
    if note := carry_over_note(recipe.policy, pool.images.image_size):
        progress.note(note)
    if recipe.study and recipe.policy == recipe.study.winner:
        progress.note(f"the study {recipe.study.name} says: {recipe.study.verdict}")
    batch = ranks.batch(config.pretrain.batch_size, len(pool.images))
    if batch != config.pretrain.batch_size:
        progress.note(
            f"a step takes {batch} images instead of {config.pretrain.batch_size}: the pool has "
            f"{len(pool.images)}, and {ranks.size} processes share them"
        )
    if not bench.draws:
        progress.note(
            "the pool has too few labels for a probe, so the training is not scored on the way"
        )
    full = config.full
    steps = steps or full.steps or LONGER * config.pretrain.steps
    probe_every = full.probe_every or max(1, -(-steps // LOOKS))
    if full.patience is not None and not bench.draws:
        raise ConfigError("full.patience: needs labels to probe with; leave it out")
    config = config.model_copy(update={"full": full.model_copy(update={"steps": steps})})
    return Prepared(
        recipe=recipe,
        policy=for_channels(recipe.policy, pool.images.channels),
        config=config,
        pool=pool,
        bench=bench,
        source=source,
        directory=Path(),
        steps=steps,
        probe_every=probe_every,
        checkpoint_every=full.checkpoint_every or probe_every,
        patience=full.patience,
        batch_size=batch,
    )


def _device(name: str, ranks: Ranks) -> torch.device:
    """`auto` and `cuda` are a device for each rank of a machine."""
    device = resolve_device(name)
    if ranks.size > 1 and device.type == "cuda" and ":" not in name:
        return resolve_device(f"cuda:{ranks.local}")
    return device


def settled_size(recipe: Recipe) -> StudyConfig:
    """The settings with a size of images where they leave it open.

    Raises:
        ConfigError: nothing says one.
    """
    config = recipe.config
    if config.data.image_size != "auto":
        return config
    if recipe.policy.found_on is None:
        raise ConfigError(
            "data.image_size: auto is measured by a study; say a size in the study file, or name "
            "a finished study with --study"
        )
    size = {"image_size": recipe.policy.found_on.image_size}
    return config.model_copy(update={"data": config.data.model_copy(update=size)})


def as_decoded(config: StudyConfig, image_set: ImageSet) -> StudyConfig:
    """The settings with what was found out about the images, so that others read theirs alike."""
    known: dict[str, object] = {}
    if config.data.channels == "auto" and image_set.channels in (1, 3):
        known["channels"] = "grey" if image_set.channels == 1 else "colour"
    if config.data.window == "auto" and image_set.window is not None:
        known["window"] = image_set.window
    return config.model_copy(update={"data": config.data.model_copy(update=known)})


def sealed_off(
    image_set: ImageSet,
    source: Source,
    config: StudyConfig,
    before: Before | None,
    storage: str,
    progress: Progress,
) -> Pool:
    """The pool of these images: as the study split them, if they are its own; and never what it
    sealed.

    Raises:
        StudyError: they are its own, and how it split them is not known any more.
    """
    known = before.split if before else None
    same = before is not None and source.name == before.source.name
    if before is not None and known is None:
        raise StudyError(
            f"{before.name} has no {SPLIT_FILE} in its directory any more, which says what is "
            "sealed; give its own command again, which writes it"
        )
    pool = pool_of(
        image_set,
        config.data,
        known=known,
        same=same and known is not None and known.whole,
        unlabelled=config.evaluate.label_free,
    )
    for sentence in pool.notes:
        progress.note(sentence)
    opened = find_storage(storage) if before is None else None
    if opened is not None:
        marks = [each for each in content_marks(pool.images) if each]
        for name, count in sealed_before(opened, marks).items():
            remedy = (
                f"begin with --study {name} to leave them out"
                if is_study(opened, name)
                else "name the study that sealed them, if there is one, with --study"
            )
            progress.warn(
                f"{count} images or more of the pool are sealed in {name}, which they judge: "
                f"{remedy}"
            )
    return pool


def given_images(
    asked: str | Path | ImageSet | None,
    known: Source | None,
    config: StudyConfig,
    progress: Progress,
) -> tuple[ImageSet, Source]:
    """The images that a user names, or those of what is gone on from.

    Args:
        known: where these were.

    Raises:
        ConfigError: there is no such folder.
    """
    if isinstance(asked, ImageSet):
        return asked, Source("given", asked.name)
    source = None if asked is None else Source("folder", str(asked))
    if known and (source is None or Path(source.name).resolve() == Path(known.name)):
        source = known
    source = source or Source.embedded()
    if source.kind == "embedded":
        progress.note("no --data given: the embedded inspection surfaces are taken")
        return draw_surfaces(SurfaceSpec(image_size=config.data.side)), source
    folder = Path(source.name)
    if not folder.is_dir():
        raise ConfigError(
            f"--data {folder}: there is no such folder of images"
            if asked is not None
            else f"the images are not at {folder} any more; name them with --data"
        )
    return load_images(folder, config.data, progress=progress.images), source


def directory_for(
    output: str | Path | None, begins: str, what: str, identity: Mapping[str, str]
) -> Path:
    """Where a training writes: as asked, else a place in `runs/` that is its own.

    Args:
        begins: the name of a study or of images.
        what: it is, such as `pretrained`.
    """
    if output is not None:
        return Path(output)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", begins).strip("-.")[:60] or "images"
    return Path("runs") / f"{slug}-{what}-{short_digest(identity)[:6]}"


def short_digest(content: object) -> str:
    """Twelve hex digits of what JSON can say."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
