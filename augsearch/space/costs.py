"""What each operation costs, as measured by `benchmarks/op_costs.py` (`costs.json` beside this)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COSTS_FILE = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Cost:
    """Microseconds that an operation takes for one image, gate open.

    Attributes:
        image_size: side of the image in pixels.
        executor: `kornia` (the reference) or `fused`.
        microseconds: per image, on one thread.
    """

    image_size: int
    executor: str
    microseconds: float


@dataclass(frozen=True)
class CostTable:
    """All measured costs.

    Attributes:
        machine, date: where and when they were measured.
        ops: operation name to its costs; an operation that was not measured has none.
    """

    machine: str
    date: str
    ops: Mapping[str, tuple[Cost, ...]]


NOT_MEASURED = CostTable(machine="", date="", ops={})


def load_costs(path: Path = COSTS_FILE) -> CostTable:
    """The measured costs; `NOT_MEASURED` where there is no file."""
    if not path.is_file():
        return NOT_MEASURED
    content = json.loads(path.read_text(encoding="utf-8"))
    ops = {
        name: tuple(
            Cost(int(size), executor, float(microseconds))
            for size, executors in sizes.items()
            for executor, microseconds in executors.items()
        )
        for name, sizes in content["ops"].items()
    }
    return CostTable(content["machine"], content["date"], ops)
