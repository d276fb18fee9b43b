"""Training runs that benchmarks share: each is made once and kept, whatever stops in between.

A run is one policy, trained under one setting with one seed. What is kept are the features of the
pool's labelled images at a few steps, so that any probe can be fitted on them later without
training again. Files lie in a folder that is not part of the project (about 0.5 MB a run).
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.augment.baselines import BASELINES, simclr
from augsearch.bench.bench import Bench
from augsearch.bench.seeds import derived_seed
from augsearch.data.cache import load_images
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import UNLABELLED, ImageSet
from augsearch.engines.processes import Processes, process_count
from augsearch.errors import TrialFailure
from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.metrics import metric_value
from augsearch.evaluate.probe import few_label_probe
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.study_file import StudyConfig, load_study_config

LOOKS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the steps at which features are kept."""
AVERAGED_EVERY = 10
AVERAGING = 0.9
"""The weights' moving average: every so many steps, this much of it stays."""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Setting:
    """A way to try policies.

    Attributes:
        name: of the folder in which its runs lie.
        data: a folder of images, or `surfaces/<label>` for an embedded set.
        study: a study file or preset.
        changes: sections of the study file with what differs from it.
        salted: draws of its own for every policy, instead of the same for all.
        tempered: a temperature that rises with the policy's strength, see `tempered`.
        start: steps of SimCLR s=0.5 that every run of a seed begins from; they are trained once.
    """

    name: str
    data: str
    study: str = "standard"
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    salted: bool = False
    tempered: bool = False
    start: int = 0

    def config(self) -> StudyConfig:
        base = load_study_config(find_config(self.study, "studies"))
        parts = {
            part: getattr(base, part).model_copy(update=values)
            for part, values in self.changes.items()
        }
        return base.model_copy(update=parts)

    @property
    def steps(self) -> int:
        return self.config().pretrain.steps


@dataclass(frozen=True)
class Job:
    """One run to be made: `policy` is JSON and has a name of its own in the folder."""

    setting: Setting
    folder: Path
    name: str
    policy: str
    replicate: int

    @property
    def file(self) -> Path:
        return self.folder / self.setting.name / f"{self.name}-{self.replicate}.npz"


@dataclass(frozen=True)
class Run:
    """What is kept of a run.

    Attributes:
        steps: `[T]` at which there are features.
        features: `[T, n, D]` float16 of the labelled pool images, in their order.
        averaged: `[n, D]`, of the moving average of the weights at the end.
        cpu_seconds: of training, without looks.
    """

    steps: NDArray[np.int64]
    features: NDArray[np.float16]
    averaged: NDArray[np.float16]
    cpu_seconds: float


def make_runs(jobs: Sequence[Job], processes: int = 2) -> None:
    """Make what is missing, in the given order, on several cores."""
    todo = [job for job in jobs if not job.file.exists()]
    print(f"{len(jobs) - len(todo)} runs are there, {len(todo)} to make", flush=True)
    if not todo:
        return
    begin = time.monotonic()
    count = min(processes, process_count(1, len(todo)))
    made = Processes(threads=1, most=count).run(_make, None, todo)
    for number, (job, note) in enumerate(made, 1):
        spent = time.monotonic() - begin
        left = spent / number * (len(todo) - number) / 60
        print(f"{number}/{len(todo)} {job.setting.name} {job.name} {job.replicate} {note} "
              f"({left:.0f} min left)", flush=True)  # fmt: skip


@cache
def images_of(data: str, image_size: int, fit: str) -> ImageSet:
    if data.startswith("surfaces/"):
        label: Any = data.partition("/")[2]
        return draw_surfaces(SurfaceSpec(label=label, image_size=image_size))
    config = StudyConfig().data.model_copy(update={"image_size": image_size, "fit": fit})
    return load_images(Path(data), config)


@cache
def _bench(text: str) -> Bench:
    setting = Setting(**json.loads(text))
    config = setting.config()
    images = images_of(setting.data, config.data.image_size, config.data.fit)
    return Bench.build(images, config, seed=0, device=CPU)


def bench_of(setting: Setting) -> Bench:
    """The bench of a setting, built once a process."""
    return _bench(json.dumps(vars(setting)))


def labelled_pool(bench: Bench) -> NDArray[np.int64]:
    rows = bench.split.pool
    return np.asarray(rows[bench.image_set.labels[rows] != UNLABELLED])


def _make(_: None, job: Job) -> str:
    """Train, look, keep; the last rung's score as a note."""
    setting, bench = job.setting, bench_of(job.setting)
    policy = Policy.model_validate_json(job.policy)
    steps = setting.steps
    run = bench.pretraining(policy, replicate=job.replicate, steps=steps)
    if setting.tempered:
        heat = tempered(strength_of(bench, policy))
        run.config = run.config.model_copy(update={"temperature": heat})
    if setting.salted:
        seed = derived_seed(bench.seed, "salt", job.name)
        run._make_views = bench.renderer(policy).function(seed, job.replicate)
    if setting.start:
        run.encoder.load_state_dict(_started(json.dumps(vars(setting)), job.replicate))
    rows = labelled_pool(bench)

    def look(encoder: torch.nn.Module) -> NDArray[np.float16]:
        images = bench.image_set.images[rows]
        found = extract_features(encoder, images, bench.mean, bench.std, device=CPU)
        return found.astype(np.float16)

    average = copy.deepcopy(run.encoder)
    looks = sorted({max(1, round(share * steps)) for share in LOOKS})
    features, cpu = [], 0.0
    for target in looks:
        while run.step < target:
            begin = time.process_time()
            try:
                run.advance(min(target, run.step + AVERAGED_EVERY))
            except TrialFailure as failure:
                return f"failed: {failure}"
            cpu += time.process_time() - begin
            for mean, now in zip(_tensors(average), _tensors(run.encoder), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - AVERAGING)
        features.append(look(run.encoder))
    job.file.parent.mkdir(parents=True, exist_ok=True)
    partial = job.file.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as stream:
        np.savez(
            stream,
            steps=np.array(looks),
            features=np.stack(features),
            averaged=look(average),
            cpu_seconds=cpu,
        )
    partial.rename(job.file)
    return ""


@torch.no_grad()
def _tensors(encoder: torch.nn.Module) -> list[torch.Tensor]:
    return [tensor.detach() for tensor in encoder.state_dict().values()]


@cache
def _started(text: str, replicate: int) -> dict[str, torch.Tensor]:
    setting = Setting(**json.loads(text))
    run = _bench(text).pretraining(simclr(0.5), replicate=replicate, steps=setting.start)
    run.advance(setting.start)
    return copy.deepcopy(run.encoder.state_dict())


def read_run(job: Job) -> Run | None:
    """What was kept, or None if it was not made yet."""
    if not job.file.exists():
        return None
    with np.load(job.file) as file:
        return Run(file["steps"], file["features"], file["averaged"], float(file["cpu_seconds"]))


def probe_score(
    bench: Bench, features: NDArray[np.float16], evaluate: EvaluateConfig | None = None
) -> float:
    """The study's score of kept features, or that of another `evaluate` section."""
    rows, labels = labelled_pool(bench), bench.image_set.labels
    full = np.zeros((len(labels), features.shape[1]), dtype=np.float32)
    full[rows] = features
    if evaluate is None:
        return few_label_probe(full, labels, bench.draws["validation"], bench.config.evaluate).score
    from augsearch.data.splits.splits import label_draws

    draws = label_draws(
        labels, bench.image_set.groups, bench.split.pool,
        labels_per_class=evaluate.labels_per_class, draws=evaluate.draws, seed=bench.seed,
        classes=bench.image_set.classes,
    )  # fmt: skip
    return few_label_probe(full, labels, draws, evaluate).score


def inner_folds_score(bench: Bench, features: NDArray[np.float16]) -> float:
    """The study's score, but with C chosen for every label draw by three folds inside it."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    rows, labels = labelled_pool(bench), bench.image_set.labels
    place = {int(row): i for i, row in enumerate(rows)}
    wide, scores = features.astype(np.float32), []
    chooser = LogisticRegressionCV(
        Cs=[0.01, 0.1, 1.0, 10.0], cv=3, l1_ratios=(0.0,), use_legacy_attributes=False,
        scoring="balanced_accuracy", max_iter=1000, tol=1e-3,
    )  # fmt: skip
    probe = make_pipeline(StandardScaler(), chooser)
    with threadpool_limits(1):
        for draw in bench.draws["validation"]:
            fit, score = ([place[int(row)] for row in part] for part in (draw.fit, draw.score))
            probe.fit(wide[fit], labels[draw.fit])
            found = probe.predict_proba(wide[score])
            whole = np.zeros((len(score), len(bench.image_set.classes)))
            whole[:, probe.classes_] = found
            scores.append(metric_value(bench.config.evaluate.metric, labels[draw.score], whole))
    return float(np.mean(scores))


def tempered(strength: float) -> float:
    """A temperature from 0.1, where two views are alike, to 0.5, where they are as unlike as two
    images: strong policies have positives that are far apart."""
    return float(np.clip(0.1 + 0.4 * strength, 0.1, 0.5))


def spread_policies(space_file: str, count: int, channels: int = 3) -> Iterator[tuple[str, Policy]]:
    """The baselines, then points of a scrambled Sobol sequence over the space, `count` in all."""
    from scipy.stats import qmc

    from augsearch.space.searched import Range
    from augsearch.space.space import load_space

    for name, policy in list(BASELINES.items())[:count]:
        yield name.replace(" ", "_"), policy
    space = load_space(find_config(space_file, "spaces")).for_channels(channels)
    axes = space.axes()
    wanted = max(0, count - len(BASELINES))
    points = qmc.Sobol(len(axes), rng=np.random.default_rng(0)).random(64)[:wanted]
    for number, point in enumerate(points):
        values: dict[str, float] = {}
        for axis, share in zip(axes, point.tolist(), strict=True):
            if isinstance(axis.form, Range):
                low, high = axis.form.low, axis.form.high
                value = low * (high / low) ** share if axis.form.log else low + share * (high - low)
                values[axis.name] = round(value) if axis.integer else value
            else:
                values[axis.name] = axis.form.choices[int(share * len(axis.form.choices))]
        yield f"point_{number:02d}", space.policy(values, name=f"point {number}")


def strength_of(bench: Bench, policy: Policy, images: int = 256) -> float:
    """How far apart a policy's two views of an image are: the root mean square of their
    difference over that of two different images (all centred); about 0 to above 1."""
    batch = torch.from_numpy(np.array(bench.images[:images])) if not isinstance(
        bench.images, torch.Tensor
    ) else bench.images[:images]  # fmt: skip
    first, second = bench.renderer(policy).function(0, 0)(batch, 0)
    clean = batch.float() / 255
    apart = (clean - clean.roll(1, 0)).square().mean().sqrt()
    return float((first - second).square().mean().sqrt() / apart)
