"""`augsearch finetune`: a classifier from an encoder and some labels, and what it is worth."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import sealed_marks
from augsearch.engines.processes import cpu_threads
from augsearch.errors import ConfigError, OutputError
from augsearch.files import held_directory, write_files
from augsearch.finetuning.combine import Way, choose, decided, final_networks, held_out, said
from augsearch.finetuning.judge import Calibration, calibrate, worth
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.members import State, members_of, train_members
from augsearch.finetuning.outputs import (
    labels_of,
    networks_in,
    output_files,
    sealed_files,
    stale_files,
)
from augsearch.finetuning.prepare import Prepared, prepare
from augsearch.finetuning.request import FinetuneRequest
from augsearch.finetuning.result import AS_THEY_ARE, RESULT_FILE, Finetuned
from augsearch.pretraining.checkpoint import differences
from augsearch.progress import Progress
from augsearch.simclr.ranks import only_one_process
from augsearch.space.policy import Policy
from augsearch.store.database import DEFAULT_STORAGE, open_storage, told_when_unwritable
from augsearch.store.sealed import count_sealed_use
from augsearch.study.records import safe_names
from augsearch.study_file import StudyConfig
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.live import LiveRun
from augsearch.tracking.tracker import in_percent
from augsearch.verbs.shown import shown_run
from augsearch.watch.watched import watched
from augsearch.words import interval, percent

NETWORKS, NOTE = "networks", "identity.json"


# Public, and the one place where its arguments are explained.
def finetune(
    pretrained: str | Path | None = None,
    *,
    policy: str | Path | Policy | None = None,
    data: str | Path | ImageSet | None = None,
    study: str | Path | StudyConfig | None = None,
    labels: int | str | None = None,
    mode: str | None = None,
    good: str | None = None,
    miss_rate: float | None = None,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> Finetuned:
    """Make a classifier from an encoder and labels, and judge it on the sealed images.

    Interrupted, it resumes when the same call is made again; trained networks are kept.

    Args:
        pretrained: a directory that `pretrain` has ended in; None to begin as `study` says, from
            its weights or from nothing.
        policy: what labelled images are seen through: as in `pretrain`, or `none`. None for the
            policy of `pretrained` or of the study, or none: whichever is better on held-out folds.
        data: a folder of images, or an ImageSet; None for those of `pretrained` or the study.
        study: a finished study, or a study file, the name of a preset or a StudyConfig: its
            `encoder`, and its section `finetune`. With `pretrained` the section alone.
        labels: labelled images that are learnt from: a number for each class, a share such as
            `10%`, or `all`; None for what the settings say.
        mode: `whole`, or `linear`, which leaves the encoder as it is.
        good: the class without a defect: a threshold is then found for `miss_rate`.
        miss_rate: share of defects that may be called good, in (0, 1). A part of the labelled
            images (`finetune.threshold_share`) finds the threshold and is not learnt from.
        seed: of everything random, the choice of labels among it.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database, where studies are.
        output: directory; None for one in `runs/`.
        force: train anew, and overwrite what is there.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `finetune.json` holds.

    Raises:
        AugsearchError: anything a user can cause, in one line.
    """
    request = FinetuneRequest(
        pretrained,
        policy=policy,
        data=data,
        study=study,
        labels=labels,
        mode=mode,
        good=good,
        miss_rate=miss_rate,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with watched(progress) as told:
        return finetune_as_asked(request, told)


def finetune_as_asked(request: FinetuneRequest, progress: Progress) -> Finetuned:
    """What `finetune` does, for a request in one piece."""
    only_one_process("finetune")
    quiet_mlflow()
    prepared = prepare(request, progress)
    directory = prepared.directory
    _check_directory(prepared, request.force)
    kept = directory / NETWORKS
    with held_directory(directory):
        if request.force:
            for path in (directory / RESULT_FILE, *kept.glob("*.safetensors")):
                path.unlink(missing_ok=True)
        begin = time.perf_counter()
        prepared, views = decided(prepared, kept, progress)
        shown = _shown(prepared, progress)
        with shown.kept():
            train_members(prepared, kept, progress, members_of(prepared))
            seconds = time.perf_counter() - begin
            with cpu_threads(prepared.config.compute.threads):
                found = _concluded(request, prepared, views, seconds)
            contents = {name: path.read_bytes() for name, path in found.files.items()}
            shown.finish(_description(found), _metrics(found), contents)
    return found


def _concluded(
    request: FinetuneRequest, prepared: Prepared, views: dict[str, float], seconds: float
) -> Finetuned:
    """What the trained networks amount to."""
    directory, kept = prepared.directory, prepared.directory / NETWORKS
    held = held_out(prepared, kept)
    way = choose(prepared, held)
    networks = final_networks(prepared, kept, way)
    calibration = calibrate(prepared, held.get(way), networks)
    scores = {name: one.score for name, one in held.items()}
    result = _result(prepared, way, networks, calibration, scores, seconds)
    result = result.model_copy(update={"views": views})
    files = {}
    if len(prepared.sealed):
        rows, answers = said(prepared, networks, prepared.sealed, _all(prepared.sealed))
        uses = _count_use(prepared, request.storage)
        judged = worth(prepared, prepared.sealed, rows, answers, calibration)
        judged = judged.model_copy(update={"uses": uses})
        result = result.model_copy(update={"sealed": judged})
        files = sealed_files(prepared, result, rows, answers, calibration)
    files |= output_files(prepared, result, networks)
    write_files(directory, files)
    for path in stale_files(directory, files):
        path.unlink()
    return result.written(directory, files)


def _shown(prepared: Prepared, progress: Progress) -> LiveRun:
    wanted = prepared.wanted
    return shown_run(
        "finetuning",
        directory=prepared.directory,
        identity=prepared.identity,
        policy=prepared.views,
        study=prepared.study,
        pool=prepared.pool,
        source=prepared.source,
        params={
            "encoder": prepared.config.encoder.called,
            "begins_with": prepared.start,
            "mode": wanted.mode,
            "labels": str(wanted.labels),
            "steps": wanted.steps,
            "seed": prepared.bench.seed,
            "device": str(prepared.bench.device),
        },
        warn=progress.warn,
    )


def _metrics(found: Finetuned) -> dict[str, float]:
    """What the run's row in MLflow shows; recalls are of the sealed images."""
    metrics = in_percent({f"held_out/{way}": score for way, score in found.held_out.items()})
    views = {
        "as_they_are" if name == AS_THEY_ARE.name else "through_policy": score
        for name, score in found.views.items()
    }
    metrics |= in_percent({f"held_out/{kind}": score for kind, score in views.items()})
    if found.temperature is not None:
        metrics["temperature"] = found.temperature
    sealed = found.sealed
    if sealed is None:
        return metrics
    parts = {
        "accuracy": sealed.accuracy,
        "missed": sealed.missed,
        "false_alarms": sealed.false_alarms,
        **{
            f"recall/{name}": part
            for name, part in zip(safe_names(sealed.recall), sealed.recall.values(), strict=True)
        },
    }
    shares = {name: part.value for name, part in parts.items() if part is not None}
    whole = {
        "balanced_accuracy": sealed.balanced_accuracy,
        "calibration_error": sealed.calibration_error,
    }
    return {**metrics, **in_percent(whole | shares)}


def _description(found: Finetuned) -> str:
    """The run's page in MLflow, as Markdown."""
    begun = f"{found.encoder}, {found.mode}, from {found.start}, seen {found.seen}."
    if found.sealed is None:
        return f"{begun} No sealed image says what it is worth."
    rows = [
        f"| {name} | {percent(part.value)} | {interval((part.low, part.high))} | {part.of} |"
        for name, part in found.sealed.recall.items()
    ]
    head = ["| class | found, % | 95 % interval | sealed images |", "|---|---|---|---|"]
    return "\n".join([begun, "", *head, *rows])


def _count_use(prepared: Prepared, storage: str) -> int:
    """Note that the sealed images judge once more; how often they have."""
    asked = {"good": prepared.wanted.good, "miss_rate": prepared.wanted.miss_rate}
    identity = json.dumps(prepared.identity | (asked if asked["good"] else {}), sort_keys=True)
    marks = sealed_marks(prepared.sealed, _all(prepared.sealed))
    with told_when_unwritable(storage, "trained networks"):
        return count_sealed_use(
            open_storage(storage),
            marks,
            by=f"the fine-tuning {prepared.directory.name}",
            use=f"finetune {identity}",
        )


def _all(images: ImageSet) -> Rows:
    return np.arange(len(images))


def _check_directory(prepared: Prepared, force: bool) -> None:
    """A directory to write to: new, of this fine-tuning, or to be replaced.

    Raises:
        ConfigError: it holds something else.
        OutputError: it cannot be made.
    """
    directory, path = prepared.directory, prepared.directory / RESULT_FILE
    try:
        if not force and path.is_file():
            found = Finetuned.model_validate_json(path.read_text(encoding="utf-8"))
            if {**found.identity, "views": "chosen"} == prepared.identity != found.identity:
                raise ConfigError(
                    f"{directory}: holds a fine-tuning that saw labelled images through "
                    f"{found.policy}; --policy {directory / 'policy.yaml'} names that, else give "
                    "another --output, or --force to replace it"
                )
            if different := differences(found.identity, prepared.identity):
                raise ConfigError(
                    f"{directory}: holds another fine-tuning ({different}); give another "
                    "--output, or --force to replace it"
                )
        elif directory.is_dir() and not path.is_file() and not _begun(prepared, force):
            raise ConfigError(
                f"{directory}: holds files that do not belong to this fine-tuning; give "
                "another --output"
            )
        note = directory / NETWORKS / NOTE
        if not force and note.is_file() and json.loads(note.read_text()) != prepared.identity:
            raise ConfigError(
                f"{directory}: holds networks of another fine-tuning; give another --output, or "
                "--force to replace them"
            )
        (directory / NETWORKS).mkdir(parents=True, exist_ok=True)
        (directory / NETWORKS / NOTE).write_text(json.dumps(prepared.identity))
    except (ValidationError, ValueError):
        raise ConfigError(f"{path}: cannot be read; give --force to train again") from None
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None


def _begun(prepared: Prepared, force: bool) -> bool:
    """Whether the directory is empty, or holds networks of a fine-tuning: of this very one, or of
    one that is to be replaced."""
    note = prepared.directory / NETWORKS / NOTE
    if note.is_file():
        return force or bool(json.loads(note.read_text()) == prepared.identity)
    return not any(prepared.directory.iterdir())


def _result(
    prepared: Prepared,
    way: Way,
    networks: list[State],
    calibration: Calibration,
    scores: dict[Way, float],
    seconds: float,
) -> Finetuned:
    bench = prepared.bench
    return Finetuned(
        name=prepared.directory.name,
        study=prepared.study,
        data=prepared.source.stored_as,
        start=prepared.start,
        policy=prepared.views.name,
        encoder=prepared.config.encoder.called,
        mode=prepared.wanted.mode,
        image_size=bench.image_set.image_size,
        channels=bench.image_set.channels,
        mean=bench.mean,
        std=bench.std,
        classes=bench.image_set.classes,
        labels=labels_of(prepared),
        combined=way,
        networks=networks_in(way, networks),
        held_out=dict(scores),
        temperature=calibration.temperature,
        limit=calibration.limit,
        identity=prepared.identity,
        seconds=seconds,
    )
