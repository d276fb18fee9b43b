"""The graph in other forms: half precision, whole numbers, OpenVINO, torch's own."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.deploying.graph import LOGITS, SQUARES, Graphs, Parts, any_picture, exported
from augsearch.deploying.needs import needs
from augsearch.deploying.quiet import quiet

PERCENTILE = 99.99
"""Of a layer's values that the narrower of the two calibrations keeps inside its range."""
CHUNK = 16
"""Squares at a time; ONNX Runtime's histograms want all such batches of one size."""


def half_precision(graphs: Graphs) -> Any:
    """The networks with weights and arithmetic of 16 bits."""
    converter = needs("onnxruntime.transformers.float16")
    onnx = needs("onnx")
    body = onnx.ModelProto()
    body.CopyFrom(graphs.body)
    with quiet():
        found = converter.convert_float_to_float16(body, keep_io_types=True)
        needs("onnxruntime.transformers.onnx_model").OnnxModel(found).topological_sort()
    return found


def whole_numbers(graphs: Graphs, squares: NDArray[np.float32]) -> Any:
    """The networks with weights and activations of 8 bits, each channel with a scale of its own.

    Ranges are those that `squares` fill, or all but the outermost 1 of 10,000 values: whichever
    answers more like the original.

    Args:
        squares: `[n, 1, C, S, S]` normalised.
    """
    quantization = needs("onnxruntime.quantization")
    methods = quantization.CalibrationMethod
    with tempfile.TemporaryDirectory() as scratch, quiet(), redirect_stdout(io.StringIO()):
        begin = Path(scratch, "begin.onnx")
        quantization.quant_pre_process(graphs.body, str(begin))
        wanted = _logits(begin, squares)
        found = []
        for method, more in (
            (methods.MinMax, {}),
            (methods.Percentile, {"CalibPercentile": PERCENTILE}),
        ):
            path = Path(scratch, f"{method.name}.onnx")
            quantization.quantize_static(
                str(begin),
                str(path),
                _Reader(squares),
                per_channel=True,
                calibrate_method=method,
                extra_options=more,
            )
            found.append((_distance(wanted, _logits(path, squares)), path.name, path))
        return needs("onnx").load(min(found)[2])


class _Reader:
    """Squares in the form in which ONNX Runtime asks for them."""

    def __init__(self, squares: NDArray[np.float32]) -> None:
        self._chunks = iter(_chunks(squares))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch, None at the end."""
        chunk = next(self._chunks, None)
        return None if chunk is None else {SQUARES: chunk}


def _chunks(squares: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for begin in range(0, len(squares), CHUNK):
        yield squares[begin : begin + CHUNK]


def _logits(model: Path, squares: NDArray[np.float32]) -> NDArray[np.float64]:
    session = needs("onnxruntime").InferenceSession(model, providers=["CPUExecutionProvider"])
    each = [session.run([LOGITS], {SQUARES: chunk})[0] for chunk in _chunks(squares)]
    return np.concatenate(each).astype(np.float64)


def _distance(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Mean divergence of what two sets of logits say."""
    from scipy.special import log_softmax

    truth, guess = log_softmax(wanted, axis=-1), log_softmax(found, axis=-1)
    return float((np.exp(truth) * (truth - guess)).sum(axis=-1).mean())


def write_openvino(model: Path, path: Path, metadata: Mapping[str, str]) -> list[Path]:
    """OpenVINO's two files of an ONNX file; `metadata` is in its runtime information, below
    `augsearch`."""
    openvino = needs("openvino")
    converted = openvino.convert_model(model)
    # It reads what is not there as 0, so that it must not be asked for other channels.
    shape = converted.inputs[0].partial_shape
    if shape[3].is_dynamic:
        shape[3] = openvino.Dimension(1, 3)
        converted.reshape({converted.inputs[0]: shape})
    for key, value in metadata.items():
        converted.set_rt_info(value, ["augsearch", key])
    openvino.save_model(converted, path, compress_to_fp16=False)
    return [path, path.with_suffix(".bin")]


def write_program(parts: Parts, path: Path, metadata: Mapping[str, str]) -> list[Path]:
    """The graph as `torch.export` has it; `torch.export.load(path).module()` runs it, and its
    `extra_files` give `metadata`."""
    program = exported(parts.whole(), parts.example(), any_picture(parts.pixels.channels))
    with quiet():
        torch.export.save(program, path, extra_files=dict(metadata))
    return [path]
