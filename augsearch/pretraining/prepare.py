"""From what a user asks of a pretraining to everything that it needs, checked."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Bench
from augsearch.data.cache import load_images
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError
from augsearch.pretraining.checkpoint import Checkpoints
from augsearch.pretraining.origin import Origin, find_origin
from augsearch.pretraining.pool import Pool, pool_of
from augsearch.pretraining.request import PretrainRequest
from augsearch.progress import Progress
from augsearch.simclr.device import resolve_device
from augsearch.simclr.ranks import Ranks
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import Policy
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
        patience: probes without a gain before it stops; None for never.
    """

    origin: Origin
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

    @property
    def identity(self) -> dict[str, str]:
        """What two pretrainings share that are the same; values are short."""
        run = self.config.deciding_run()
        run["pretrain"] = {**run["pretrain"], "steps": self.steps}
        run["full"] = [self.probe_every, self.patience] if self.patience else []
        start = self.bench.start
        return {
            "policy": self.policy.digest,
            "settings": short_digest(run),
            "images": self.pool.digest[:12],
            "seed": str(self.bench.seed),
            "weights": "none" if start is None else start.digest[:12],
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
    origin = find_origin(request)
    config = settled_size(origin)
    image_set, source = _images(request, origin, config, progress)
    same = origin.study is not None and source.name == origin.study.source.name
    sides = origin.study.sides if origin.study and same else None
    pool = pool_of(image_set, config.data, sides=sides, unlabelled=config.evaluate.label_free)
    for sentence in (*image_set.notes, *pool.notes):
        progress.note(sentence)
    check_own_encoder(config, pool.images)
    bench = Bench.of_pool(pool.images, config, seed=request.seed, device=device)
    for sentence in bench.start.notes if bench.start else ():
        progress.note(sentence)
    policy = for_channels(origin.policy, pool.images.channels)
    if note := carry_over_note(policy, pool.images.image_size):
        progress.note(note)
    if not bench.draws:
        progress.note(
            "the pool has too few labels for a probe, so that nothing is measured on the way"
        )
    full = config.full
    steps = request.steps or full.steps or LONGER * config.pretrain.steps
    probe_every = full.probe_every or max(1, -(-steps // LOOKS))
    if full.patience is not None and not bench.draws:
        raise ConfigError("full.patience: needs labels to probe with; leave it out")
    prepared = Prepared(
        origin=origin,
        policy=policy,
        config=config,
        pool=pool,
        bench=bench,
        source=source,
        directory=Path(),
        steps=steps,
        probe_every=probe_every,
        checkpoint_every=full.checkpoint_every or probe_every,
        patience=full.patience,
    )
    return replace(prepared, directory=_directory(request, prepared))


def _device(name: str, ranks: Ranks) -> torch.device:
    """`auto` and `cuda` are a device for each rank of a machine."""
    device = resolve_device(name)
    if ranks.size > 1 and device.type == "cuda" and ":" not in name:
        return resolve_device(f"cuda:{ranks.local}")
    return device


def settled_size(origin: Origin) -> StudyConfig:
    """The settings with a size of images where they leave it open.

    Raises:
        ConfigError: nothing says one.
    """
    config = origin.config
    if config.data.image_size != "auto":
        return config
    if origin.policy.found_on is None:
        raise ConfigError(
            "data.image_size: auto is measured by a study; say a size in the study file, or name "
            "a finished study with --study"
        )
    size = {"image_size": origin.policy.found_on.image_size}
    return config.model_copy(update={"data": config.data.model_copy(update=size)})


def _images(
    request: PretrainRequest, origin: Origin, config: StudyConfig, progress: Progress
) -> tuple[ImageSet, Source]:
    if isinstance(request.data, ImageSet):
        return request.data, Source("given", request.data.name)
    known = origin.study.source if origin.study else None
    return given_images(request.data, known, config, progress)


def given_images(
    asked: str | Path | None, known: Source | None, config: StudyConfig, progress: Progress
) -> tuple[ImageSet, Source]:
    """The images that a user names, or those of what is gone on from.

    Args:
        known: where these were.

    Raises:
        ConfigError: there is no such folder.
    """
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


def _directory(request: PretrainRequest, prepared: Prepared) -> Path:
    if request.output is not None:
        return Path(request.output)
    study = prepared.origin.study
    begins = study.name if study else prepared.pool.images.name
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", begins).strip("-.")[:60] or "images"
    return Path("runs") / f"{slug}-pretrained-{short_digest(prepared.identity)[:6]}"


def short_digest(content: object) -> str:
    """Twelve hex digits of what JSON can say."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
