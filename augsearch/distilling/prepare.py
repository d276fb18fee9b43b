"""From what a user asks of a distillation to everything that it needs, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Bench
from augsearch.data.imageset import ImageSet
from augsearch.distilling.request import TEMPERATURE, DistillRequest
from augsearch.distilling.students import count, student_of
from augsearch.errors import ConfigError
from augsearch.finetuning.classifier import (
    Classifier,
    ItsImages,
    open_classifier,
    open_images,
    read_uses,
)
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.outputs import LEARNT
from augsearch.finetuning.prepare import Prepared
from augsearch.pretraining.prepare import directory_for, short_digest
from augsearch.progress import Progress
from augsearch.simclr.device import resolve_device
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.space.policy import load_policy

APART = 0.1
"""Share of the parts that the teacher has not learnt from which the student does not see."""
LONGER = 10
"""Steps where none are said, as a multiple of the teacher's."""


@dataclass(frozen=True)
class Lesson:
    """A distillation that could start now.

    Attributes:
        prepared: the student, as a fine-tuning of the teacher's labels: what its files are made
            of.
        apart: rows of the pool that the student does not see, so that what it says of them is
            what it says of new images: those of the threshold, and some for the temperature.
        parameters: of all of the teacher's networks, and of the student.
    """

    teacher: Classifier
    images: ItsImages
    prepared: Prepared
    apart: Rows
    steps: int
    temperature: float
    parameters: tuple[int, int]
    identity: dict[str, str]


def prepare(request: DistillRequest, progress: Progress) -> Lesson:
    """Resolve and check everything.

    Raises:
        AugsearchError: what is wrong, in one line.
    """
    if request.policy is not None:
        raise ConfigError(
            "--policy: the policy in the classifier's directory is taken; leave it out"
        )
    temperature = TEMPERATURE if request.temperature is None else request.temperature
    if not 0.1 <= temperature <= 100:
        raise ConfigError(f"--temperature {temperature:g}: must lie between 0.1 and 100")
    device = resolve_device(request.device)
    teacher = open_classifier(Path(str(request.teacher)))
    encoder = student_of(request)
    parameters = _sizes(teacher, encoder, request.student)
    images = open_images(teacher, request.data, request.storage, progress=progress)
    config = teacher.config.model_copy(update={"encoder": encoder})
    bench = Bench.of_pool(images.pool.images, config, seed=request.seed, device=device)
    for sentence in bench.start.notes if bench.start else ():
        progress.note(sentence)
    policy = load_policy(teacher.directory / "policy.yaml")
    steps = request.steps or LONGER * config.finetune.steps
    uses = read_uses(teacher.directory)
    said = np.array([uses.get(path, "") for path in images.pool.images.paths])
    for_threshold = np.flatnonzero(said == "threshold")
    apart = _apart(images.pool.images, for_threshold, images.seen, request.seed)
    start = "nothing" if bench.start is None else "weights"
    identity = {
        "teacher": short_digest([teacher.found.identity, teacher.found.encoder]),
        "student": short_digest(encoder.model_dump(mode="json")),
        "weights": "none" if bench.start is None else bench.start.digest[:12],
        "images": images.pool.digest[:12],
        "lesson": short_digest([steps, temperature, request.seed]),
    }
    if not len(apart):
        progress.note(
            "the teacher has learnt from all images of the pool, so that none is set apart: the "
            "student's temperature is found on images that it has seen"
        )
    begins = teacher.found.study or images.pool.images.name
    prepared = Prepared(
        policy=for_channels(policy, images.pool.images.channels),
        config=config,
        pool=images.pool,
        bench=bench,
        rows=np.setdiff1d(np.flatnonzero(said == LEARNT), apart),
        folds=(),
        for_threshold=for_threshold,
        sealed=images.sealed,
        source=images.source,
        start=f"{start}, taught by {teacher.directory}",
        study=teacher.found.study,
        directory=Path(directory_for(request.output, begins, "distilled", identity)),
        seen=np.setdiff1d(np.arange(len(images.pool.images)), apart),
    )
    return Lesson(teacher, images, prepared, apart, steps, temperature, parameters, identity)


def _apart(pool: ImageSet, for_threshold: Rows, seen: Rows, seed: int) -> Rows:
    """All images of the parts of the threshold, and of some other parts, if there are any that the
    teacher has not learnt from either."""
    groups = pool.groups
    new = np.setdiff1d(groups, groups[seen])
    drawn = np.random.default_rng(seed).permutation(new)[: max(1, round(APART * len(new)))]
    return np.flatnonzero(np.isin(groups, [*drawn, *groups[for_threshold]]))


def _sizes(teacher: Classifier, encoder: EncoderConfig, name: str) -> tuple[int, int]:
    """Parameters of the teacher and of the student.

    Raises:
        ConfigError: the student is no smaller.
    """
    found = teacher.found
    body = build_encoder(encoder, found.channels, found.image_size)
    student = count(body) + (body.feature_dim + 1) * len(found.classes)
    whole = sum(map(count, teacher.networks))
    if student >= whole:
        raise ConfigError(
            f"--student {name}: has {student:,} parameters and the teacher {whole:,}; "
            "name a smaller one"
        )
    return whole, student
