"""`augsearch pilot`: what policy and pretraining are worth, against doing without them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from augsearch.augment.baselines import BASELINES
from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import sealed_marks
from augsearch.engines.processes import Processes
from augsearch.errors import ConfigError
from augsearch.files import held_directory, write_files
from augsearch.piloting.estimate import PilotEstimate, estimate, in_sentence
from augsearch.piloting.judge import Evidence
from augsearch.piloting.outputs import ONE_PAGER, output_files, result_of
from augsearch.piloting.place import check_free, check_room, make_room
from augsearch.piloting.prepare import USUAL, Prepared, check_request, prepare
from augsearch.piloting.request import PilotRequest
from augsearch.piloting.result import Pilot
from augsearch.piloting.runs import (
    Simclr,
    Workshop,
    points,
    pretraining_of,
    pretrainings,
    read_points,
    train_point,
)
from augsearch.pretraining.recipe import names_study
from augsearch.pretraining.result import RESULT_FILE
from augsearch.progress import Progress, Quiet
from augsearch.search.result.result import versions
from augsearch.simclr.ranks import ALONE, only_one_process
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.database import (
    DEFAULT_STORAGE,
    open_storage,
    storage_flag,
    told_when_unwritable,
)
from augsearch.store.sealed import count_sealed_use
from augsearch.study.command import command_line, handed_over
from augsearch.study.request import StudyRequest
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.live import LiveRun
from augsearch.tracking.tracker import in_percent
from augsearch.verbs.pretrain import pretrain_prepared
from augsearch.verbs.run import estimate_as_asked, run_as_asked
from augsearch.verbs.shown import shown_run
from augsearch.watch.watched import watched

SPACE = "natural"
"""That is searched where none is named."""
TRIED = 32
"""Size at which a request is looked at before a study measures one."""


# Public, and the one place where its arguments are explained.
def pilot(
    study: str | Path | StudyConfig | None = None,
    *,
    data: str | Path | ImageSet | None = None,
    policy: str | Path | Policy | None = None,
    policy_from: str | Path | None = None,
    space: str | Path | Space | None = None,
    weights: str | Path | None = None,
    labels: Sequence[int] | None = None,
    seeds: int | None = None,
    baseline: str | None = None,
    good: str | None = None,
    steps: int | None = None,
    label_seconds: float | None = None,
    label_rate: float | None = None,
    machine_rate: float | None = None,
    currency: str | None = None,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> Pilot:
    """Compare the ways from images and labels to a classifier, on the sealed images.

    Labels alone, weights as they came, pretraining under a published policy and under the found
    one, each with few labels and with more; what that gains, in accuracy and in labels, and what
    it costs. Interrupted or killed, it resumes when the same call is made again.

    Args:
        study: a finished study, whose winner and images are taken; or a study file, the name of a
            preset or a StudyConfig, for settings. Without a finished study or a policy, a search
            comes first.
        data: a folder of images, or an ImageSet; None for those of the study.
        policy: the found policy, as in `pretrain`, if it is not the study's winner.
        policy_from: the directory of a finished pilot, whose policy (and settings, unless `study`
            says others) are taken: another plant's, before a search here.
        space: for the search, if one comes first: a space file, the name of a preset, or a Space;
            None for `natural`.
        weights: what a team would begin with otherwise: `pretrained` or a file of weights of the
            encoder; None for what the settings say; `none` to do without.
        labels: labels of each class, rising; None for what the settings say, as for the rest.
        seeds: times that everything is done anew.
        baseline: name of the published policy beside the found one.
        good: the class without a defect: misses and false alarms are then counted.
        steps: optimiser steps of a pretraining; None for `full.steps`, else ten times a trial's.
        label_seconds: that a label takes a person.
        label_rate: money for an hour of labelling.
        machine_rate: money for an hour of the machine.
        currency: of the rates, for people.
        seed: of everything random.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database, where studies are.
        output: directory; None for one in `runs/`.
        force: begin anew, and overwrite what is there.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `pilot.json` holds.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    request = PilotRequest(
        study,
        data=data,
        policy=policy,
        policy_from=policy_from,
        space=space,
        weights=weights,
        labels=None if labels is None else tuple(labels),
        seeds=seeds,
        baseline=baseline,
        good=good,
        steps=steps,
        label_seconds=label_seconds,
        label_rate=label_rate,
        machine_rate=machine_rate,
        currency=currency,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with watched(progress) as told:
        return pilot_as_asked(request, told)


def pilot_as_asked(request: PilotRequest, progress: Progress) -> Pilot:
    """What `pilot` does, for a request in one piece."""
    only_one_process("pilot")
    quiet_mlflow()
    check_request(request)
    asked = _searched(request, progress)
    prepared = prepare(asked, progress)
    with held_directory(prepared.directory):
        make_room(prepared, request.force)
        ahead = estimate(prepared, _engine(prepared))
        progress.note(in_sentence(ahead))
        progress.expected(ahead.phases, ahead.lengths)
        shown = _shown(prepared, progress)
        with shown.kept():
            shown.log(0, {})  # one process makes the experiment for all others
            seconds = _pretrain(prepared, progress)
            uses = _count_use(prepared, request.storage)  # a score that is shown is a look
            _train(prepared, progress)
            return _concluded(request, prepared, Evidence.kept(prepared, seconds), uses, shown)


def estimate_pilot(request: PilotRequest, progress: Progress) -> PilotEstimate:
    """Check what `pilot` would check, and estimate what it would take; makes no study, no
    directory, and does not search.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    quiet_mlflow()
    check_request(request)
    search = _search_of(request, progress)
    prepared = prepare(request, progress) if search is None else _checked_before(request)
    check_room(prepared, request.force)
    found = estimate(prepared, _engine(prepared), afresh=request.force)
    if search is None:
        return found
    searching = estimate_as_asked(search, Quiet())
    return replace(found, search_seconds=searching.seconds + searching.starting_seconds)


def _searched(request: PilotRequest, progress: Progress) -> PilotRequest:
    """The request with a finished study, after a search if nothing else names a policy."""
    search = _search_of(request, progress)
    if search is None:
        return request
    _checked_before(request)
    return replace(request, study=run_as_asked(search, progress).study)


def _search_of(request: PilotRequest, progress: Progress) -> StudyRequest | None:
    """The search that has to come first, if nothing names a policy."""
    named = (request.policy, request.policy_from)
    if any(one is not None for one in named) or names_study(request.study):
        if request.space is not None:
            raise ConfigError(
                "--space: is for a search, and a policy is there already; leave one of them out"
            )
        return None
    if request.space is None:
        progress.note(
            f"no study or policy is named, so that a search in the space {SPACE} comes first; "
            "--space names another"
        )
    return StudyRequest(
        request.space or SPACE,
        data=request.data,
        study=request.study,
        seed=request.seed,
        device=request.device,
        storage=request.storage,
    )


def _checked_before(request: PilotRequest) -> Prepared:
    """What would only be seen after hours of search, seen before it."""
    if request.output is not None:
        check_free(Path(request.output))
    study = request.study
    if study is None:
        study = "quick" if request.data is None else "standard"
    config = study if isinstance(study, StudyConfig) else load_study_config(study)
    if config.data.image_size == "auto":
        data = config.data.model_copy(update={"image_size": TRIED})
        config = config.model_copy(update={"data": data})
    # Not the baseline, so that all ways are there.
    taken = (request.baseline or USUAL).casefold()
    policy = next(name for name in BASELINES if name.casefold() != taken)
    return prepare(replace(request, study=config, policy=policy, space=None), Quiet())


def _engine(prepared: Prepared) -> Processes:
    on_cpu = prepared.device.type == "cpu"
    return Processes(prepared.config.compute.threads, most=None if on_cpu else 1)


def _pretrain(prepared: Prepared, progress: Progress) -> Mapping[Simclr, float]:
    """Do what is left of the pretrainings; the seconds that each took."""
    jobs = pretrainings(prepared)
    done = [job for job in jobs if (job.within(prepared) / RESULT_FILE).is_file()]
    progress.phase("pretrainings", len(done), len(jobs))
    seconds = {}
    for job, (taken, probe) in _engine(prepared).run(_pretrain_one, Workshop(prepared), jobs):
        seconds[job] = taken
        if job not in done:
            progress.run_ended(job.title, probe, "")
    return seconds


def _pretrain_one(shared: Workshop, job: Simclr) -> tuple[float, float]:
    quiet_mlflow()
    quiet = Quiet()
    found = pretrain_prepared(pretraining_of(shared.prepared, job, quiet), ALONE, quiet)
    return found.seconds, next((x.probe for x in reversed(found.looks) if x.probe is not None), 0.0)


def _train(prepared: Prepared, progress: Progress) -> None:
    """Train the classifiers that have not answered yet."""
    jobs, kept = points(prepared), read_points(prepared)
    todo = [point for point in jobs if point not in kept]
    progress.phase("classifiers", len(jobs) - len(todo), len(jobs))
    for point, score in _engine(prepared).run(train_point, Workshop(prepared), todo):
        progress.run_ended(point.title, score, "")


def _concluded(
    request: PilotRequest, prepared: Prepared, evidence: Evidence, uses: int, shown: LiveRun
) -> Pilot:
    at_once = _engine(prepared).at_once(len(points(prepared)))
    found = result_of(evidence, uses=uses, at_once=at_once)
    files = output_files(prepared, found, _command(request, prepared), versions())
    write_files(prepared.directory, files)
    _show(shown, found, files)
    return found.written(prepared.directory, files)


def _count_use(prepared: Prepared, storage: str) -> int:
    """Note that the sealed images judge once more; how often they have."""
    identity = json.dumps(prepared.identity, sort_keys=True)
    sealed = prepared.sealed
    marks = sealed_marks(sealed, np.arange(len(sealed)))
    with told_when_unwritable(storage, "trained classifiers"):
        return count_sealed_use(
            open_storage(storage),
            marks,
            by=f"the pilot {prepared.directory.name}",
            use=f"pilot {identity}",
        )


def _command(request: PilotRequest, prepared: Prepared) -> str:
    """What does it again."""
    objects = {
        "study": isinstance(request.study, StudyConfig),
        "data": isinstance(request.data, ImageSet),
        "policy": isinstance(request.policy, Policy),
        "space": isinstance(request.space, Space),
    }
    if said := handed_over(objects):
        return said
    flags = {
        f"--{name.replace('_', '-')}": value
        for name, value in vars(request).items()
        if name not in ("labels", "force", "device", "seed", "storage", "output", "study", "space")
    }
    study = prepared.recipe.study
    labels = None if request.labels is None else ",".join(map(str, request.labels))
    return command_line(
        "pilot",
        {
            "--study": study.name if study else request.study,
            **flags,
            "--labels": labels,
            "--seed": request.seed or None,
            "--device": None if request.device == "auto" else request.device,
            "--storage": storage_flag(request.storage),
            "--output": str(prepared.directory),
        },
    )


def _shown(prepared: Prepared, progress: Progress) -> LiveRun:
    study = prepared.recipe.study
    return shown_run(
        "pilot",
        directory=prepared.directory,
        identity=prepared.identity,
        policy=prepared.recipe.policy,
        study=study.name if study else None,
        pool=prepared.regimes["nothing"].pool,
        source=prepared.source,
        params={
            "encoder": prepared.regimes["nothing"].config.encoder.called,
            "seed": prepared.seed,
            "device": str(prepared.device),
        },
        warn=progress.warn,
    )


def _show(shown: LiveRun, found: Pilot, files: Mapping[str, bytes]) -> None:
    """The curves as metrics by labels, the recommendation and the page."""
    for curve in found.curves:
        for point in curve.points:
            shown.log(point.labels, in_percent({f"accuracy/{curve.way}": point.score.mean}))
    gained = {
        f"gained_points/{gain.way}_with_{gain.labels}": round(100 * gain.gained.mean, 2)
        for gain in found.gains
        if gain.against == "best"
    }
    shown.finish(files[ONE_PAGER].decode(), gained, files)
