"""A classifier in its forms, made one after the other, judged and timed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from augsearch import __version__
from augsearch.deploying.formats import (
    half_precision,
    whole_numbers,
    write_openvino,
    write_program,
)
from augsearch.deploying.graph import Graphs, Parts
from augsearch.deploying.judge import Limits, speeds, why_refused
from augsearch.deploying.needs import needs
from augsearch.deploying.pictures import Judges, as_cameras_gave, calibrating, judges, normalised
from augsearch.deploying.request import DeployRequest
from augsearch.deploying.result import Checked, Format, FormatName, Input
from augsearch.deploying.runtimes import (
    Answers,
    Pictures,
    Run,
    answers,
    in_onnxruntime,
    in_openvino,
    in_torch,
)
from augsearch.engines.processes import cores_here
from augsearch.errors import StudyError
from augsearch.finetuning.classifier import Classifier, ItsImages
from augsearch.finetuning.compare import losses
from augsearch.finetuning.result import Loss
from augsearch.progress import Progress

FILES = {
    "onnx": "model.onnx",
    "fp16": "model-fp16.onnx",
    "int8": "model-int8.onnx",
    "openvino": "model.xml",
    "torch": "model.pt2",
}

ALL = "all"
BY_THRESHOLD = {"good": "of good ones that pass", "defects": "of defects that are stopped"}
MOST_OF_POOL = 500
"""Pictures of the pool that stand in where none are sealed."""


@dataclass
class Making:
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

    def all_of(self, wanted: Sequence[FormatName]) -> tuple[list[Format], Checked]:
        """Make, judge and time all forms."""
        self.graphs = Graphs.of(self.parts)
        whole = self._save("onnx", self.graphs.joined(self._metadata()))
        run = in_onnxruntime(whole, cores_here())
        checked = self._checked(run)
        self.before = (
            answers(in_torch(self.parts.whole()), self.judges.pictures)
            if len(self.judges.labels)
            else None
        )
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
            "input": input_of(self.classifier).model_dump(mode="json"),
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
            files = write_openvino(self.scratch / FILES["onnx"], path, self._metadata())
        else:
            files = write_program(self.parts, path, self._metadata())
        return self._judged(name, files, self._run(name, cores_here()))

    def _run(self, name: FormatName, threads: int) -> Run:
        path = self.scratch / FILES[name]
        if name == "openvino":
            return in_openvino(path, threads)
        if name == "torch":
            return in_torch(torch.export.load(path).module(), threads)
        return in_onnxruntime(path, threads)

    def _judged(self, name: FormatName, files: list[Path], run: Run) -> Format:
        found = Format(
            name=name,
            files=tuple(path.name for path in files),
            bytes=sum(path.stat().st_size for path in files),
            digest=hashlib.sha256(files[0].read_bytes()).hexdigest(),
        )
        classes, asked = self.classifier.found.classes, self.request
        if self.before is not None:
            after = answers(run, self.judges.pictures)
            judges = self.judges
            overall, by_class = losses(
                self.before.guess, after.guess, judges.labels, judges.groups, classes
            )
            changed = int(after.differs(self.before).sum())
            found = found.model_copy(
                update={
                    "changed": changed,
                    "loss": overall,
                    "loss_by_class": by_class,
                    "loss_by_threshold": self._by_threshold(self.before, after),
                }
            )
        limits = Limits(asked.loss, asked.class_loss, proven=name == "int8")
        in_class = {name: f"in class {name}" for name in classes}
        refused = None
        if name != "onnx":  # which decides as torch does on every sealed picture
            refused = why_refused(found.loss, found.loss_by_class, in_class, limits)
        sides = dict(found.loss_by_threshold)
        if refused is None and (of_all := sides.pop(ALL, None)) is not None:
            refused = why_refused(of_all, sides, BY_THRESHOLD, limits)
        if refused is None:
            self.written += files
            return found
        self.progress.warn(f"{name} is not written: {refused}")
        return found.model_copy(update={"files": (), "digest": "", "refused": refused})

    def _by_threshold(self, before: Answers, after: Answers) -> dict[str, Loss]:
        """What is lost of right decisions by the threshold: of all, of good pictures and of
        defects; empty without one."""
        limit = self.classifier.found.limit
        if limit is None or before.stopped is None or after.stopped is None:
            return {}
        defect = self.judges.labels != self.classifier.found.classes.index(limit.good)
        was, is_now, truth = (
            one.astype(np.int64) for one in (before.stopped, after.stopped, defect)
        )
        whole, sides = losses(was, is_now, truth, self.judges.groups, list(BY_THRESHOLD))
        return sides if whole is None else {ALL: whole, **sides}

    def _checked(self, run: Run) -> Checked:
        """Sealed pictures as their cameras gave them, in torch and in ONNX Runtime; pictures of the
        pool if none are sealed.

        Raises:
            StudyError: the two decide otherwise.
        """
        side: Literal["sealed", "pool"] = "sealed" if len(self.images.sealed) else "pool"
        if side == "pool":
            self.progress.warn(
                "there are no sealed images, so the files are compared with torch on images of the "
                "pool"
            )
        images = self.images.sealed if side == "sealed" else self.images.pool.images
        rows = images.one_each(np.arange(len(images)))
        if side == "pool":
            rows = rows[:MOST_OF_POOL]

        def cameras() -> Iterator[Pictures]:
            return as_cameras_gave(images, rows, self.images, self.classifier)

        self.picture = np.array(next(iter(cameras())))  # its own: torch wants to own its numbers
        in_runtime = answers(run, cameras())
        truth = answers(in_torch(self.parts.whole()), cameras())
        differs = in_runtime.differs(truth)
        if differs.any():
            first = images.paths[int(rows[int(np.flatnonzero(differs)[0])])]
            raise StudyError(
                f"ONNX Runtime and torch decide differently on {int(differs.sum())} of {len(rows)} "
                f"{side} images, such as {first}; nothing is written. Please report this, with the "
                "network's name"
            )
        whose = np.arange(len(images)) if images.pictures is None else images.pictures
        all_rows = np.flatnonzero(np.isin(whose, whose[rows]))
        _, said = self.classifier.log_probabilities(images, all_rows, torch.device("cpu"))
        probabilities = self.classifier.probabilities(said)
        before = Answers(
            probabilities, probabilities.argmax(axis=1), self.classifier.stopped(probabilities)
        )
        otherwise = int(before.differs(truth).sum())
        if otherwise:
            self.progress.warn(
                f"{otherwise} of {len(rows)} {side} images get another decision than at "
                "fine-tuning: the graph resizes tall images in another order than Pillow, and "
                "reads all of a large JPEG, which fine-tuning reduced while decoding"
            )
        return Checked(side=side, pictures=len(rows), as_in_torch=0, as_finetuned=otherwise)

    def _timed(self, formats: list[Format]) -> list[Format]:
        there = [one.name for one in formats if one.files]
        found = {}
        for threads in sorted({1, cores_here()}):
            forms: dict[str, Callable[[], Run]] = {
                name: partial(self._run, name, threads) for name in there
            }
            found[threads] = speeds(forms, self.picture)
        return [
            one.model_copy(
                update={
                    "one_core": found[1].get(one.name),
                    "all_cores": found[cores_here()].get(one.name),
                }
            )
            for one in formats
        ]


def input_of(classifier: Classifier) -> Input:
    """What the graph of a classifier takes."""
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
