"""`augsearch distill`: a small network that learns from a larger one, without labels."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from augsearch.data.imageset import ImageSet
from augsearch.distilling.compare import compared
from augsearch.distilling.prepare import Lesson, prepare
from augsearch.distilling.request import DistillRequest
from augsearch.distilling.result import RESULT_FILE, Distilled, Network
from augsearch.engines.processes import cpu_threads
from augsearch.errors import ConfigError, OutputError
from augsearch.files import held_directory, json_bytes, write_files
from augsearch.finetuning.classifier import Classifier, holds_classifier
from augsearch.finetuning.combine import said
from augsearch.finetuning.judge import Calibration, find_limit, worth
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.members import Logits, State, training_of
from augsearch.finetuning.outputs import labels_of, output_files, sealed_files, stale_files
from augsearch.finetuning.result import Finetuned
from augsearch.pretraining.pool import rows_of
from augsearch.progress import Progress, step_listener
from augsearch.simclr.ranks import only_one_process
from augsearch.simclr.supervised import LabelledImages, Teacher, train_supervised
from augsearch.space.policy import Policy
from augsearch.stats.calibration import match_temperature, tempered
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study_file import StudyConfig
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.live import LiveRun
from augsearch.verbs.distill_features import distill_features
from augsearch.verbs.looks import count_look
from augsearch.verbs.place import check_place
from augsearch.verbs.shown import shown_run
from augsearch.watch.watched import watched


# Public, and the one place where its arguments are explained.
def distill(
    teacher: str | Path | StudyConfig,
    *,
    student: str = "tiny",
    weights: str | Path | None = None,
    policy: str | Path | Policy | None = None,
    data: str | Path | ImageSet | None = None,
    steps: int | None = None,
    temperature: float | None = None,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> Distilled:
    """Train a small network to answer as a larger one does, on all images and without labels.

    It sees them through the teacher's policy. Of a classifier it learns the answers, and its
    directory is that of a classifier, for `deploy`, `explain` and `embed`. Of an encoder it learns
    the features, and its directory is that of an encoder, for `finetune`; interrupted, it resumes
    from its last checkpoint.

    Args:
        teacher: a directory that `finetune` or `pretrain` has ended in; or a finished study, a
            study file, a preset or a StudyConfig whose encoder begins with weights, which teach as
            they are.
        student: `tiny`, `small`, `timm/<model>` or `torchvision/<classifier>`; with fewer
            parameters than the teacher.
        weights: what a student of a library begins with: `pretrained`, or a file of weights; None
            to begin from nothing.
        policy: what an encoder and its student see images through, as for `pretrain`; None for
            the one that the encoder was pretrained with, or the study's winner.
        data: a folder of images, or an ImageSet; None for those of the teacher.
        steps: optimiser steps; None for ten times a classifier's, as many as an encoder's, ten
            times a trial's.
        temperature: above 0, by which answers are softened; None for 2.
        seed: of everything random.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database, which counts the looks at sealed images.
        output: directory; None for one in `runs/`.
        force: overwrite another distillation there.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `distill.json` holds.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    request = DistillRequest(
        teacher,
        student=student,
        weights=weights,
        policy=policy,
        data=data,
        steps=steps,
        temperature=temperature,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with watched(progress) as told:
        return distill_as_asked(request, told)


def distill_as_asked(request: DistillRequest, progress: Progress) -> Distilled:
    """What `distill` does, for a request in one piece."""
    only_one_process("distill")
    quiet_mlflow()
    if request.seed < 0:
        raise ConfigError(f"--seed {request.seed}: must be 0 or more")
    if request.steps is not None and request.steps < 1:
        raise ConfigError(f"--steps {request.steps}: must be 1 or more")
    if not holds_classifier(request.teacher):
        return distill_features(request, progress)
    lesson = prepare(request, progress)
    directory = lesson.prepared.directory
    check_place(directory / RESULT_FILE, Distilled, lesson.identity, "distillation", request.force)
    with held_directory(directory):
        shown = _shown(lesson, progress)
        with shown.kept(), cpu_threads(lesson.prepared.config.compute.threads):
            shown.log(0, {})  # it begins here
            begin = time.perf_counter()
            state = _taught(lesson, progress)
            seconds = time.perf_counter() - begin
            found, files = _concluded(request, lesson, state, seconds)
            _write(directory, files)
            shown.finish(found.description, found.metrics, files)
    return found.written(directory, files)


def _taught(lesson: Lesson, progress: Progress) -> State:
    """The student's tensors."""
    prepared = lesson.prepared
    bench, pool = prepared.bench, rows_of(prepared.pool.images, prepared.seen)
    config = training_of(prepared.wanted, prepared.config)
    config = config.model_copy(update={"steps": lesson.steps})
    progress.phase("networks", 0, 1)
    listen, begin = step_listener(progress, "student", lesson.steps), time.perf_counter()
    batch = 2 * min(config.batch_size, len(pool))

    def on_step(step: int) -> None:
        listen(step, batch / 2 * step / (time.perf_counter() - begin))

    network, _ = train_supervised(
        LabelledImages(
            images=torch.from_numpy(np.array(pool.images)).to(bench.device),
            labels=torch.zeros(len(pool), dtype=torch.int64, device=bench.device),
            classes=len(pool.classes),
            mean=bench.mean,
            std=bench.std,
        ),
        bench.renderer(prepared.policy).function(bench.seed, 0),
        prepared.config.encoder,
        config,
        seed=bench.seed,
        device=bench.device,
        weights=bench.weights,
        on_step=on_step,
        teacher=Teacher(lesson.teacher.asked(bench.device), lesson.temperature),
    )
    return {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}


def _concluded(
    request: DistillRequest, lesson: Lesson, state: State, seconds: float
) -> tuple[Distilled, dict[str, bytes]]:
    """What the student amounts to, and its files."""
    prepared, teacher = lesson.prepared, lesson.teacher
    pool, sealed, device = prepared.pool.images, prepared.sealed, prepared.bench.device
    apart = lesson.apart if len(lesson.apart) else np.arange(len(pool))
    first, mine = said(prepared, [state], pool, apart)
    _, theirs = teacher.log_probabilities(pool, apart, device)
    match = match_temperature(mine, tempered(theirs, teacher.found.temperature or 1.0))
    alike = float((mine.argmax(axis=1) == theirs.argmax(axis=1)).mean())
    calibration = Calibration(match, find_limit(prepared, [state], match))
    result = _finetuned(lesson, calibration, seconds)
    found = Distilled(
        name=prepared.directory.name,
        taught_by=str(teacher.directory),
        teacher=Network(
            encoder=teacher.found.encoder,
            networks=teacher.found.networks,
            parameters=lesson.parameters[0],
        ),
        student=Network(encoder=result.encoder, networks=1, parameters=lesson.parameters[1]),
        smaller=lesson.parameters[0] / lesson.parameters[1],
        policy=prepared.policy.name,
        images=len(pool.one_each(prepared.seen)),
        apart=len(first) if len(lesson.apart) else 0,
        steps=lesson.steps,
        temperature=lesson.temperature,
        alike=alike if len(lesson.apart) else None,
        identity=lesson.identity,
        seconds=seconds,
    )
    files: dict[str, bytes] = {}
    if len(sealed):
        every = np.arange(len(sealed))
        rows, answers = said(prepared, [state], sealed, every)
        uses = count_look(
            lesson.images.sealed, "distillation", found.name, lesson.identity, request.storage
        )
        judged = worth(prepared, sealed, rows, answers, calibration)
        result = result.model_copy(update={"sealed": judged.model_copy(update={"uses": uses})})
        files = sealed_files(prepared, result, rows, answers, calibration)
        _, before = teacher.log_probabilities(sealed, every, device)
        found = _compared(found, sealed, rows, before, answers).model_copy(
            update={
                "calibration_error": judged.calibration_error,
                "calibration_error_before": judged.calibration_error_before,
            }
        )
    files |= output_files(prepared, result, [state])
    files[RESULT_FILE] = json_bytes(found.model_dump(mode="json", exclude_none=True))
    return found, files


def _finetuned(lesson: Lesson, calibration: Calibration, seconds: float) -> Finetuned:
    """The student as a classifier, for those who open it."""
    prepared, bench = lesson.prepared, lesson.prepared.bench
    return Finetuned(
        name=prepared.directory.name,
        study=prepared.study,
        data=prepared.source.stored_as,
        start=prepared.start,
        taught_by=_begun(lesson.teacher),
        policy=prepared.policy.name,
        encoder=prepared.config.encoder.called,
        mode="whole",
        image_size=bench.image_set.image_size,
        channels=bench.image_set.channels,
        mean=bench.mean,
        std=bench.std,
        classes=bench.image_set.classes,
        labels=labels_of(prepared),
        combined="single",
        networks=1,
        held_out={},
        temperature=calibration.temperature,
        limit=calibration.limit,
        identity=lesson.identity,
        seconds=seconds,
    )


def _begun(teacher: Classifier) -> str:
    """The teacher, and what it began with itself."""
    encoder = teacher.config.encoder
    begun = Path(encoder.weights).name if encoder.is_pretrained else "random numbers"
    further = f", taught by {teacher.found.taught_by}" if teacher.found.taught_by else ""
    return f"{teacher.directory} ({encoder.called} from {begun}{further})"


def _compared(
    found: Distilled, sealed: ImageSet, rows: Rows, teacher: Logits, student: Logits
) -> Distilled:
    """With what the sealed pictures say of both."""
    worth = compared(sealed, rows, teacher.argmax(axis=1), student.argmax(axis=1))
    return found.model_copy(
        update={
            "teacher": found.teacher.model_copy(update={"accuracy": worth.teacher}),
            "student": found.student.model_copy(update={"accuracy": worth.student}),
            "loss": worth.loss,
            "loss_by_class": worth.by_class,
        }
    )


def _write(directory: Path, files: dict[str, bytes]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in stale_files(directory, files):
            path.unlink()
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None
    write_files(directory, files)


def _shown(lesson: Lesson, progress: Progress) -> LiveRun:
    prepared = lesson.prepared
    return shown_run(
        "distillation",
        directory=prepared.directory,
        identity=lesson.identity,
        policy=prepared.policy,
        study=prepared.study,
        pool=prepared.pool,
        source=prepared.source,
        params={
            "encoder": prepared.config.encoder.called,
            "teacher": lesson.teacher.directory.name,
            "steps": lesson.steps,
            "temperature": lesson.temperature,
            "seed": prepared.bench.seed,
            "device": str(prepared.bench.device),
        },
        warn=progress.warn,
    )
