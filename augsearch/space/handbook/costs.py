"""What each operation costs, as `benchmarks/ops/costs.py` measured it: `costs.json` beside this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from augsearch.space.policy import Policy
from augsearch.space.policy_ops import OneOf, PolicyOp

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

    def microseconds(self, op: str, image_size: int, executor: str) -> float:
        """What `op` costs for one image, gate open, scaled by pixels from the nearest size that
        was measured; on the reference where the executor does not know it, 0 if not measured."""
        costs = self.ops.get(op, ())
        own = [cost for cost in costs if cost.executor == executor]
        found = own or [cost for cost in costs if cost.executor == "kornia"]
        if not found:
            return 0.0
        nearest = min(found, key=lambda cost: abs(cost.image_size - image_size))
        return nearest.microseconds * (image_size / nearest.image_size) ** 2


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


@cache
def measured_costs() -> CostTable:
    """The costs that ship with the package."""
    return load_costs()


def views_microseconds(policy: Policy, image_size: int, executor: str) -> float:
    """What both views of one image are expected to cost: each operation's measured cost, times
    how often its gate is open. A figure for comparisons: magnitudes do not count in it.

    Args:
        executor: `kornia` or `fused`; `auto` counts as fused.
    """
    runs_on = "kornia" if executor == "kornia" else "fused"

    def cost(op: PolicyOp) -> float:
        if isinstance(op, OneOf):
            return op.p * sum(map(cost, op.ops)) / len(op.ops)
        return op.p * measured_costs().microseconds(op.op, image_size, runs_on)

    return sum(cost(op) for ops in policy.views for op in ops)
