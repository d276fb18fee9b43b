"""What the parts of `run.py` share: the device, a report that is always on the disk."""

from __future__ import annotations

import gc
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from benchmarks.shared.timing import Timing, paired_ratios, print_timings, write_result

Call = Callable[[], object]


@dataclass
class Report:
    """What was found so far, on the disk at any time."""

    name: str
    folder: Path
    deadline: float
    parts: dict[str, list[object]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    failed: bool = False

    def add(self, part: str, row: Mapping[str, object]) -> None:
        self.parts.setdefault(part, []).append(dict(row))
        self.write()

    def trouble(self, what: str) -> None:
        print(f"  ! {what}", flush=True)
        self.troubles.append(what)
        self.write()

    def write(self) -> Path:
        content = {"parts": self.parts, "left_out": self.troubles}
        return write_result(self.name, content, self.folder)

    def in_time(self, what: str) -> bool:
        """Is there time left to begin with `what`? If not, that is written down."""
        if time.monotonic() < self.deadline:
            return True
        self.trouble(f"{what}: no time left")
        return False


@dataclass(frozen=True)
class Run:
    """What every part is given.

    Attributes:
        repeats: rounds of a comparison that count, after `warmup` that do not.
    """

    device: torch.device
    report: Report
    repeats: int
    warmup: int

    @property
    def on_cuda(self) -> bool:
        return self.device.type == "cuda"

    def wait(self) -> None:
        if self.on_cuda:
            torch.cuda.synchronize(self.device)

    def attempt(self, what: str, measure: Call) -> None:
        """Measure, unless the time is over; what goes wrong is written down and ends only this."""
        if not self.report.in_time(what):
            return
        try:
            measure()
        except Exception as error:
            traceback.print_exc()
            self.report.failed = True
            self.report.trouble(f"{what}: {type(error).__name__}: {error}")
        if self.on_cuda:
            # Compiled code included: its graphs hold the memory of their activations.
            torch.compiler.reset()
            gc.collect()
            torch.cuda.empty_cache()

    def working(self, what: str, builders: Mapping[str, Callable[[], Call]]) -> dict[str, Call]:
        """Build each function and call it once.

        One that cannot be is left out with the reason; the first one has to be there.
        """
        found: dict[str, Call] = {}
        for name, build in builders.items():
            try:
                call = build()
                call()
                self.wait()
                found[name] = call
            except Exception as error:  # whatever a compiler or a driver raises
                if not found:
                    raise  # without the first, which all are compared with, nothing can be said
                reason = str(error).strip().partition("\n")[0]
                self.report.trouble(f"{what}, {name}: {type(error).__name__}: {reason}")
        return found

    def compare(self, title: str, functions: Mapping[str, Call]) -> list[Timing]:
        """Timings against the first function, printed."""
        found = paired_ratios(functions, self.repeats, self.warmup, self.wait)
        print_timings(title, found)
        sys.stdout.flush()
        return found
