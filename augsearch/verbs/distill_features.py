"""`augsearch distill` from an encoder: a small one that learns its features."""

from __future__ import annotations

from augsearch.distilling.compare import Worth
from augsearch.distilling.features import FeatureLesson, judge, prepare_features
from augsearch.distilling.request import DistillRequest
from augsearch.distilling.result import RESULT_FILE, Distilled, Network
from augsearch.files import held_directory, json_bytes, write_files
from augsearch.pretraining.opened import encoder_of, open_pretrained
from augsearch.pretraining.result import Pretrained
from augsearch.progress import Progress
from augsearch.simclr.ranks import ALONE
from augsearch.tracking.live import LiveRun
from augsearch.verbs.looks import count_look
from augsearch.verbs.pretrain import pretrain_prepared
from augsearch.verbs.shown import shown_run


def distill_features(request: DistillRequest, progress: Progress) -> Distilled:
    """The student's pretraining, which goes on where it was stopped, and what it is worth."""
    lesson = prepare_features(request, progress)
    prepared = lesson.prepared
    taught = pretrain_prepared(prepared, ALONE, progress, force=request.force)
    shown = _shown(lesson, progress)
    with shown.kept(), held_directory(prepared.directory):
        shown.log(0, {})
        student = encoder_of(open_pretrained(prepared.directory))
        worth = judge(lesson, student)
        if len(lesson.sealed):
            count_look(
                lesson.sealed,
                "distillation",
                prepared.name,
                prepared.identity,
                request.storage,
            )
        found = _result(lesson, taught, worth)
        files = {RESULT_FILE: json_bytes(found.model_dump(mode="json", exclude_none=True))}
        write_files(prepared.directory, files)
        shown.finish(found.description, found.metrics, files)
    return found.written(prepared.directory, [*taught.files, RESULT_FILE])


def _result(lesson: FeatureLesson, taught: Pretrained, worth: Worth) -> Distilled:
    parameters = lesson.parameters
    return Distilled(
        name=taught.name,
        learnt="features",
        taught_by=lesson.teacher.name,
        teacher=Network(
            encoder=lesson.encoder.called,
            networks=1,
            parameters=parameters[0],
            accuracy=worth.teacher,
        ),
        student=Network(
            encoder=taught.encoder, networks=1, parameters=parameters[1], accuracy=worth.student
        ),
        smaller=parameters[0] / parameters[1],
        policy=taught.policy.name,
        images=taught.images,
        steps=taught.steps,
        loss=worth.loss,
        loss_by_class=worth.by_class,
        identity=taught.identity,
        seconds=taught.seconds,
    )


def _shown(lesson: FeatureLesson, progress: Progress) -> LiveRun:
    prepared = lesson.prepared
    return shown_run(
        "distillation",
        directory=prepared.directory,
        identity=prepared.identity,
        policy=prepared.policy,
        study=None,
        pool=prepared.pool,
        source=prepared.source,
        params={
            "encoder": prepared.config.encoder.called,
            "teacher": lesson.teacher.name,
            "steps": prepared.steps,
            "seed": prepared.bench.seed,
            "device": str(prepared.bench.device),
        },
        warn=progress.warn,
    )
