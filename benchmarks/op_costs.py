"""What each operation costs: microseconds for one image, gate open, parameters at their defaults.

    uv run python benchmarks/op_costs.py [--op NAME ...] [--output FILE]

One thread, batches of 64 random images of 32 and of 96 pixels; the median of the repeats. Prints a
table and writes `augsearch/space/costs.json`, from which `augsearch ops NAME` and `docs/ops.md`
take their costs; afterwards: `uv run python -m tools.ops_page --text`. With `--op`, what the file
says of other operations stays. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

from augsearch.augment.draws import Draws
from augsearch.augment.executor import plan, run_steps
from augsearch.space.catalogue import OPERATIONS, Operation
from augsearch.space.costs import COSTS_FILE
from augsearch.space.policy import POLICY_OPS, PolicyOp

BATCH = 64
SIZES = (32, 96)
REPEATS = 9
SHORTEST = 0.02
"""Seconds of one repeat: a fast operation is called so often that the clock can tell."""

Run = Callable[[Tensor, PolicyOp, Draws], Tensor]


def kornia(images: Tensor, op: PolicyOp, draws: Draws) -> Tensor:
    """The reference executor."""
    return run_steps(images, plan([op]), draws)


EXECUTORS: Mapping[str, Run] = {"kornia": kornia}
"""Those that are measured, by the name under which their cost stands in the file."""


def visible_op(operation: Operation) -> PolicyOp:
    """The operation at its defaults; where those change nothing, all magnitudes at half way."""
    op = POLICY_OPS[operation.name].model_validate({"op": operation.name, "p": 1.0})
    if not op.is_identity():
        return op
    halfway = {p.name: (p.low + p.high) / 2 for p in operation.parameters}
    return POLICY_OPS[operation.name].model_validate({"op": operation.name, "p": 1.0, **halfway})


def microseconds(run: Run, op: PolicyOp, size: int) -> float:
    """Median time of one image."""
    images = torch.rand(BATCH, 3, size, size, generator=torch.Generator().manual_seed(0))

    def call(step: int) -> float:
        draws = Draws(0, 0, step, (0,), BATCH, images.device)
        before = time.perf_counter()
        run(images, op, draws)
        return time.perf_counter() - before

    once = min(call(0), call(1))
    calls = max(1, round(SHORTEST / once))
    repeats = [sum(call(step) for step in range(calls)) / calls for _ in range(REPEATS)]
    return 1e6 * statistics.median(repeats) / BATCH


def measure(operation: Operation) -> dict[str, dict[str, float]]:
    """Size -> executor -> microseconds."""
    op = visible_op(operation)
    return {
        str(size): {
            name: float(f"{microseconds(run, op, size):.3g}") for name, run in EXECUTORS.items()
        }
        for size in SIZES
    }


def machine() -> str:
    """Name of the processor, and of torch's version."""
    names = [
        line.partition(":")[2].strip()
        for line in _lines(Path("/proc/cpuinfo"))
        if line.startswith("model name")
    ]
    return f"{names[0] if names else platform.processor()}, torch {torch.__version__}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what each operation costs.")
    parser.add_argument("--op", nargs="+", choices=OPERATIONS, default=list(OPERATIONS))
    parser.add_argument("--output", type=Path, default=COSTS_FILE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    if set(arguments.op) != set(OPERATIONS) and arguments.output.is_file():
        found = json.loads(arguments.output.read_text())["ops"]
    columns = [f"{executor} {size} px" for size in SIZES for executor in EXECUTORS]
    print(f"{'µs per image':28s}", *(f"{column:>14s}" for column in columns))
    with torch.inference_mode():
        for name in arguments.op:
            found[name] = measure(OPERATIONS[name])
            numbers = [found[name][str(size)][e] for size in SIZES for e in EXECUTORS]
            print(f"{name:28s}", *(f"{number:14.3g}" for number in numbers), flush=True)
    content = {
        "command": "uv run python benchmarks/op_costs.py",
        "machine": machine(),
        "date": date.today().isoformat(),
        "batch": BATCH,
        "threads": 1,
        "repeats": REPEATS,
        "unit": "microseconds per image",
        "ops": {name: found[name] for name in OPERATIONS if name in found},
    }
    arguments.output.write_text(json.dumps(content, indent=1) + "\n")
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
