"""One training of `starts.py`, where processes find it."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import torch

from augsearch.bench.bench import Bench
from augsearch.data.cache import load_images
from augsearch.errors import TrialFailure
from augsearch.space.policy import Policy
from augsearch.study_file import StudyConfig
from benchmarks.shared.folders import BENCHMARKS

ENCODER = BENCHMARKS / "encoders" / "mobilenetv1_025.py"


@dataclasses.dataclass(frozen=True)
class Run:
    """One training. `setting` is a JSON object of what differs from the defaults."""

    data: str
    size: int
    start: str
    setting: str
    policy: str
    seed: int
    steps: int

    def config(self, weights: str) -> StudyConfig:
        options = json.loads(self.setting)
        own = ("frozen_stages", "statistics")
        encoder: dict[str, Any] = {}
        if self.start != "scratch":
            os.environ["AUGSEARCH_TRUST_CODE"] = "1"  # it is our own
            encoder = {"name": "custom", "file": str(ENCODER), "weights": weights}
            encoder |= {key: options.pop(key) for key in own if key in options}
        pretrain = {"steps": self.steps, "precision": "float32", **options}
        return StudyConfig.model_validate(
            {"data": {"image_size": self.size}, "encoder": encoder, "pretrain": pretrain}
        )


@dataclasses.dataclass(frozen=True)
class Shared:
    """What every run needs, sent once to each process."""

    roots: dict[str, Path]
    weights: str
    policies: dict[str, Policy]


def do_run(shared: Shared, run: Run) -> dict[str, Any]:
    """Train and score; a run without a policy is of the encoder as it is."""
    config = run.config(shared.weights)
    images = load_images(shared.roots[run.data], config.data)
    bench = Bench.build(images, config, seed=0, device=torch.device("cpu"))
    try:
        if run.policy:
            outcome = bench.try_policy(
                shared.policies[run.policy], replicate=run.seed, steps=run.steps
            )
        else:
            outcome = bench.untrained(replicate=run.seed, scored="validation")
    except TrialFailure as failure:
        return {"failure": str(failure)}
    return {
        "score": outcome.score,
        "all_labels": outcome.full_probe,
        "knn": outcome.knn,
        "seconds": outcome.seconds["total"],
    }
