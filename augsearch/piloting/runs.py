"""What a pilot trains: pretrainings, and a classifier for each way, number of labels and seed."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from augsearch.bench.bench import Bench
from augsearch.bench.seeds import derived_seed
from augsearch.data.imageset import ImageRows
from augsearch.errors import OutputError
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.pictures import pooled
from augsearch.evaluate.probe import probe_probabilities
from augsearch.files import write_whole
from augsearch.finetuning.labels import Rows, labelled_rows
from augsearch.finetuning.members import train_network
from augsearch.piloting.prepare import Prepared
from augsearch.piloting.regimes import Regime
from augsearch.piloting.ways import Way
from augsearch.pretraining.prepare import Prepared as Pretraining
from augsearch.pretraining.prepare import ready
from augsearch.pretraining.result import MODEL_FILE
from augsearch.progress import Progress
from augsearch.space.policy import Policy

PRETRAINED, POINTS = "pretrained", "points"


@dataclass(frozen=True)
class Simclr:
    """A pretraining that ways have in common: what it begins with, the policy, the seed."""

    way: Way
    seed: int

    @property
    def title(self) -> str:
        """What it is called while it runs."""
        return f"{self.way.title}, seed {self.seed + 1}"

    def within(self, prepared: Prepared) -> Path:
        """Its directory."""
        return prepared.directory / PRETRAINED / f"{self.way.key}-seed-{self.seed}"


@dataclass(frozen=True)
class Point:
    """A classifier: its way, the labels of each class that it learns from, and its seed."""

    way: Way
    labels: int
    seed: int

    @property
    def title(self) -> str:
        """What it is called while it runs."""
        return f"{self.way.title}, {self.labels} labels, seed {self.seed + 1}"

    @property
    def file(self) -> str:
        return f"{self.way.key}-{self.labels}-labels-seed-{self.seed}.npz"


@dataclass(frozen=True)
class Answers:
    """What a classifier says of the sealed pictures.

    Attributes:
        guesses: `[n]` class numbers.
        confidence: `[n]` probability of the guess.
        seconds: that its training took.
    """

    guesses: NDArray[np.int64]
    confidence: NDArray[np.float64]
    seconds: float


@dataclass(frozen=True)
class Workshop:
    """What every run needs; sent to other processes."""

    prepared: Prepared


def pretrainings(prepared: Prepared) -> list[Simclr]:
    """All of them, one seed after the other."""
    ways = [way for way in prepared.ways if way.simclr]
    return [Simclr(way, seed) for seed in range(prepared.pilot.seeds) for way in ways]


def pretraining_of(prepared: Prepared, wanted: Simclr, progress: Progress) -> Pretraining:
    """One that could start now."""
    regime = prepared.regimes[wanted.way.begins]
    assert wanted.way.simclr is not None
    source = prepared.recipe.policy_source if wanted.way.searched else wanted.way.simclr.name
    recipe = replace(
        prepared.recipe, policy=wanted.way.simclr, policy_source=source, config=regime.config
    )
    found = ready(
        recipe,
        regime.pool,
        prepared.source,
        seed=derived_seed(prepared.seed, "pretraining", wanted.seed),
        device=prepared.device,
        steps=prepared.steps,
        progress=progress,
    )
    return replace(found, directory=wanted.within(prepared))


def points(prepared: Prepared) -> list[Point]:
    """All classifiers, one seed after the other, the fewest labels first."""
    return [
        Point(way, count, seed)
        for seed in range(prepared.pilot.seeds)
        for count in prepared.counts
        for way in prepared.ways
    ]


def train_point(workshop: Workshop, point: Point) -> float:
    """Train a classifier and keep what it says; its mean recall on the sealed pictures.

    Raises:
        TrialFailure: its loss became non-finite.
    """
    prepared = workshop.prepared
    regime = prepared.regimes[point.way.begins]
    begin = time.perf_counter()
    probabilities = classified(
        prepared, point, _bench(prepared, regime, point), regime.config.finetune.steps
    )
    sealed = regime.sealed
    _, by_picture = pooled(np.arange(len(sealed)), probabilities, sealed.pictures)
    answers = Answers(
        by_picture.argmax(axis=1), by_picture.max(axis=1), time.perf_counter() - begin
    )
    keep(prepared.directory / POINTS / point.file, answers)
    labels = sealed_labels(prepared)
    right = answers.guesses == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def classified(prepared: Prepared, point: Point, bench: Bench, steps: int) -> NDArray[np.float64]:
    """`[sealed, K]` probabilities of a classifier that has learnt for so many steps; the encoder
    begins as the bench says."""
    regime = prepared.regimes[point.way.begins]
    rows = labelled_rows(
        regime.pool.images, point.labels, derived_seed(prepared.seed, "labels", point.seed)
    )
    if point.way.frozen:
        return _probed(bench, regime, rows)
    network = train_network(
        bench,
        point.way.views,
        rows,
        regime.config.finetune.model_copy(update={"mode": "whole", "steps": steps}),
        seed=derived_seed(prepared.seed, "classifier", point.seed),
        draws=point.seed,
    )
    logits = extract_features(network, _all(regime), bench.mean, bench.std, device=prepared.device)
    probabilities: NDArray[np.float64] = softmax(logits.astype(np.float64), axis=1)
    return probabilities


def _bench(prepared: Prepared, regime: Regime, point: Point) -> Bench:
    """Its encoder begins as the way says, after its pretraining if it has one."""
    config = regime.config
    if point.way.simclr:
        directory = Simclr(point.way, point.seed).within(prepared)
        after = {"weights": str((directory / MODEL_FILE).absolute()), "mean": (), "std": ()}
        encoder = config.encoder.model_copy(update=after)
        config = config.model_copy(update={"encoder": encoder})
    return Bench.of_pool(regime.pool.images, config, seed=prepared.seed, device=prepared.device)


def _probed(bench: Bench, regime: Regime, rows: Rows) -> NDArray[np.float64]:
    """`[sealed, K]` what a probe on features of the encoder as it is thinks."""
    encoder = bench.pretraining(Policy(ops=()), replicate=0, steps=1).encoder
    pool = regime.pool.images
    fit, judged = (
        extract_features(encoder, images, bench.mean, bench.std, device=bench.device)
        for images in (ImageRows(pool.images, rows), _all(regime))
    )
    features = np.concatenate([fit, judged])
    return probe_probabilities(
        features,
        np.concatenate([pool.labels[rows], regime.sealed.labels]),
        np.arange(len(fit)),
        np.arange(len(fit), len(features)),
        regime.config.evaluate.c,
        len(pool.classes),
    )


def _all(regime: Regime) -> ImageRows:
    return ImageRows(regime.sealed.images, np.arange(len(regime.sealed)))


def sealed_labels(prepared: Prepared) -> NDArray[np.int64]:
    """`[n]` the class of each sealed picture."""
    sealed = prepared.sealed
    return sealed.labels[sealed.one_each(np.arange(len(sealed)))]


def keep(path: Path, answers: Answers) -> None:
    """Write answers, whole or not at all.

    Raises:
        OutputError: there is no room for them.
    """
    content = io.BytesIO()
    np.savez(
        content,
        guesses=answers.guesses,
        confidence=answers.confidence,
        seconds=answers.seconds,
    )
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); what is trained is kept: make room, "
            "and give the same command again"
        ) from None


def read_answers(path: Path, pictures: int) -> Answers | None:
    """What was kept; None if nothing was, or if it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            found = Answers(kept["guesses"], kept["confidence"], float(kept["seconds"]))
    except Exception:  # numpy raises nearly anything on damaged files
        return None
    return found if found.guesses.shape == (pictures,) else None


def read_points(prepared: Prepared) -> Mapping[Point, Answers]:
    """What is kept of all classifiers."""
    pictures = len(sealed_labels(prepared))
    kept = {
        point: read_answers(prepared.directory / POINTS / point.file, pictures)
        for point in points(prepared)
    }
    return {point: answers for point, answers in kept.items() if answers is not None}
