"""What runs a deployed graph: torch, ONNX Runtime, OpenVINO. All take pictures as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from augsearch.deploying.graph import IMAGES
from augsearch.deploying.needs import needs
from augsearch.engines.processes import cpu_threads

Pictures = NDArray[np.uint8]
Run = Callable[[Pictures], list[NDArray[np.generic]]]
"""`[N, H, W, C]` uint8 to what the graph gives, in its order."""

BATCH, BYTES = 64, 2**24
"""Pictures that are asked about at once, at most, and bytes of all but the first."""


@dataclass(frozen=True)
class Answers:
    """What a graph says of pictures.

    Attributes:
        probabilities: `[n, K]`.
        guess: `[n]` the class that decides.
        stopped: `[n]` whether the threshold stops it; None without one.
    """

    probabilities: NDArray[np.float64]
    guess: NDArray[np.int64]
    stopped: NDArray[np.bool_] | None

    def differs(self, other: Answers) -> NDArray[np.bool_]:
        """`[n]` where another decides otherwise."""
        changed: NDArray[np.bool_] = self.guess != other.guess
        if self.stopped is not None and other.stopped is not None:
            changed = changed | (self.stopped != other.stopped)
        return changed


def in_torch(whole: nn.Module, threads: int | None = None) -> Run:
    """A module as it is, on so many cores; None for as many as torch uses."""

    @torch.no_grad()
    def run(images: Pictures) -> list[NDArray[np.generic]]:
        with nullcontext() if threads is None else cpu_threads(threads):
            said = whole(torch.from_numpy(np.ascontiguousarray(images)))
        return [found.numpy() for found in said]

    return run


def in_onnxruntime(model: Path, threads: int) -> Run:
    """An ONNX file, on so many cores."""
    runtime = needs("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(images: Pictures) -> list[NDArray[np.generic]]:
        found: list[NDArray[np.generic]] = session.run(None, {IMAGES: images})
        return found

    return run


def in_openvino(model: Path, threads: int) -> Run:
    """An OpenVINO model, on so many cores."""
    openvino = needs("openvino")
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # else 16 bits, on processors that have them
    }
    compiled = openvino.Core().compile_model(model, "CPU", settings)

    def run(images: Pictures) -> list[NDArray[np.generic]]:
        found = compiled([images])
        return [np.array(found[place]) for place in range(len(compiled.outputs))]

    return run


def answers(run: Run, pictures: Iterable[Pictures]) -> Answers:
    """What is said of `[H, W, C]` pictures, which may differ in size."""
    said: list[list[NDArray[np.generic]]] = []
    waiting: list[Pictures] = []

    def ask() -> None:
        if waiting:
            said.append(run(np.stack(waiting)))
            waiting.clear()

    for picture in pictures:
        if waiting:
            full = len(waiting) == BATCH or len(waiting) * picture.nbytes > BYTES
            if full or waiting[0].shape != picture.shape:
                ask()
        waiting.append(picture)
    ask()
    columns = [np.concatenate(parts) for parts in zip(*said, strict=True)]
    return Answers(
        columns[0].astype(np.float64),
        columns[1].astype(np.int64),
        columns[2].astype(bool) if len(columns) > 2 else None,
    )
