"""What each operation costs: microseconds that it adds for one image, gate open, at its defaults.

    uv run python -m benchmarks.ops.costs [--op NAME ...] [--output FILE]

One thread, batches of 64 random uint8 images of 32 and of 96 pixels (two views of 32); the median
of the repeats, less that of a policy without operations. `kornia` is the reference executor,
`fused` the fast one, where it knows the operation; what fusing several saves is not in it. Where
the defaults change nothing, magnitudes are at half of their range.

Prints a table and writes `augsearch/space/handbook/costs.json`, from which `augsearch ops NAME` and
`docs/ops.md` take their costs; afterwards: `uv run python -m tools.ops_page --text`. With `--op`,
what the file says of other operations stays. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

from augsearch.augment.build import Renderer
from augsearch.space.catalogue import OPERATIONS, Operation
from augsearch.space.handbook.costs import COSTS_FILE
from augsearch.space.policy import Policy
from augsearch.space.view_options import Executor

BATCH = 64
SIZES = (32, 96)
REPEATS = 9
SHORTEST = 0.02
"""Seconds of one repeat: a fast operation is called so often that the clock can tell."""
EXECUTORS: Mapping[str, Executor] = {"kornia": "kornia", "fused": "auto"}
"""Name in the file -> executor; `auto` says which operations it leaves to the reference."""
SMALLEST = 0.1
"""Microseconds below which the difference is the clock's."""


def policy_of(operation: Operation) -> Policy:
    """The operation at its defaults; where those change nothing, all magnitudes at half way."""
    alone = Policy.model_validate({"ops": [{"op": operation.name, "p": 1.0}]})
    if not alone.views[0][0].is_identity():
        return alone
    halfway = {p.name: (p.low + p.high) / 2 for p in operation.parameters}
    return Policy.model_validate({"ops": [{"op": operation.name, "p": 1.0, **halfway}]})


def microseconds_added(renderer: Renderer, nothing: Renderer, images: Tensor) -> float:
    """Median over the repeats of what `renderer` takes longer than `nothing`, for one image.

    The two take turns, so that a machine that slows down slows both.
    """

    def seconds(one: Renderer, calls: int) -> float:
        before = time.perf_counter()
        for step in range(calls):
            one(images, images.shape[-1], seed=0, step=step)
        return (time.perf_counter() - before) / calls

    seconds(nothing, 1)
    once = min(seconds(renderer, 1), seconds(renderer, 1))
    calls = max(1, round(SHORTEST / once))
    added = [seconds(renderer, calls) - seconds(nothing, calls) for _ in range(REPEATS)]
    return 1e6 * statistics.median(added) / (2 * len(images))


def measure(operation: Operation) -> dict[str, dict[str, float]]:
    """Size -> executor -> microseconds, without executors that do not know the operation."""
    costs: dict[str, dict[str, float]] = {}
    for size in SIZES:
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(
            0, 256, (BATCH // 2, 3, size, size), generator=generator, dtype=torch.uint8
        )
        costs[str(size)] = {}
        for name, executor in EXECUTORS.items():
            renderer = Renderer.build(policy_of(operation), executor)
            if renderer.fallbacks:
                continue
            nothing = Renderer.build(Policy(ops=()), executor)
            added = microseconds_added(renderer, nothing, images)
            costs[str(size)][name] = float(f"{max(added, SMALLEST):.3g}")
    return costs


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
            numbers = [found[name][str(size)].get(e, "") for size in SIZES for e in EXECUTORS]
            print(f"{name:28s}", *(f"{number:>14}" for number in numbers), flush=True)
    content = {
        "command": "uv run python -m benchmarks.ops.costs",
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
