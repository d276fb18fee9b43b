"""How busy a GPU is while a program runs: NVML's utilisation, sampled in a thread."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import torch

SECONDS_BETWEEN = 0.1


class GpuUse:
    """Samples the share of time in which the GPU ran a kernel, however small, in percent.

    NVML's own sample covers the last 1/6 to 1 second, so spans below some seconds mean little.
    """

    def __init__(self, device: torch.device) -> None:
        self._read = _reader(device)
        self._samples: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def mean(self, begin: float, end: float) -> float | None:
        """Percent between two times of `time.perf_counter`; None if nobody knows."""
        found = [percent for moment, percent in self._samples if begin <= moment <= end]
        return statistics.mean(found) if found else None

    def _watch(self) -> None:
        while self._read is not None and not self._ended.wait(SECONDS_BETWEEN):
            percent = self._read()
            self._samples.append((time.perf_counter(), percent))


def _reader(device: torch.device) -> Callable[[], float] | None:
    """The first of torch (which needs nvidia-ml-py) and nvidia-smi that answers."""
    if device.type != "cuda":
        return None
    readers: tuple[Callable[[], float], ...] = (
        lambda: float(torch.cuda.utilization(device)),
        lambda: _nvidia_smi(device),
    )
    for read in readers:
        try:
            read()
        except Exception:  # no module, no program, no driver, or no permission
            continue
        return read
    return None


def _nvidia_smi(device: torch.device) -> float:
    uuid = torch.cuda.get_device_properties(device).uuid
    command = ["nvidia-smi", "-i", f"GPU-{uuid}"]
    command += ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10)
    return float(done.stdout)
