"""`augsearch deploy`: a classifier as files for the line, and what each of them changes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import content_marks
from augsearch.deploying.graph import OPSET
from augsearch.deploying.machine import processor, versions_of
from augsearch.deploying.making import FILES, Making, input_of
from augsearch.deploying.needs import EXTRA, is_there
from augsearch.deploying.request import USUAL, DeployRequest
from augsearch.deploying.result import (
    RESULT_FILE,
    Checked,
    Deployed,
    Format,
    FormatName,
)
from augsearch.engines.processes import cores_here
from augsearch.errors import ConfigError, OutputError
from augsearch.files import held_directory, json_bytes, write_files
from augsearch.finetuning.classifier import Classifier, ItsImages, open_classifier, open_images
from augsearch.finetuning.outputs import model_files
from augsearch.pretraining.prepare import directory_for, short_digest
from augsearch.progress import Progress
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.tracker import in_points
from augsearch.verbs.looks import count_look
from augsearch.verbs.place import check_place
from augsearch.verbs.shown import run_of_classifier
from augsearch.watch.watched import watched
from augsearch.words import percent

NAMES: tuple[FormatName, ...] = get_args(FormatName)


# Public, and the one place where its arguments are explained.
def deploy(
    classifier: str | Path,
    *,
    data: str | Path | ImageSet | None = None,
    formats: Sequence[str] = USUAL,
    loss: float = 0.01,
    class_loss: float = 0.02,
    storage: str = DEFAULT_STORAGE,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> Deployed:
    """Write a classifier as files that take a camera's bytes and give decisions.

    Resizing, cropping, normalisation, calibration and threshold are inside the graph. Each form is
    held against the network in torch on pictures that it did not learn from.

    Args:
        classifier: a directory that `finetune` has ended in.
        data: a folder of images, or an ImageSet; None for those of the classifier.
        formats: of `onnx` (32 bits), `fp16`, `int8`, `openvino`, `torch` (`torch.export`). The
            first is always made: it is what the others are held against.
        loss: share of right decisions, in (0, 1), that another form may lose; else it is not
            written. Of `int8` the upper end of the one-sided 95 % interval counts, of the others
            what was lost.
        class_loss: the same in any one class.
        storage: URL of Optuna's database, where it is noted which images are sealed.
        output: directory; None for one in `runs/`.
        force: overwrite another deployment there.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Returns:
        What `deploy.json` holds.

    Raises:
        AugsearchError: anything a user can cause, in one line; or ONNX Runtime decides otherwise
            than torch on a sealed picture.
    """
    request = DeployRequest(
        classifier,
        data=data,
        formats=tuple(formats),
        loss=loss,
        class_loss=class_loss,
        storage=storage,
        output=output,
        force=force,
    )
    with watched(progress) as told:
        return deploy_as_asked(request, told)


def deploy_as_asked(request: DeployRequest, progress: Progress) -> Deployed:
    """What `deploy` does, for a request in one piece."""
    quiet_mlflow()
    wanted = _formats(request)
    opened = open_classifier(request.classifier)
    images = open_images(opened, request.data, request.storage, progress=progress)
    identity = _identity(opened, images, request)
    name = opened.found.study or opened.found.name
    directory = directory_for(request.output, name, "deployed", identity)
    check_place(directory / RESULT_FILE, Deployed, identity, "deployment", request.force)
    with held_directory(directory):
        shown = run_of_classifier("deployment", opened, images, directory, identity, progress.warn)
        with shown.kept(), tempfile.TemporaryDirectory() as scratch:
            shown.log(0, {})  # it begins here
            making = Making(opened, images, request, Path(scratch), progress)
            formats, checked = making.all_of(wanted)
            uses = 0
            if len(images.sealed):
                uses = count_look(
                    images.sealed, "deployment", directory.name, identity, request.storage
                )
            found = _result(making, directory.name, identity, formats, checked, uses)
            files = {path.name: path.read_bytes() for path in making.written}
            files[RESULT_FILE] = json_bytes(found.model_dump(mode="json", exclude_none=True))
            _write(directory, files)
            shown.finish(_description(found), _metrics(found), files)
    return found.written(directory, files)


def _write(directory: Path, files: dict[str, bytes]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for stale in {*FILES.values(), "model.bin"} - set(files):
            (directory / stale).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None
    write_files(directory, files)


def _metrics(found: Deployed) -> dict[str, float]:
    """What the run's row in MLflow shows; sizes in MB, times in ms on one core."""
    metrics: dict[str, float] = {}
    for one in found.formats:
        metrics[f"{one.name}/size_mb"] = one.bytes / 1e6
        if one.changed is not None:
            metrics[f"{one.name}/changed"] = one.changed
        if one.loss is not None:
            lost = {"loss": one.loss.value, "loss_high": one.loss.high}
            metrics |= in_points({f"{one.name}/{name}": loss for name, loss in lost.items()})
        if one.one_core is not None:
            metrics[f"{one.name}/p50_ms"] = one.one_core.p50
    return metrics


def _description(found: Deployed) -> str:
    """The run's page in MLflow, as Markdown."""
    rows = [
        f"| {one.name} | {one.bytes / 1e6:.2f} | "
        f"{'' if one.one_core is None else f'{one.one_core.p50:.1f}'} | "
        f"{'' if one.changed is None else one.changed} | "
        f"{one.refused or ('' if one.loss is None else percent(one.loss.high))} |"
        for one in found.formats
    ]
    return "\n".join(
        [
            f"{found.encoder}, from {found.classifier}: a camera's bytes in, decisions out.",
            "",
            "| form | MB | ms, one core | decisions changed | points lost, at most |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def _formats(request: DeployRequest) -> list[FormatName]:
    """Those that are asked for, `onnx` first.

    Raises:
        ConfigError: one is not known, or its package is not installed; a limit is no share.
    """
    for flag, value in (("--loss", request.loss), ("--class-loss", request.class_loss)):
        if not 0 < value < 1:
            raise ConfigError(f"{flag}: {100 * value:g} points; must lie above 0 and below 100")
    asked = [name for name in dict.fromkeys(request.formats) if name]
    if unknown := [name for name in asked if name not in NAMES]:
        raise ConfigError(f"--formats {unknown[0]}: unknown; known: {', '.join(NAMES)}")
    packages = ["onnx", "onnxscript", "onnxruntime", *(["openvino"] * ("openvino" in asked))]
    if missing := [package for package in packages if not is_there(package)]:
        extras = ",".join(dict.fromkeys(EXTRA[package] for package in missing))
        raise ConfigError(
            f"{', '.join(missing)}: not installed; install with: pip install 'augsearch[{extras}]'"
        )
    return ["onnx", *(name for name in NAMES if name in asked and name != "onnx")]


def _identity(classifier: Classifier, images: ItsImages, request: DeployRequest) -> dict[str, str]:
    """What two deployments share that are the same."""
    state = hashlib.sha256()
    for name in (*model_files(classifier.found.networks), "config.json"):
        try:
            state.update((classifier.directory / name).read_bytes())
        except OSError as error:
            raise ConfigError(
                f"{classifier.directory / name}: cannot be read ({error.strerror})"
            ) from None
    return {
        "classifier": state.hexdigest()[:12],
        "images": short_digest([images.pool.digest, content_marks(images.sealed)]),
        "formats": "+".join(_formats(request)),
        "limits": f"{request.loss:g} {request.class_loss:g}",
    }


def _licence(classifier: Classifier) -> str:
    encoder, teacher = classifier.config.encoder, classifier.found.taught_by
    if teacher is not None:
        return (
            f"what it learnt from may bind it: the answers of {teacher}, and its images; only "
            "their sources can tell"
        )
    if not encoder.is_pretrained:
        return "yours: it began with random weights; what it learnt from has a licence of its own"
    return (
        f"that of the weights it began with ({Path(encoder.weights).name}), which only their "
        "source can tell, and of the images it learnt from"
    )


def _result(
    making: Making,
    name: str,
    identity: dict[str, str],
    formats: list[Format],
    checked: Checked,
    uses: int,
) -> Deployed:
    classifier, found = making.classifier, making.classifier.found
    counts = np.bincount(making.judges.labels, minlength=len(found.classes)).tolist()
    height, width, channels = making.picture.shape
    return Deployed(
        name=name,
        classifier=str(classifier.directory),
        encoder=found.encoder,
        networks=found.networks,
        classes=found.classes,
        temperature=found.temperature,
        limit=found.limit,
        input=input_of(classifier),
        outputs=tuple(making.parts.outputs),
        opset=OPSET,
        formats=tuple(formats),
        checked=checked,
        judged=dict(zip(found.classes, counts, strict=True)),
        uses=uses,
        calibrated_on=len(making.squares),
        picture=(height, width, channels),
        machine=processor(),
        cores=cores_here(),
        versions=versions_of(("torch", "onnx", "onnxruntime", "openvino", "pillow")),
        licence=_licence(classifier),
        identity=identity,
    )
