"""From what a user asks of a fine-tuning to everything that it needs, checked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Bench
from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError
from augsearch.finetuning.labels import Rows, folds_of, labelled_rows, set_apart
from augsearch.finetuning.request import FinetuneRequest
from augsearch.finetuning.result import AS_THEY_ARE
from augsearch.model_sections import FinetuneConfig
from augsearch.pretraining.opened import open_pretrained
from augsearch.pretraining.pool import Pool, sealed_of
from augsearch.pretraining.prepare import (
    as_decoded,
    directory_for,
    given_images,
    sealed_off,
    settled_size,
    short_digest,
)
from augsearch.pretraining.recipe import Before, find_recipe, names_study
from augsearch.pretraining.request import PretrainRequest
from augsearch.pretraining.result import RESULT_FILE
from augsearch.progress import Progress
from augsearch.simclr.device import resolve_device
from augsearch.space.policy import Policy
from augsearch.stats.proportions import fewest_defects
from augsearch.study.prepare import check_own_encoder
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig
from augsearch.study_sections import from_flags

NONE = "none"
FROM_WEIGHTS, FROM_NOTHING = 0.001, 0.002
"""Peak learning rates, as for pretraining: docs/starts.md."""


@dataclass(frozen=True)
class Prepared:
    """A fine-tuning that could start now.

    Attributes:
        policy: what the labelled images are seen through, unless `plain`.
        undecided: nobody named the policy, so held-out folds say whether they are seen through it.
        plain: they are seen as they are.
        bench: of the pool alone; its encoder starts from `bench.start`.
        rows: of the pool, what is learnt from.
        folds: the same in parts; empty where none can be held out.
        for_threshold: of the pool, labelled as well, what finds the threshold and is not learnt
            from; empty without one.
        sealed: the labelled sealed images, for the end; empty if they are not there.
        start: what the encoder begins with, for people.
        seen: of the pool, what else is trained on, without its labels: by a student.
    """

    policy: Policy
    config: StudyConfig
    pool: Pool
    bench: Bench
    rows: Rows
    folds: tuple[Rows, ...]
    for_threshold: Rows
    sealed: ImageSet
    source: Source
    start: str
    study: str | None
    directory: Path
    seen: Rows = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    undecided: bool = False
    plain: bool = False

    @property
    def views(self) -> Policy:
        """What the labelled images are seen through."""
        return AS_THEY_ARE if self.plain else self.policy

    @property
    def wanted(self) -> FinetuneConfig:
        return self.config.finetune

    @property
    def identity(self) -> dict[str, str]:
        """What two fine-tunings share that are the same; values are short."""
        run = self.config.deciding_run()
        start = self.bench.start
        unused = {"good", "miss_rate"} | (set() if len(self.for_threshold) else {"threshold_share"})
        return {
            "policy": self.policy.digest,
            "settings": short_digest(
                {key: run[key] for key in ("data", "encoder", "compute")}
                | {"precision": self.config.pretrain.precision}
                | self.wanted.model_dump(mode="json", exclude=unused)
            ),
            "images": self.pool.digest[:12],
            "seed": str(self.bench.seed),
            "weights": "none" if start is None else start.digest[:12],
            **({"views": "chosen"} if self.undecided else {}),
        }


def prepare(request: FinetuneRequest, progress: Progress) -> Prepared:
    """Resolve and check everything.

    Raises:
        AugsearchError: what is wrong, in one line.
    """
    if request.seed < 0:
        raise ConfigError(f"--seed {request.seed}: must be 0 or more")
    device = resolve_device(request.device)
    found = _from_directory(request) if request.pretrained is not None else _from_study(request)
    config = _asked(found.config, request)
    known = found.before.source if found.before else None
    image_set, source = given_images(request.data, known, config, progress)
    for sentence in image_set.notes:
        progress.note(sentence)
    config = as_decoded(config, image_set)
    pool = sealed_off(image_set, source, config, found.before, request.storage, progress)
    check_own_encoder(config, pool.images)
    bench = Bench.of_pool(pool.images, config, seed=request.seed, device=device)
    for sentence in bench.start.notes if bench.start else ():
        progress.note(sentence)
    rows = labelled_rows(pool.images, config.finetune.labels, request.seed)
    absent = set(range(len(pool.images.classes))) - set(pool.images.labels[rows].tolist())
    if absent:
        names = ", ".join(pool.images.classes[place] for place in sorted(absent))
        progress.warn(f"classes without a label to learn from, which are never predicted: {names}")
    check_good(config.finetune, pool.images)
    rows, for_threshold = _with_threshold(pool.images, rows, config, request.seed, progress)
    folds = folds_of(pool.images, rows, config.finetune.folds, request.seed)
    if config.finetune.combine == "soup" and bench.start is None:
        raise ConfigError(
            "finetune.combine: soup is the mean of networks that begin alike, from weights; from "
            "nothing use ensemble, single or auto"
        )
    if not folds:
        progress.warn(
            "a class has labelled images of one group only, so that none can be held out: the "
            "probabilities are not calibrated; label more"
        )
    undecided = request.policy is None and any(found.policy.views)
    if undecided and not folds:
        progress.note(
            "labelled images are seen as they are, because no fold can be held out that would say "
            "whether a policy helps; --policy names one"
        )
    prepared = Prepared(
        policy=for_channels(found.policy, pool.images.channels),
        config=config,
        pool=pool,
        bench=bench,
        rows=rows,
        folds=folds,
        for_threshold=for_threshold,
        sealed=_sealed(image_set, pool, progress),
        source=source,
        start=found.start,
        study=found.study,
        directory=Path(),
        undecided=undecided,
        plain=undecided and not folds,
    )
    unseen = set(range(len(pool.images.classes))) - set(prepared.sealed.labels.tolist())
    if unseen and len(prepared.sealed):
        names = ", ".join(pool.images.classes[place] for place in sorted(unseen))
        progress.warn(f"no image of these classes is sealed, so nothing is known of them: {names}")
    begins = found.study or pool.images.name
    directory = directory_for(request.output, begins, "finetuned", prepared.identity)
    return replace(prepared, directory=directory)


@dataclass(frozen=True)
class _Found:
    """Where a fine-tuning begins."""

    policy: Policy
    config: StudyConfig
    before: Before | None
    start: str
    study: str | None


def _from_directory(request: FinetuneRequest) -> _Found:
    """An encoder that `augsearch pretrain` has left."""
    directory = Path(str(request.pretrained))
    path = directory / RESULT_FILE
    if not path.is_file():
        raise ConfigError(
            f"{directory}: holds no {RESULT_FILE}; name a directory that `augsearch pretrain` "
            "ended in, or a study file with --study whose `encoder` says what to begin with"
        )
    opened = open_pretrained(directory)
    found, config = opened.found, opened.config
    if request.study is not None:
        asked = PretrainRequest(AS_THEY_ARE, study=request.study, storage=request.storage)
        wanted = find_recipe(asked).config
        config = config.model_copy(update={"finetune": wanted.finetune})
    policy = found.policy if request.policy is None else _named(request)
    return _Found(
        policy=policy,
        config=config,
        before=opened.before,
        start=f"pretrained under {found.policy.name} ({directory})",
        study=found.study,
    )


def _from_study(request: FinetuneRequest) -> _Found:
    """An encoder as a study file says: from weights, or from nothing."""
    policy = request.policy
    if str(policy) == NONE or (policy is None and not names_study(request.study)):
        policy = AS_THEY_ARE
    recipe = find_recipe(PretrainRequest(policy, study=request.study, storage=request.storage))
    encoder = settled_size(recipe).encoder
    return _Found(
        policy=recipe.policy,
        config=settled_size(recipe),
        before=recipe.study.before if recipe.study else None,
        start="weights as they came" if encoder.is_pretrained else "nothing",
        study=recipe.study.name if recipe.study else None,
    )


def _named(request: FinetuneRequest) -> Policy:
    if str(request.policy) == NONE:
        return AS_THEY_ARE
    return find_recipe(PretrainRequest(request.policy, storage=request.storage)).policy


def _asked(config: StudyConfig, request: FinetuneRequest) -> StudyConfig:
    """The settings with what the user says beside them."""
    said = {
        "labels": request.labels,
        "mode": request.mode,
        "good": request.good,
        "miss_rate": request.miss_rate,
    }
    if request.miss_rate is not None and (request.good or config.finetune.good) is None:
        raise ConfigError("--miss-rate: name the class without a defect as well, with --good")
    content = config.finetune.model_dump() | {k: v for k, v in said.items() if v is not None}
    content["learning_rate"] = rate_of(config.finetune, config)
    wanted = from_flags(FinetuneConfig, content)
    return config.model_copy(update={"finetune": wanted})


def rate_of(wanted: FinetuneConfig, config: StudyConfig) -> float:
    """The peak learning rate: as it is set, else by what the encoder begins with."""
    return wanted.learning_rate or (FROM_WEIGHTS if config.encoder.is_pretrained else FROM_NOTHING)


def check_good(wanted: FinetuneConfig, pool: ImageSet) -> None:
    """Raises ConfigError if the class without a defect, if one is named, is not in the pool."""
    if wanted.good is None:
        return
    if wanted.good not in pool.classes:
        raise ConfigError(
            f"--good {wanted.good}: there is no such class; there are {', '.join(pool.classes)}"
        )
    if not (pool.labels == pool.classes.index(wanted.good)).any():
        raise ConfigError(f"--good {wanted.good}: the pool has no labelled image of that class")


def _with_threshold(
    pool: ImageSet, rows: Rows, config: StudyConfig, seed: int, progress: Progress
) -> tuple[Rows, Rows]:
    """What is learnt from, and what finds the threshold: none of it if no good class is named, or
    if it could promise nothing."""
    wanted = config.finetune
    if wanted.good is None:
        return rows, rows[:0]
    learnt, apart = set_apart(pool, rows, wanted.threshold_share, seed)
    defects = apart[pool.labels[apart] != pool.classes.index(wanted.good)]
    parts, needed = len(np.unique(pool.groups[defects])), fewest_defects(wanted.miss_rate)
    if parts < needed:
        progress.warn(
            f"--miss-rate {wanted.miss_rate:g}: no threshold can be found. It needs {needed} "
            f"defective parts that are not learnt from, and {wanted.threshold_share:g} of the "
            f"labelled ones are {parts}; label more, allow a higher rate, or raise "
            "finetune.threshold_share"
        )
        return rows, rows[:0]
    if wanted.labels != "all":
        progress.warn(
            "the threshold assumes as many defects of each class, as in the labels; "
            "--labels all keeps the pool's mix"
        )
    return learnt, apart


def _sealed(image_set: ImageSet, pool: Pool, progress: Progress) -> ImageSet:
    """The labelled images on the other side of the seal."""
    sealed, missing = sealed_of(image_set, pool)
    if missing and len(sealed):
        progress.warn(
            f"{missing} sealed images are missing; the classifier is evaluated on the others"
        )
    elif not len(sealed):
        progress.warn(
            "there are no sealed images with a label, so the classifier cannot be evaluated on "
            "images that it has not seen"
        )
    return sealed
