"""Part c: whole trials on one GPU: how many an hour, and how busy the GPU is meanwhile."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from augsearch.augment.baselines import simclr
from augsearch.data.imageset import ImageSet
from benchmarks.gpu.device_run import Run
from benchmarks.gpu.use import GpuUse
from benchmarks.speed.augmentation import smooth_images

if TYPE_CHECKING:
    from augsearch.bench.bench import Bench


@dataclass(frozen=True)
class Trial:
    """A data set and a budget; `count` trials are timed after one that is not."""

    images: int
    size: int
    encoder: str
    batch: int
    epochs: int
    count: int


def labelled_pictures(count: int, size: int) -> ImageSet:
    """Random smooth pictures; the class says how red one is, so that probes have an easy task."""
    images = smooth_images(count, size, torch.device("cpu")).numpy()
    redness = images[:, 0].mean((1, 2))
    ranks = redness.argsort().argsort()
    return ImageSet(
        name="random pictures",
        images=images,
        labels=(ranks * 10 // count).astype(np.int64),
        classes=tuple(f"red {k}" for k in range(10)),
        groups=np.arange(count),
        fixed_split=("",) * count,
        paths=tuple(str(k) for k in range(count)),
        digest="random pictures",
    )


def time_trials(run: Run, trial: Trial) -> None:
    # Only here: processes that part d starts import this module, too, but no scikit-learn.
    from augsearch.bench.bench import Bench
    from augsearch.study_file import StudyConfig

    steps = trial.epochs * trial.images // trial.batch
    config = StudyConfig.model_validate(
        {
            "data": {"image_size": trial.size},
            "encoder": {"name": trial.encoder},
            "pretrain": {"steps": steps, "batch_size": trial.batch},
            "search": {"pruner": {"kind": "none"}},
            "confirm": {"steps": steps},
        }
    )
    pictures = labelled_pictures(trial.images, trial.size)
    bench = Bench.build(pictures, config, seed=0, device=run.device)
    rows = []
    with GpuUse(run.device) as use:
        for number in range(trial.count + 1):
            if not run.report.in_time(f"trial {number}"):
                break
            row = one_trial(bench, use, number, steps)
            if number > 0:  # the first one sets things up
                rows.append(row)
                run.report.add("c trials", {"trial": trial, "steps": steps, **row})
    if rows:
        run.report.add("c trials, medians", summary(rows))


def one_trial(bench: Bench, use: GpuUse, number: int, steps: int) -> dict[str, float | None]:
    """A trial as a study runs it, without rungs: seconds, and how busy the GPU was."""
    ends: list[float] = []
    begin = time.perf_counter()
    outcome = bench.try_policy(
        simclr((1 + number % 10) / 10),
        replicate=0,
        steps=steps,
        on_step=lambda _step, _rate: ends.append(time.perf_counter()),
    )
    end = time.perf_counter()
    return {
        "seconds": end - begin,
        "training_seconds": outcome.seconds["training"],
        "probe_seconds": outcome.seconds["probe"],
        "images_a_second": outcome.images_per_second,
        "busy_in_training": use.mean(ends[-1] - outcome.seconds["training"], ends[-1]),
        "busy_in_all": use.mean(begin, end),
    }


def summary(rows: list[dict[str, float | None]]) -> dict[str, object]:
    medians: dict[str, object] = {}
    for key in rows[0]:
        known = [value for row in rows if (value := row[key]) is not None]
        medians[key] = statistics.median(known) if known else "unknown"
    seconds = [float(row["seconds"] or 0) for row in rows]
    training_seconds = [float(row["training_seconds"] or 0) for row in rows]
    found: dict[str, object] = {
        "trials_an_hour": 3600 / statistics.median(seconds),
        "low": 3600 / max(seconds),
        "high": 3600 / min(seconds),
        "trials_an_hour_without_probes": 3600 / statistics.median(training_seconds),
        **medians,
    }
    for name, said in found.items():
        print(f"  {name:30} {said if isinstance(said, str) else f'{said:.1f}'}")
    return found
