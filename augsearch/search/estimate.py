"""What a study will cost, from a few measured steps on its own bench."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from augsearch.augment.baselines import BASELINES
from augsearch.data.advice import data_warnings
from augsearch.engines.processes import cpu_threads, process_count
from augsearch.search.proxies import space_warning
from augsearch.search.setup import EMBEDDED, Setup

WARMUP, MEASURED = 3, 8
ARTIFACTS_MB = 0.25
"""Disk that one run takes in MLflow and Optuna: a picture and some rows."""


@dataclass(frozen=True)
class Estimate:
    """Cost of a study and what may spoil it. `seconds` is an upper bound: no trial is pruned."""

    name: str
    images: int
    classes: int
    image_size: int
    trials: int
    steps: int
    device: str
    seconds: float
    memory_mb: float
    disk_mb: float
    warnings: tuple[str, ...]


def estimate(setup: Setup) -> Estimate:
    """Measure a few training steps under the strongest baseline and one probe, and add up."""
    bench, config = setup.bench, setup.config
    image_set = setup.image_set
    run = bench.pretraining(
        BASELINES["SimCLR s=1"], replicate=0, steps=max(config.pretrain.steps, WARMUP + MEASURED)
    )
    with cpu_threads(config.compute.threads):
        run.advance(WARMUP)
        begin = time.perf_counter()
        run.advance(WARMUP + MEASURED)
        per_step = (time.perf_counter() - begin) / MEASURED
        begin = time.perf_counter()
        bench.untrained(replicate=0, scored="validation")
        probe = time.perf_counter() - begin

    confirmed = config.confirm.top + config.confirm.baselines
    trial = config.pretrain.steps * per_step + (len(config.rungs) + 1) * probe
    rerun = config.confirm.steps * per_step + probe
    short, long = len(BASELINES), confirmed * config.confirm.seeds
    beside = 1
    if setup.device.type == "cpu":
        beside = process_count(config.compute.threads, long)
    seconds = config.search.trials * trial + (short * trial + long * rerun) / beside
    decoded = image_set.images.nbytes / 1e6
    confounded = space_warning(setup.space, config.evaluate)
    return Estimate(
        name=setup.name,
        images=len(image_set),
        classes=len(image_set.classes),
        image_size=image_set.image_size,
        trials=config.search.trials,
        steps=config.pretrain.steps,
        device=str(setup.device),
        seconds=seconds,
        memory_mb=psutil.Process().memory_info().rss / 1e6 + decoded,
        disk_mb=decoded + (config.search.trials + short + long) * ARTIFACTS_MB,
        warnings=data_warnings(
            image_set,
            config.data,
            config.evaluate.labels_per_class,
            root=None if setup.source == EMBEDDED else Path(setup.source),
        )
        + run.notes
        + ((confounded,) if confounded else ()),
    )
