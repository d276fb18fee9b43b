"""What the benchmarks share: paired timings, the machine's name, results on disk."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.shared.folders import RESULTS


@dataclass(frozen=True)
class Timing:
    """How long a function takes.

    Attributes:
        seconds: median time of a call.
        ratio: median of its time over that of the first function in the same round.
        low, high: the smallest and the largest such ratio.
    """

    name: str
    seconds: float
    ratio: float
    low: float
    high: float


def paired_ratios(
    functions: Mapping[str, Callable[[], object]],
    repeats: int = 7,
    warmup: int = 1,
    synchronize: Callable[[], None] = lambda: None,
) -> list[Timing]:
    """Time all functions in every round, and compare each with the first one of its own round.

    Whatever slows the machine for a while slows both sides of a ratio. The order is reversed from
    round to round, so that nobody profits from coming after somebody else.

    Args:
        repeats: rounds that count, after `warmup` rounds that do not.
        synchronize: waits for the device, e.g. `torch.cuda.synchronize`.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(warmup + repeats):
        names = list(functions)[:: -1 if turn % 2 else 1]
        for name in names:
            synchronize()
            begin = time.perf_counter()
            functions[name]()
            synchronize()
            if turn >= warmup:
                seconds[name].append(time.perf_counter() - begin)
    first = next(iter(seconds.values()))
    return [
        _timing(name, own, [a / b for a, b in zip(own, first, strict=True)])
        for name, own in seconds.items()
    ]


def _timing(name: str, seconds: Sequence[float], ratios: Sequence[float]) -> Timing:
    return Timing(
        name,
        seconds=statistics.median(seconds),
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
    )


def print_timings(title: str, timings: Sequence[Timing]) -> None:
    """A table: milliseconds of a call, its ratio to the first row, the range of that ratio."""
    width = max(len(timing.name) for timing in timings)
    print(f"{title}\n  {'':{width}}  {'ms':>9}  {'ratio':>6}  range")
    for t in timings:
        print(
            f"  {t.name:{width}}  {1e3 * t.seconds:9.2f}  {t.ratio:6.3f}  {t.low:.3f}-{t.high:.3f}"
        )


def machine() -> dict[str, object]:
    """The machine and the versions that a figure was measured with."""
    return {
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
        if hasattr(os, "sysconf") else None,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }  # fmt: skip


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _told(argument: str) -> str:
    """An argument without the folders of this machine."""
    outside = argument.startswith(("/", "../"))
    return f"path/to/{Path(argument).name}" if outside else argument


def write_result(name: str, content: Mapping[str, object], folder: Path = RESULTS) -> Path:
    """Write `content` with date, command and machine to <folder>/<name>.json; returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.json"
    text = json.dumps({**made(), "machine": machine(), **content}, indent=1, default=asdict)
    target.write_text(text + "\n", encoding="utf-8")
    return target


def made() -> dict[str, str]:
    """Today's date and the command, for what a result keeps of several calls."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": " ".join(["python", *_program(), *map(_told, sys.argv[1:])]),
    }


def _program() -> list[str]:
    """What Python was told to run: a module by its name, if it was one."""
    spec = sys.modules["__main__"].__spec__
    return ["-m", spec.name] if spec else [os.path.relpath(sys.argv[0])]
