"""From what a user asks of a pilot to everything that it needs, checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from augsearch.augment.baselines import BASELINES, for_channels
from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import content_marks
from augsearch.errors import ConfigError, DataError
from augsearch.finetuning.prepare import check_good
from augsearch.model_sections import PilotConfig
from augsearch.piloting.regimes import (
    Regime,
    beginning,
    from_nothing,
    say_rates,
    weights_of,
    with_weights,
)
from augsearch.piloting.request import PilotRequest
from augsearch.piloting.result import RESULT_FILE
from augsearch.piloting.ways import Begin, Way, ways_of
from augsearch.pretraining.pool import Pool, sealed_of
from augsearch.pretraining.prepare import (
    as_decoded,
    directory_for,
    given_images,
    sealed_off,
    settled_size,
    short_digest,
)
from augsearch.pretraining.recipe import Recipe, find_recipe
from augsearch.pretraining.request import PretrainRequest
from augsearch.progress import Progress
from augsearch.simclr.device import resolve_device
from augsearch.simclr.encoders.config import PRETRAINED, SCRATCH, EncoderConfig
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import load_policy
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.study_sections import from_flags

USUAL = "SimCLR s=0.5"
"""The baseline where no study says which is best."""
POLICY_FILE, STUDY_FILE = "policy.yaml", "study.json"


@dataclass(frozen=True)
class Prepared:
    """A pilot that could start now.

    Attributes:
        recipe: the found policy, the settings, and the study that it is of.
        asked: the settings as they go to another plant, which reads its own images.
        baseline: name of the published policy beside it; None if that is the found one.
        counts: labels of each class.
        steps: optimiser steps of a pretraining; None for what the settings say.
    """

    recipe: Recipe
    asked: StudyConfig
    baseline: str | None
    regimes: Mapping[Begin, Regime]
    ways: tuple[Way, ...]
    counts: tuple[int, ...]
    source: Source
    directory: Path
    seed: int
    device: torch.device
    steps: int | None

    @property
    def config(self) -> StudyConfig:
        return self.recipe.config

    @property
    def pilot(self) -> PilotConfig:
        return self.config.pilot

    @property
    def search_seconds(self) -> float:
        """Of computing that the found policy took; 0 if it was searched for elsewhere."""
        study = self.recipe.study
        found = study is not None and study.winner.digest == self.recipe.policy.digest
        return study.seconds if study and found else 0.0

    @property
    def images(self) -> ImageSet:
        """The pool, as an encoder from nothing sees it."""
        return self.regimes["nothing"].pool.images

    @property
    def sealed(self) -> ImageSet:
        return self.regimes["nothing"].sealed

    @property
    def identity(self) -> dict[str, str]:
        """What two pilots share whose runs can stand for each other; values are short. More labels
        or more seeds are more of the same."""
        settings = [
            regime.config.deciding_run()
            | {"full": regime.config.full.model_dump(mode="json"), "steps": self.steps}
            | {"finetune": regime.config.finetune.model_dump(mode="json", exclude=NOT_HERE)}
            for regime in self.regimes.values()
        ]
        policies = {
            way.key: [way.views.digest, way.simclr.digest if way.simclr else ""]
            for way in self.ways
        }
        return {
            "policies": short_digest(policies),
            "settings": short_digest(settings),
            "images": self.regimes["nothing"].pool.digest[:12],
            "sealed": _in_order(self.sealed),
            "weights": short_digest([regime.weights for regime in self.regimes.values()]),
            "seed": str(self.seed),
        }


def _in_order(images: ImageSet) -> str:
    """Twelve hex digits of these very images in this order: answers are kept in it."""
    if images.keys:
        return short_digest(content_marks(images))
    return hashlib.sha256(np.ascontiguousarray(images.images).tobytes()).hexdigest()[:12]


NOT_HERE = {"labels", "mode", "seeds", "folds", "combine", "good", "miss_rate"}
"""Of the section `finetune`, what a pilot decides itself or what changes no network."""


def prepare(request: PilotRequest, progress: Progress) -> Prepared:
    """Resolve and check everything.

    Raises:
        AugsearchError: what is wrong, in one line.
    """
    check_request(request)
    device = resolve_device(request.device)
    recipe = _recipe(request)
    config = asked = _asked(settled_size(recipe), request)
    known = recipe.study.source if recipe.study else None
    image_set, source = given_images(request.data, known, config, progress)
    for sentence in image_set.notes:
        progress.note(sentence)
    config = _without_patience(as_decoded(config, image_set))
    before = recipe.study.before if recipe.study else None
    pool = sealed_off(image_set, source, config, before, request.storage, progress)
    sealed = _sealed(image_set, pool, progress)
    recipe = replace(recipe, config=config)
    check_good(config.finetune, pool.images)
    nothing = from_nothing(config)
    regimes: dict[Begin, Regime] = {"nothing": Regime(nothing, pool, sealed, SCRATCH)}
    weights = weights_of(config, request)
    if weights is not None:
        regimes["weights"] = with_weights(
            beginning(config, weights), request, recipe, regimes["nothing"], source, progress
        )
    else:
        progress.note(
            "no pretrained weights are compared: name some with --weights, because they may do "
            "without any of this"
        )
    for regime in regimes.values():
        if note := carry_over_note(recipe.policy, regime.pool.images.image_size):
            progress.note(note)
    say_rates(regimes, progress)
    baseline = _baseline(recipe, config, pool.images.channels, progress)
    prepared = Prepared(
        recipe=recipe,
        asked=_handed_on(asked, recipe, weights, request),
        baseline=baseline,
        regimes=regimes,
        ways=ways_of(
            for_channels(recipe.policy, pool.images.channels),
            for_channels(BASELINES[baseline], pool.images.channels) if baseline else None,
            weights=weights is not None,
        ),
        counts=_counts(pool.images, config.pilot, progress),
        source=source,
        directory=Path(),
        seed=request.seed,
        device=device,
        steps=request.steps,
    )
    begins = recipe.study.name if recipe.study else pool.images.name
    directory = directory_for(request.output, begins, "pilot", prepared.identity)
    return replace(prepared, directory=directory)


def check_request(request: PilotRequest) -> None:
    """What can be seen before a search that may come first.

    Raises:
        ConfigError: what is wrong, in one line.
    """
    if request.seed < 0:
        raise ConfigError(f"--seed {request.seed}: must be 0 or more")
    if request.steps is not None and request.steps < 1:
        raise ConfigError(f"--steps {request.steps}: must be 1 or more")
    if request.policy_from is not None and request.policy is not None:
        raise ConfigError("--policy-from: names a policy, and so does --policy; give one of them")
    _asked(StudyConfig(), request)
    if request.baseline is not None:
        _published(request.baseline)
    weights = None if request.weights is None else str(request.weights)
    if weights not in (None, SCRATCH, PRETRAINED) and not Path(str(weights)).is_file():
        raise ConfigError(
            f"--weights {weights}: there is no such file; want none, pretrained or a file of "
            "weights"
        )


def _recipe(request: PilotRequest) -> Recipe:
    """The policy that was found, and the settings."""
    asked = PretrainRequest(request.policy, study=request.study, storage=request.storage)
    if request.policy_from is None:
        return find_recipe(asked)
    directory = Path(request.policy_from)
    if not (directory / RESULT_FILE).is_file():
        raise ConfigError(
            f"--policy-from {directory}: holds no {RESULT_FILE}; name the directory of a finished "
            "pilot"
        )
    policy = load_policy(directory / POLICY_FILE)
    if request.study is not None:
        found = find_recipe(replace(asked, policy=policy))
        return replace(found, policy_source=f"pilot {directory}")
    if request.data is None:
        raise ConfigError("--policy-from: name the images of this plant as well, with --data")
    config = load_study_config(directory / STUDY_FILE)
    return Recipe(policy, f"pilot {directory}", config, f"pilot {directory}", None)


def _asked(config: StudyConfig, request: PilotRequest) -> StudyConfig:
    """The settings with what the user says beside them."""
    said: dict[str, Any] = {
        name: getattr(request, name)
        for name in ("labels", "seeds", "baseline", "label_seconds", "label_rate", "machine_rate")
    }
    said["currency"] = request.currency
    content = config.pilot.model_dump() | {k: v for k, v in said.items() if v is not None}
    pilot = from_flags(PilotConfig, content)
    finetune = config.finetune
    if request.good is not None:
        finetune = finetune.model_copy(update={"good": request.good})
    return config.model_copy(update={"pilot": pilot, "finetune": finetune})


def _sealed(image_set: ImageSet, pool: Pool, progress: Progress) -> ImageSet:
    sealed, missing = sealed_of(image_set, pool)
    if len(np.unique(sealed.labels)) < 2:
        raise DataError(
            "a pilot is judged on sealed images of at least two classes with labels, and there are "
            "none; label more images"
        )
    if missing:
        progress.warn(f"{missing} sealed images are missing; the others are used")
    absent = sorted(set(range(len(pool.images.classes))) - set(sealed.labels.tolist()))
    if absent:
        names = ", ".join(pool.images.classes[place] for place in absent)
        progress.warn(f"classes without a sealed image, which cannot be judged: {names}")
    return sealed


def _counts(pool: ImageSet, wanted: PilotConfig, progress: Progress) -> tuple[int, ...]:
    """The numbers of labels that every class has."""
    each = np.bincount(pool.labelled_pictures, minlength=len(pool.classes))
    least, rarest = int(each.min()), pool.classes[int(each.argmin())]
    counts = tuple(count for count in wanted.labels if count <= least)
    if not counts:
        raise DataError(
            f"--labels {wanted.labels[0]}: the class {rarest} has {least} labelled images outside "
            "the sealed test; label more, ask for fewer, or leave the class out"
        )
    if left := wanted.labels[len(counts) :]:
        progress.note(
            f"left out, as there are too few labels: {', '.join(map(str, left))} of each class; "
            f"{rarest} has {least} outside the sealed test"
        )
    return counts


def _baseline(recipe: Recipe, config: StudyConfig, channels: int, progress: Progress) -> str | None:
    """Name of the published policy that stands beside the found one."""
    study = recipe.study
    name = _published(config.pilot.baseline or (study.baseline if study else None) or USUAL)
    published, found = (for_channels(p, channels) for p in (BASELINES[name], recipe.policy))
    if published.digest == found.digest:
        progress.note(
            f"the found policy is {name} itself, so no published policy is compared with it"
        )
        return None
    return name


def _published(wanted: str) -> str:
    known = {name.casefold(): name for name in BASELINES}
    if wanted.casefold() not in known:
        raise ConfigError(
            f"--baseline {wanted}: there is no such published policy; there are "
            f"{', '.join(BASELINES)}"
        )
    return known[wanted.casefold()]


def _without_patience(config: StudyConfig) -> StudyConfig:
    """No early stop, which would choose an encoder by labels that a classifier does not have."""
    return config.model_copy(update={"full": config.full.model_copy(update={"patience": None})})


def _handed_on(
    config: StudyConfig, recipe: Recipe, weights: EncoderConfig | None, request: PilotRequest
) -> StudyConfig:
    """The settings for another plant: with what was said beside them, and without what is known of
    these images alone."""
    pilot = config.pilot
    if weights is not None and not config.encoder.is_pretrained:
        pilot = pilot.model_copy(update={"weights": weights})
    full = config.full
    if request.steps is not None:
        full = full.model_copy(update={"steps": request.steps})
    open_ = {"channels": "auto", "window": "auto"} if recipe.study else {}
    return config.model_copy(
        update={
            "pilot": pilot,
            "full": full,
            "data": config.data.model_copy(update=open_),
            "finetune": config.finetune.model_copy(update={"good": None}),
        }
    )
