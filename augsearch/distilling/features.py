"""A small encoder that learns a larger one's features: what it needs, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.data.imageset import ImageRows, ImageSet
from augsearch.distilling.compare import NOTHING, Worth, compared
from augsearch.distilling.request import DistillRequest
from augsearch.distilling.students import count, student_of
from augsearch.errors import ConfigError, StudyError
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.pictures import pooled
from augsearch.evaluate.probe import probe_probabilities
from augsearch.finetuning.labels import Rows
from augsearch.pretraining.opened import open_pretrained
from augsearch.pretraining.pool import sealed_of
from augsearch.pretraining.prepare import (
    Prepared,
    as_decoded,
    directory_for,
    given_images,
    ready,
    sealed_off,
    settled_size,
)
from augsearch.pretraining.recipe import Before, Recipe, find_recipe, names_study
from augsearch.pretraining.request import PretrainRequest
from augsearch.pretraining.result import RESULT_FILE
from augsearch.progress import Progress
from augsearch.simclr.device import resolve_device
from augsearch.simclr.encoders.build import Encoder, build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.start import load_start
from augsearch.simclr.feature_teacher import FeatureTeacher


@dataclass(frozen=True)
class FeatureLesson:
    """A distillation of features that could start now.

    Attributes:
        prepared: the student's pretraining, which has the teacher in it.
        encoder: the teacher's network.
        normalised: mean and deviation that the teacher's images are normalised by.
        sealed: with labels; empty if there are no such images.
        parameters: of the teacher and of the student.
    """

    prepared: Prepared
    encoder: EncoderConfig
    normalised: tuple[tuple[float, ...], tuple[float, ...]]
    sealed: ImageSet
    parameters: tuple[int, int]

    @property
    def teacher(self) -> FeatureTeacher:
        """The one that is learnt from."""
        assert self.prepared.teacher is not None
        return self.prepared.teacher


@dataclass(frozen=True)
class _Found:
    """Teacher and settings, as they were named."""

    recipe: Recipe
    name: str
    before: Before | None
    study: str | None


def prepare_features(request: DistillRequest, progress: Progress) -> FeatureLesson:
    """Resolve and check everything.

    Raises:
        AugsearchError: what is wrong, in one line.
    """
    if request.temperature is not None:
        raise ConfigError(
            "--temperature: softens a classifier's answers; this teacher is an encoder, whose "
            "features are learnt"
        )
    device = resolve_device(request.device)
    found = _found(request)
    config, teacher = found.recipe.config, found.recipe.config.encoder
    known = found.before.source if found.before else None
    image_set, source = given_images(request.data, known, config, progress)
    for sentence in image_set.notes:
        progress.note(sentence)
    config = as_decoded(config, image_set)
    pool = sealed_off(image_set, source, config, found.before, request.storage, progress)
    images = pool.images
    start = load_start(teacher, images.channels, images.image_size)
    assert start is not None
    encoder = build_encoder(teacher, images.channels, images.image_size, start.state)
    student = student_of(request)
    sizes = count(encoder), count(build_encoder(student, images.channels, images.image_size))
    if sizes[1] >= sizes[0]:
        raise ConfigError(
            f"--student {request.student}: has {sizes[1]:,} parameters and the teacher "
            f"{sizes[0]:,}; name a smaller one"
        )
    prepared = ready(
        replace(found.recipe, config=config.model_copy(update={"encoder": student})),
        pool,
        source,
        seed=request.seed,
        device=device,
        steps=request.steps,
        progress=progress,
    )
    bench = prepared.bench
    normalised = (start.mean, start.std) if start.mean else (bench.mean, bench.std)
    seen = extract_features(
        encoder.to(device),
        ImageRows(images.images, np.arange(len(images))),
        *normalised,
        device=device,
    )
    prepared = replace(
        prepared,
        teacher=FeatureTeacher.of(
            found.name,
            start.digest,
            encoder,
            torch.from_numpy(seen),
            normalised=normalised,
            student=(bench.mean, bench.std),
            device=device,
        ),
    )
    begins = found.study or images.name
    directory = directory_for(request.output, begins, "distilled", prepared.identity)
    prepared = replace(prepared, directory=directory)
    sealed, missing = sealed_of(image_set, pool)
    if missing and len(sealed):
        progress.warn(f"{missing} sealed images are missing; the others are used")
    return FeatureLesson(prepared, teacher, normalised, sealed, sizes)


def _found(request: DistillRequest) -> _Found:
    directory = Path(str(request.teacher))
    if (directory / RESULT_FILE).is_file():
        opened = open_pretrained(directory)
        policy, source = opened.found.policy, f"pretraining {directory}"
        if request.policy is not None:
            other = find_recipe(PretrainRequest(request.policy, storage=request.storage))
            policy, source = other.policy, other.policy_source
        recipe = Recipe(policy, source, opened.config, str(directory), None)
        return _Found(recipe, str(directory), opened.before, opened.found.study)
    if directory.is_dir():
        raise ConfigError(
            f"{directory}: holds neither finetune.json nor {RESULT_FILE}; name a directory that "
            "`finetune` or `pretrain` has ended in, or a study whose encoder begins with weights"
        )
    asked = PretrainRequest(request.policy, study=request.teacher, storage=request.storage)
    try:
        recipe = find_recipe(asked)
    except StudyError as error:
        if not names_study(request.teacher):
            raise
        ended = "or a directory that `finetune` or `pretrain` has ended in"
        raise StudyError(f"{error}, {ended}") from None
    recipe = replace(recipe, config=settled_size(recipe))
    encoder, study = recipe.config.encoder, recipe.study
    if not encoder.is_pretrained:
        raise ConfigError(
            f"{request.teacher}: its encoder begins from nothing, so that it has nothing to teach; "
            "name weights in `encoder.weights`"
        )
    name = f"{encoder.called} ({recipe.settings_source})"
    return _Found(recipe, name, study.before if study else None, study.name if study else None)


def judge(lesson: FeatureLesson, student: Encoder) -> Worth:
    """What a linear classifier with all labels of the pool makes of either's features.

    Nothing, where the pool has labels of fewer than two classes or no sealed image has one.
    """
    images, sealed = lesson.prepared.pool.images, lesson.sealed
    fit = np.flatnonzero(images.labels >= 0)
    if not len(sealed) or len(np.unique(images.labels[fit])) < 2:
        return NOTHING
    bench = lesson.prepared.bench
    rows, before = _guesses(lesson, lesson.teacher.encoder, lesson.normalised, fit)
    _, after = _guesses(lesson, student, (bench.mean, bench.std), fit)
    return compared(sealed, rows, before, after)


def _guesses(
    lesson: FeatureLesson,
    encoder: Encoder,
    normalised: tuple[tuple[float, ...], tuple[float, ...]],
    fit: Rows,
) -> tuple[Rows, NDArray[np.int64]]:
    """One row of the sealed images for each picture, and the class that is guessed."""
    prepared, sealed = lesson.prepared, lesson.sealed
    pool, device = prepared.pool.images, prepared.bench.device
    encoder = encoder.to(device)
    features = np.concatenate(
        [
            extract_features(encoder, ImageRows(images.images, rows), *normalised, device=device)
            for images, rows in ((pool, fit), (sealed, np.arange(len(sealed))))
        ]
    )
    labels = np.concatenate([pool.labels[fit], sealed.labels])
    places = np.arange(len(labels))
    learnt, score = places[: len(fit)], places[len(fit) :]
    wanted = prepared.config.evaluate
    said = probe_probabilities(features, labels, learnt, score, wanted.c, len(sealed.classes))
    rows, said = pooled(score - len(fit), said, sealed.pictures)
    return rows, said.argmax(axis=1)
