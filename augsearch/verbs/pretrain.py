"""`augsearch pretrain`: full SimCLR pretraining with one policy."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from pydantic import ValidationError

from augsearch.data.imageset import ImageSet
from augsearch.engines.processes import cpu_threads
from augsearch.errors import ConfigError, OutputError
from augsearch.files import held_directory, write_files
from augsearch.pretraining.checkpoint import NOTE, differences
from augsearch.pretraining.outputs import output_files, result_of
from augsearch.pretraining.prepare import CHECKPOINT, Prepared, prepare
from augsearch.pretraining.request import PretrainRequest
from augsearch.pretraining.result import MODEL_FILE, RESULT_FILE, Look, Pretrained
from augsearch.pretraining.train import train
from augsearch.progress import Progress, Quiet
from augsearch.simclr.ranks import Ranks, joined
from augsearch.space.policy import Policy
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study_file import StudyConfig
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.live import LiveRun
from augsearch.tracking.tracker import in_percent
from augsearch.verbs.shown import shown_run
from augsearch.watch.watched import watched


# Public, and the one place where its arguments are explained.
def pretrain(
    policy: str | Path | Policy | None = None,
    *,
    data: str | Path | ImageSet | None = None,
    study: str | Path | StudyConfig | None = None,
    steps: int | None = None,
    seed: int = 0,
    device: str = "auto",
    storage: str = DEFAULT_STORAGE,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> Pretrained:
    """Pretrain an encoder in full, by SimCLR under one policy, on all but the sealed images.

    Interrupted or killed, it resumes from its last checkpoint when the same call is made again. On
    a CPU it ends with the same weights, bit for bit.

    Args:
        policy: a policy file, a Policy, a finished study (its winner), `models:/NAME/VERSION` in
            MLflow's registry, or a baseline's name; None for the winner of `study`.
        data: a folder of images, or an ImageSet; None for those of the study.
        study: a finished study, for its images and settings; or a study file, the name of a preset
            or a StudyConfig, for settings. None for the study that `policy` names, else `standard`.
        steps: optimiser steps; None for `full.steps`, else ten times a trial's.
        seed: of everything random.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        storage: URL of Optuna's database, where studies are.
        output: directory; None for one in `runs/`.
        force: begin anew, and overwrite what is there.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `pretrain.json` holds.

    Raises:
        AugsearchError: anything a user can cause, in one line.
        KeyboardInterrupt: a signal asked it to stop; a checkpoint has been written.
    """
    request = PretrainRequest(
        policy,
        data=data,
        study=study,
        steps=steps,
        seed=seed,
        device=device,
        storage=storage,
        output=output,
        force=force,
    )
    with watched(progress) as told:
        return pretrain_as_asked(request, told)


def pretrain_as_asked(request: PretrainRequest, progress: Progress) -> Pretrained:
    """What `pretrain` does, for a request in one piece."""
    quiet_mlflow()
    with joined(request.device) as ranks:
        heard = progress if ranks.rank == 0 else Quiet()
        # The first process of a machine decodes the images, for the others to find.
        with ranks.one_first():
            prepared = prepare(request, ranks, heard)
        return pretrain_prepared(prepared, ranks, heard, force=request.force)


def pretrain_prepared(
    prepared: Prepared, ranks: Ranks, progress: Progress, *, force: bool = False
) -> Pretrained:
    """Train what could start, or go on with it; what is finished there is only read."""
    there = finished(prepared, force=force)
    if there is not None:
        progress.note(f"{prepared.directory} holds this pretraining already, finished")
        return there
    with held_directory(prepared.directory) if ranks.rank == 0 else nullcontext():
        if ranks.rank == 0:
            _make_room(prepared, force)
        ranks.wait()
        return _run(prepared, ranks, progress)


def finished(prepared: Prepared, *, force: bool) -> Pretrained | None:
    """The same pretraining, if its directory holds it to the end and it is not to begin anew."""
    path = prepared.directory / RESULT_FILE
    if force or not path.is_file():
        return None
    try:
        found = Pretrained.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        raise ConfigError(f"{path}: cannot be read; give --force to train again") from None
    if different := differences(found.identity, prepared.identity):
        if prepared.checkpoints.is_of_this:  # which is replacing it
            return None
        raise ConfigError(
            f"{prepared.directory}: holds another pretraining ({different}); give another "
            "--output, or --force to replace it"
        )
    if not (prepared.directory / MODEL_FILE).is_file():
        return None
    names = [path.name for path in prepared.directory.iterdir() if path.is_file()]
    return found.written(prepared.directory, names)


def _make_room(prepared: Prepared, force: bool) -> None:
    """A directory to write to: new, of this pretraining, or to be replaced.

    Raises:
        ConfigError: it holds something else.
        OutputError: it cannot be made.
    """
    directory = prepared.directory
    ours = (directory / RESULT_FILE).is_file() or (directory / CHECKPOINT / NOTE).is_file()
    try:
        there = list(directory.iterdir()) if directory.is_dir() else []
        killed = prepared.checkpoints.are_remains
        if not ours and there and not (killed and len(there) == 1):
            raise ConfigError(
                f"{directory}: holds files that do not belong to a pretraining; give another "
                "--output"
            )
        if force or killed:  # a finished one stays until another is written
            prepared.checkpoints.clear()
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None


def _run(prepared: Prepared, ranks: Ranks, progress: Progress) -> Pretrained:
    shown = _shown(prepared, progress) if ranks.rank == 0 else None

    def on_look(look: Look) -> None:
        if shown is not None:
            shown.log(look.step, _metrics(look))

    with cpu_threads(prepared.config.compute.threads), shown.kept() if shown else nullcontext():
        trained = train(prepared, ranks, progress, on_look)
        result = result_of(prepared, trained, ranks)
        if shown is not None:
            files = output_files(prepared, trained, result)
            write_files(prepared.directory, files)
            prepared.checkpoints.clear()
            last = {"images_per_second": result.images_per_second, "seconds": result.seconds}
            result = result.written(prepared.directory, files)
            shown.finish(files["README.md"].decode().split("---\n", 2)[-1], last, files)
    ranks.wait()
    return result


def _metrics(look: Look) -> Mapping[str, float]:
    shares = {"probe": look.probe, "knn": look.knn}
    found = in_percent({name: value for name, value in shares.items() if value is not None})
    return found if look.loss is None else {**found, "loss": look.loss}


def _shown(prepared: Prepared, progress: Progress) -> LiveRun:
    recipe, config = prepared.recipe, prepared.config
    return shown_run(
        "pretraining",
        directory=prepared.directory,
        identity=prepared.identity,
        policy=prepared.policy,
        study=recipe.study.name if recipe.study else None,
        pool=prepared.pool,
        source=prepared.source,
        params={
            "encoder": config.encoder.called,
            "steps": prepared.steps,
            "batch_size": config.pretrain.batch_size,
            "optimizer": config.pretrain.optimizer,
            "learning_rate": config.pretrain.peak_learning_rate,
            "seed": prepared.bench.seed,
            "device": str(prepared.bench.device),
        },
        warn=progress.warn,
    )
