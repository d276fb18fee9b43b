"""What the look at every batch of a custom operation costs.

    uv run python -m benchmarks.ops.own_op_check

Trains the smallest encoder on one thread under a crop and the operation of docs/own_ops.md, whose
gate is always open, and prints the check's share of a step: the median of seven times two steps.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor

from augsearch.augment import custom
from augsearch.augment.build import Renderer
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.pretrain import Pretraining
from augsearch.space.policy import Policy, load_policy
from benchmarks.shared.folders import ROOT

PAGE = ROOT / "docs" / "own_ops.md"
POLICY = """
ops: [{op: resized_crop}, {op: custom, of: my_ops.py:banding, parameters: {gain: 0.3}}]
"""
CASES = ((32, 256), (96, 64))
"""Side of the images, images in a batch."""


def page_policy(directory: Path) -> Policy:
    """A policy of the page's operation, whose file is written into `directory`."""
    code = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[0]
    (directory / "my_ops.py").write_text(code)
    (directory / "policy.yaml").write_text(POLICY)
    os.environ["AUGSEARCH_TRUST_CODE"] = "1"  # it is our own
    return load_policy(directory / "policy.yaml")


def shares(policy: Policy, size: int, batch: int) -> list[float]:
    """The check's share of the time of two steps, seven times."""
    run = Pretraining(
        torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8),
        Renderer.build(policy).function(0, 0),
        EncoderConfig(),
        PretrainConfig(steps=100, batch_size=batch),
        seed=0,
        device=torch.device("cpu"),
        mean=(0.5,) * 3,
        std=(0.2,) * 3,
    )
    check, spent = custom.wrong_form, 0.0

    def timed(changed: object, images: Tensor) -> str:
        nonlocal spent
        begin = time.perf_counter()
        wrong = check(changed, images)
        spent += time.perf_counter() - begin
        return wrong

    custom.wrong_form = timed
    found = []
    try:
        run.advance(3)
        for _ in range(7):
            spent, begin = 0.0, time.perf_counter()
            run.advance(run.step + 2)
            found.append(spent / (time.perf_counter() - begin))
    finally:
        custom.wrong_form = check
    return found


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as directory:
        policy = page_policy(Path(directory))
        for size, batch in CASES:
            found = shares(policy, size, batch)
            middle, low, high = (100 * f(found) for f in (statistics.median, min, max))
            print(f"{size} px, batch {batch}: {middle:.2f} % of a step ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
