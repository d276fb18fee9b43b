"""One training of `starts.py`, where processes find it."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any, cast

import torch

from augsearch.bench.bench import Bench
from augsearch.bench.scoring import outcome_of
from augsearch.bench.supervised import try_supervised
from augsearch.data.cache import load_images
from augsearch.data.embedded.scenes import Label
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.errors import TrialFailure
from augsearch.finetuning.members import training_of
from augsearch.model_sections import FinetuneConfig
from augsearch.simclr.encoders.start import Start
from augsearch.space.policy import Policy
from augsearch.study_file import StudyConfig
from benchmarks.shared.folders import BENCHMARKS

ENCODER = BENCHMARKS / "encoders" / "mobilenetv1_025.py"
TUNING = FinetuneConfig(steps=100)
"""At the rate for what a run began with: 0.001 from weights, 0.002 from nothing."""
DRAWN_SEED = 2700
"""Of the drawn domains: an instance that nothing else uses."""


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
    """What every run needs, sent once to each process. A root of None: images are drawn."""

    roots: dict[str, Path | None]
    weights: str
    policies: dict[str, Policy]

    def images(self, run: Run, config: StudyConfig) -> ImageSet:
        root = self.roots[run.data]
        if root is not None:
            return load_images(root, config.data)
        label = cast("Label", run.data)
        return draw_surfaces(SurfaceSpec(label, image_size=run.size, seed=DRAWN_SEED))


def do_run(shared: Shared, run: Run) -> dict[str, Any]:
    """Train and score; a run without a policy is of the encoder as it is.

    `score` and `all_labels` are probes of the features. `fine_tuned` is the encoder trained on,
    with one draw of few labels and images as they are.
    """
    config = run.config(shared.weights)
    bench = Bench.build(shared.images(run, config), config, seed=0, device=torch.device("cpu"))
    begun = time.perf_counter()
    policy = shared.policies[run.policy] if run.policy else Policy(ops=())
    training = bench.pretraining(policy, replicate=run.seed, steps=run.steps)
    try:
        if run.policy:
            training.advance(run.steps)
        elif bench.start is None:
            training.take_statistics()
        outcome = outcome_of(bench, training, "validation", run.seed, check=bool(run.policy))
        tuned = fine_tuned(bench, training.encoder.body.state_dict(), run.seed)
    except TrialFailure as failure:
        return {"failure": str(failure)}
    return {
        "score": outcome.score,
        "all_labels": outcome.full_probe,
        "fine_tuned": tuned,
        "knn": outcome.knn,
        "seconds": time.perf_counter() - begun,
    }


def fine_tuned(bench: Bench, state: dict[str, torch.Tensor], seed: int) -> float:
    """The score of a classifier that begins with these weights of the encoder."""
    start = Start(dict(state), "", bench.mean, bench.std, ())
    config = bench.config.model_copy(update={"pretrain": training_of(TUNING, bench.config)})
    begun = dataclasses.replace(bench, config=config, start=start)
    return try_supervised(begun, Policy(ops=()), replicate=seed, steps=TUNING.steps).score
