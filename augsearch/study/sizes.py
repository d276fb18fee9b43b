"""Which image size a study should have: the smallest at which the classes can still be told.

Measured on the images of the search (the sealed ones stay sealed) by few-label probes on features
without training: of the pretrained encoder if there is one, else of several random ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import Bench
from augsearch.data.decoding.decode import large_files_allowed, picture_size
from augsearch.data.imageset import ImageRows, ImageSet
from augsearch.data.splits.splits import LabelDraw
from augsearch.engines.processes import cpu_threads
from augsearch.errors import ConfigError, DataError
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.metrics import METRICS
from augsearch.evaluate.probe import few_label_probe
from augsearch.space.policy import Policy
from augsearch.stats.crossed import MeanEstimate, estimate_difference
from augsearch.stats.scored_images import ScoredImages
from augsearch.study_file import StudyConfig
from augsearch.words import duration

SIZES = (32, 48, 64, 96, 128, 224)
MARGIN = 0.01
"""Loss of score that a size must be shown to exceed before a larger one is taken."""
MOST_LOSS = 0.02
"""Loss that is too much even where it is not shown."""
OPEN = 0.08
"""Loss that would be a lot."""
LEVEL = 0.9
REPLICATES = 3
MOST = 600
"""Images that probes are scored on."""
SAMPLED = 64
"""Files whose own size is looked at."""
WARMUP, MEASURED = 1, 3


@dataclass(frozen=True)
class SizeProbe:
    """What one size shows.

    Attributes:
        score: mean of the probes.
        loss: against the size with the best score, with its error; None for that size.
        trial: seconds that a trial would take.
    """

    size: int
    score: float
    loss: MeanEstimate | None
    trial: float

    @property
    def is_open(self) -> bool:
        """Whether the loss might be nothing, and might be a lot."""
        if self.loss is None:
            return False
        low, high = self.loss.interval(LEVEL)
        return low <= MARGIN and high > OPEN

    @property
    def enough(self) -> bool:
        """Whether the classes are told as well as at the best size, as far as can be seen."""
        if self.loss is None:
            return True
        return self.loss.mean <= MOST_LOSS and self.loss.interval(LEVEL)[0] <= MARGIN


@dataclass(frozen=True)
class SizeChoice:
    """The size to take, and why.

    Attributes:
        by: whose features were probed, in words.
    """

    probes: tuple[SizeProbe, ...]
    by: str

    @property
    def chosen(self) -> SizeProbe:
        """The smallest size that is enough."""
        return next(probe for probe in self.probes if probe.enough)

    @property
    def sentences(self) -> tuple[str, ...]:
        """For people: a line for each size, then the choice and its price."""
        best = next(probe for probe in self.probes if probe.loss is None)
        lines = [f"data.image_size: auto, by probes on features of {self.by}:"]
        for probe in self.probes:
            found = f"{probe.size:4d} pixels  {100 * probe.score:5.1f} %"
            if probe.loss is None:
                found += ", the best"
            else:
                low, high = probe.loss.interval(LEVEL)
                found += (
                    f", {-100 * probe.loss.mean:+.1f} points ({-100 * high:+.1f} to "
                    f"{-100 * low:+.1f})"
                )
            lines.append(f"{found}; a trial takes about {duration(probe.trial)}")
        first, chosen = self.probes[0], self.chosen
        if any(probe.is_open for probe in self.probes):
            lines.append(
                "there are too few labelled images to tell sizes apart: look at the intervals, "
                "and set data.image_size yourself if in doubt"
            )
        price = f"{chosen.trial / first.trial:.1f} times as long as at {first.size} pixels"
        why = (
            "the smallest size at which no loss is seen"
            if chosen is not best
            else ("every smaller size loses" if chosen is not first else "larger ones show no more")
        )
        lines.append(f"{chosen.size} pixels are taken: {why}; a trial takes {price}")
        return tuple(lines)


def choose_size(
    read: Callable[[int], ImageSet],
    most: int,
    config: StudyConfig,
    *,
    seed: int,
    device: torch.device,
) -> SizeChoice:
    """Probe the sizes up to `most`.

    Args:
        read: the images at a size, the same ones in the same order for each.
        most: pixels of the images' own shorter side.

    Raises:
        DataError, ConfigError: see `Bench.build`.
    """
    sizes = [size for size in SIZES if size <= max(most, SIZES[0])]
    readings, seconds, sample = {}, {}, None
    by = ""
    refused = None
    for size in sizes:
        try:
            bench = Bench.build(read(size), with_size(config, size), seed=seed, device=device)
        except ConfigError as error:  # some networks want larger images
            refused = error
            continue
        rows = _scored_rows(bench)
        sample = _sample(bench, rows)
        with cpu_threads(config.compute.threads):
            readings[size] = list(_probed(bench, rows))
            seconds[size] = config.pretrain.steps * _step_seconds(bench)
        by = "the encoder with its weights" if bench.start else f"{REPLICATES} random encoders"
    if not readings and refused:
        raise refused
    sizes = list(readings)
    scores = {size: float(np.mean([r.score for r in some])) for size, some in readings.items()}
    best = max(sizes, key=lambda size: (scores[size], -size))
    probes = tuple(
        SizeProbe(
            size,
            scores[size],
            None if size == best else estimate_difference(readings[best], readings[size], sample),
            seconds[size],
        )
        for size in sizes
    )
    return SizeChoice(probes, by)


def with_size(config: StudyConfig, size: int) -> StudyConfig:
    """The study with that image size."""
    data = config.data.model_copy(update={"image_size": size})
    return config.model_copy(update={"data": data})


def own_size(root: Path, paths: Sequence[str]) -> int:
    """The shorter side of typical pictures, in pixels; 0 if none can be read."""
    chosen = np.unique(np.linspace(0, len(paths) - 1, min(SAMPLED, len(paths))).astype(int))
    sides = []
    with large_files_allowed():
        for index in chosen.tolist():
            try:
                sides.append(min(picture_size(root / paths[index])))
            except DataError:
                continue  # a file that cannot be read is spoken of when it is decoded
    return int(np.median(sides)) if sides else 0


@dataclass(frozen=True)
class _Probed:
    score: float
    hits: tuple[int, ...]
    seen: tuple[int, ...]


def _scored_rows(bench: Bench) -> NDArray[np.int64]:
    """Labelled images of the pool, the same ones at every size."""
    labelled = bench.split.pool[bench.image_set.labels[bench.split.pool] >= 0]
    return np.sort(np.random.default_rng(0).permutation(labelled)[:MOST])


def _sample(bench: Bench, rows: NDArray[np.int64]) -> ScoredImages | None:
    over = METRICS[bench.config.evaluate.metric].mean_over
    if over is None:
        return None
    return ScoredImages(
        labels=bench.image_set.labels[rows],
        groups=bench.image_set.groups[rows],
        draws=bench.config.evaluate.draws,
        by_class=over == "classes",
    )


def _probed(bench: Bench, rows: NDArray[np.int64]) -> Iterator[_Probed]:
    """What probes of several label draws, and of several random encoders, read off."""
    features: NDArray[np.float32] | None = None
    labels = bench.image_set.labels
    for replicate in range(1, REPLICATES + 1):
        draws = [
            replace(draw, score=draw.score[np.isin(draw.score, rows)])
            for draw in bench.label_draws("validation", replicate)
        ]
        if features is None or bench.start is None:
            features = _features(bench, replicate, rows, draws)
        found = few_label_probe(features, labels, draws, bench.config.evaluate)
        yield _Probed(found.score, tuple(found.hits[rows]), tuple(found.seen[rows]))


def _features(
    bench: Bench, replicate: int, rows: NDArray[np.int64], draws: Sequence[LabelDraw]
) -> NDArray[np.float32]:
    """`[N, D]`, of the images that probes meet; with weights, of all that any replicate meets."""
    run = bench.pretraining(Policy(ops=()), replicate=replicate, steps=1)
    if bench.start is None:
        run.take_statistics()
        met = np.union1d(rows, np.concatenate([draw.fit for draw in draws]))
    else:
        met = np.sort(bench.split.pool)
    found = extract_features(
        run.encoder,
        ImageRows(bench.image_set.images, met),
        bench.mean,
        bench.std,
        device=bench.device,
    )
    features = np.zeros((len(bench.image_set), found.shape[1]), dtype=np.float32)
    features[met] = found
    return features


def _step_seconds(bench: Bench) -> float:
    run = bench.pretraining(BASELINES["SimCLR s=1"], replicate=0, steps=WARMUP + MEASURED)
    run.advance(WARMUP)
    begin = time.perf_counter()
    run.advance(WARMUP + MEASURED)
    return (time.perf_counter() - begin) / MEASURED
