"""`augsearch deploy`: a classifier as files for the line, and what each of them changes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError

from augsearch import __version__
from augsearch.data.imageset import ImageSet
from augsearch.deploying.formats import (
    half_precision,
    whole_numbers,
    write_openvino,
    write_program,
)
from augsearch.deploying.graph import OPSET, Graphs, Parts
from augsearch.deploying.judge import losses, speeds, why_refused
from augsearch.deploying.machine import cores_here, processor, versions_of
from augsearch.deploying.needs import EXTRA, is_there, needs
from augsearch.deploying.pictures import (
    Judges,
    as_cameras_gave,
    calibrating,
    judges,
    normalised,
)
from augsearch.deploying.request import USUAL, DeployRequest
from augsearch.deploying.result import (
    RESULT_FILE,
    Checked,
    Deployed,
    Format,
    FormatName,
    Input,
)
from augsearch.deploying.runtimes import (
    Answers,
    Pictures,
    Run,
    answers,
    in_onnxruntime,
    in_openvino,
    in_torch,
)
from augsearch.errors import ConfigError, OutputError, StudyError
from augsearch.files import json_bytes, write_files
from augsearch.finetuning.classifier import Classifier, ItsImages, open_classifier, open_images
from augsearch.finetuning.outputs import model_files
from augsearch.pretraining.checkpoint import differences
from augsearch.pretraining.prepare import directory_for
from augsearch.progress import Progress, Quiet
from augsearch.store.database import DEFAULT_STORAGE

NAMES: tuple[FormatName, ...] = get_args(FormatName)
FILES = {
    "onnx": "model.onnx",
    "fp16": "model-fp16.onnx",
    "int8": "model-int8.onnx",
    "openvino": "model.xml",
    "torch": "model.pt2",
}


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
    progress: Progress | None = None,
) -> Deployed:
    """Write a classifier as files that take a camera's bytes and give decisions.

    Resizing, cropping, normalisation, calibration and threshold are inside the graph. Each form is
    held against the network in torch on pictures that it did not learn from.

    Args:
        classifier: a directory that `finetune` has ended in.
        data: a folder of images, or an ImageSet; None for those of the classifier.
        formats: of `onnx` (32 bits), `fp16`, `int8`, `openvino`, `torch` (`torch.export`). The
            first is always made: it is what the others are held against.
        loss: share of right decisions, in (0, 1), that a smaller form may lose; the upper end of
            the one-sided 95 % interval counts. A form that may lose more is not written.
        class_loss: the same in any one class.
        storage: URL of Optuna's database, where it is noted which images are sealed.
        output: directory; None for one in `runs/`.
        force: overwrite another deployment there.
        progress: told what happens.

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
    return deploy_as_asked(request, progress or Quiet())


def deploy_as_asked(request: DeployRequest, progress: Progress) -> Deployed:
    """What `deploy` does, for a request in one piece."""
    wanted = _formats(request)
    opened = open_classifier(request.classifier)
    identity = _identity(opened, request)
    name = opened.found.study or opened.found.name
    directory = directory_for(request.output, name, "deployed", identity)
    _check_directory(directory, identity, request.force)
    images = open_images(opened, request.data, request.storage, progress=progress)
    with tempfile.TemporaryDirectory() as scratch:
        making = _Making(opened, images, request, Path(scratch), progress)
        formats, checked = making.all(wanted)
        found = _result(making, directory.name, identity, formats, checked)
        files = {path.name: path.read_bytes() for path in making.written}
    files[RESULT_FILE] = json_bytes(found.model_dump(mode="json", exclude_none=True))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for stale in {*FILES.values(), "model.bin"} - set(files):
            (directory / stale).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None
    write_files(directory, files)
    return found.written(directory, files)


@dataclass
class _Making:
    """Forms of a classifier, made one after the other."""

    classifier: Classifier
    images: ItsImages
    request: DeployRequest
    scratch: Path
    progress: Progress

    def __post_init__(self) -> None:
        self.written: list[Path] = []
        self.parts = Parts.of(self.classifier)
        rows = calibrating(self.images)
        self.squares = normalised(self.images.pool.images, rows, self.classifier)
        self.judges: Judges = judges(self.images, rows)

    def all(self, wanted: Sequence[FormatName]) -> tuple[list[Format], Checked | None]:
        """Make, judge and time all forms."""
        self.graphs = Graphs.of(self.parts)
        whole = self._save("onnx", self.graphs.joined(self._metadata()))
        run = in_onnxruntime(whole, cores_here())
        checked = self._checked(run)
        self.before = answers(in_torch(self.parts.whole()), self.judges.pictures)
        first = self._judged("onnx", [whole], run)
        return self._timed([first, *map(self._made, wanted[1:])]), checked

    def _save(self, name: FormatName, model: Any) -> Path:
        path = self.scratch / FILES[name]
        needs("onnx").save(model, path)
        return path

    def _metadata(self) -> dict[str, str]:
        found = self.classifier.found
        content = {
            "made_by": f"augsearch {__version__}",
            "classes": list(found.classes),
            "limit": None if found.limit is None else found.limit.model_dump(mode="json"),
            "input": _input(self.classifier).model_dump(mode="json"),
        }
        return {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in content.items()
        }

    def _made(self, name: FormatName) -> Format:
        """A smaller or another form, judged; its files are not kept if it is refused."""
        path = self.scratch / FILES[name]
        if name in ("fp16", "int8"):
            body = (
                half_precision(self.graphs)
                if name == "fp16"
                else whole_numbers(self.graphs, self.squares)
            )
            files = [self._save(name, self.graphs.joined(self._metadata(), body))]
        elif name == "openvino":
            files = write_openvino(self.scratch / FILES["onnx"], path)
        else:
            files = write_program(self.parts, path)
        return self._judged(name, files, self._run(name, cores_here()))

    def _run(self, name: FormatName, threads: int) -> Run:
        path = self.scratch / FILES[name]
        if name == "openvino":
            return in_openvino(path, threads)
        if name == "torch":
            import torch

            return in_torch(torch.export.load(path).module())
        return in_onnxruntime(path, threads)

    def _judged(self, name: FormatName, files: list[Path], run: Run) -> Format:
        found = Format(
            name=name,
            files=tuple(path.name for path in files),
            bytes=sum(path.stat().st_size for path in files),
            digest=hashlib.sha256(files[0].read_bytes()).hexdigest(),
        )
        classes = self.classifier.found.classes
        refused = None
        if len(self.judges.labels):
            after = answers(run, self.judges.pictures)
            overall, by_class = losses(self.judges, classes, self.before, after)
            changed = int(after.differs(self.before).sum())
            found = found.model_copy(
                update={"changed": changed, "loss": overall, "loss_by_class": by_class}
            )
            # Where no decision changed, nothing was seen that could lose any.
            if name == "int8":
                refused = why_refused(
                    overall,
                    by_class,
                    classes,
                    most=self.request.loss,
                    most_of_class=self.request.class_loss,
                )
        elif name == "int8":
            refused = why_refused(None, {}, classes, most=0, most_of_class=0)
        if refused is not None:
            nothing = {"files": (), "bytes": found.bytes, "digest": "", "refused": refused}
            self.progress.warn(f"{name} is not written: {refused}")
            return found.model_copy(update=nothing)
        self.written += files
        return found

    def _checked(self, run: Run) -> Checked | None:
        """Sealed pictures as their cameras gave them, in torch and in ONNX Runtime.

        Raises:
            StudyError: the two decide otherwise.
        """
        sealed = self.images.sealed
        if not len(sealed):
            return None
        rows = sealed.one_each(np.arange(len(sealed)))

        def cameras() -> Any:
            return as_cameras_gave(sealed, rows, self.images, self.classifier)

        self.picture = next(iter(cameras()))
        in_runtime = answers(run, cameras())
        truth = answers(in_torch(self.parts.whole()), cameras())
        differs = in_runtime.differs(truth)
        if differs.any():
            first = sealed.paths[int(rows[int(np.flatnonzero(differs)[0])])]
            raise StudyError(
                f"ONNX Runtime decides otherwise than torch on {int(differs.sum())} of {len(rows)} "
                f"sealed pictures, {first} among them; nothing is written: report it, with the "
                "network's name"
            )
        _, said = self.classifier.log_probabilities(sealed, rows, _cpu())
        probabilities = self.classifier.probabilities(said)
        before = Answers(
            probabilities, probabilities.argmax(axis=1), self.classifier.stopped(probabilities)
        )
        otherwise = int(before.differs(truth).sum())
        if otherwise:
            self.progress.warn(
                f"{otherwise} of {len(rows)} sealed pictures are decided otherwise than at "
                "fine-tuning, where files were reduced while they were decoded"
            )
        return Checked(pictures=len(rows), as_in_torch=0, as_finetuned=otherwise)

    def _timed(self, formats: list[Format]) -> list[Format]:
        there = [one.name for one in formats if one.files]
        picture = self.timed_picture()
        found = {}
        for threads in sorted({1, cores_here()}):
            runs: dict[str, Run] = {
                name: self._run(name, threads) for name in there if name != "torch"
            }
            found[threads] = speeds(runs, picture)
        return [
            one.model_copy(
                update={
                    "one_core": found[1].get(one.name),
                    "all_cores": found[cores_here()].get(one.name),
                }
            )
            for one in formats
        ]

    def timed_picture(self) -> Pictures:
        """A sealed picture as its camera gave it, else a square."""
        picture: Pictures | None = getattr(self, "picture", None)
        if picture is not None:
            return picture
        size, channels = self.parts.pixels.size, self.parts.pixels.channels
        return np.zeros((size, size, channels), np.uint8)


def _cpu() -> Any:
    import torch

    return torch.device("cpu")


def _formats(request: DeployRequest) -> list[FormatName]:
    """Those that are asked for, `onnx` first.

    Raises:
        ConfigError: one is not known, or its package is not installed; a limit is no share.
    """
    for flag, value in (("--loss", request.loss), ("--class-loss", request.class_loss)):
        if not 0 < value < 1:
            raise ConfigError(f"{flag} {value:g}: must lie between 0 and 1")
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


def _identity(classifier: Classifier, request: DeployRequest) -> dict[str, str]:
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
        "formats": "+".join(_formats(request)),
        "limits": f"{request.loss:g} {request.class_loss:g}",
    }


def _check_directory(directory: Path, identity: dict[str, str], force: bool) -> None:
    """Raises ConfigError if a directory holds something else."""
    path = directory / RESULT_FILE
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory}: is no directory; give another --output")
    if not directory.is_dir() or not any(directory.iterdir()):
        return
    if not path.is_file():
        raise ConfigError(
            f"{directory}: holds files that are of no deployment; give another --output"
        )
    if force:
        return
    try:
        begun = Deployed.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        raise ConfigError(f"{path}: cannot be read; give --force to replace it") from None
    if different := differences(begun.identity, identity):
        raise ConfigError(
            f"{directory}: holds another deployment ({different}); give another --output, or "
            "--force to replace it"
        )


def _input(classifier: Classifier) -> Input:
    found, data = classifier.found, classifier.config.data
    window = None if data.window == "auto" else data.window
    return Input(
        channels=(1, 3) if found.channels in (1, 3) else (found.channels,),
        smallest=found.image_size if data.fit == "tile" else 1,
        fit=data.fit,
        size=found.image_size,
        window=window,
        bands=data.bands,
    )


def _licence(classifier: Classifier) -> str:
    encoder = classifier.config.encoder
    if not encoder.is_pretrained:
        return "yours: it began with random weights; what it learnt from has a licence of its own"
    return (
        f"that of the weights it began with ({Path(encoder.weights).name}), which only their source can tell, "
        "and of the images it learnt from"
    )


def _result(
    making: _Making,
    name: str,
    identity: dict[str, str],
    formats: list[Format],
    checked: Checked | None,
) -> Deployed:
    classifier, found = making.classifier, making.classifier.found
    counts = np.bincount(making.judges.labels, minlength=len(found.classes)).tolist()
    height, width, channels = making.timed_picture().shape
    return Deployed(
        name=name,
        classifier=str(classifier.directory),
        encoder=found.encoder,
        networks=found.networks,
        classes=found.classes,
        temperature=found.temperature,
        limit=found.limit,
        input=_input(classifier),
        outputs=tuple(making.parts.outputs),
        opset=OPSET,
        formats=tuple(formats),
        checked=checked,
        judged=dict(zip(found.classes, counts, strict=True)),
        calibrated_on=len(making.squares),
        picture=(height, width, channels),
        machine=processor(),
        cores=cores_here(),
        versions=versions_of(("torch", "onnx", "onnxruntime", "openvino", "pillow")),
        licence=_licence(classifier),
        identity=identity,
    )
