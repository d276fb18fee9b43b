"""A supervised run on the bench of a study, in the form of its other runs."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from augsearch.bench.bench import Bench, StepListener
from augsearch.bench.outcome import Outcome, Scored
from augsearch.bench.seeds import derived_seed
from augsearch.data.imageset import ImageRows
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.metrics import class_recall, metric_value
from augsearch.evaluate.pictures import pooled
from augsearch.simclr.device import resident_memory_bytes
from augsearch.simclr.supervised import LabelledImages, train_supervised
from augsearch.space.policy import Policy


def try_supervised(
    bench: Bench,
    policy: Policy,
    *,
    replicate: int,
    steps: int,
    scored: Scored = "validation",
    on_step: StepListener | None = None,
) -> Outcome:
    """Train the study's encoder with the labels of one draw, and score it where probes are scored:
    on validation images, or on those of the sealed split.

    The draw follows from the replicate: all policies of a replicate see the same labelled images,
    as many of a class as a few-label probe sees. The score is that of the trained classifier.

    Raises:
        TrialFailure: the loss became non-finite.
    """
    started = time.perf_counter()
    draw, config = bench.label_draws(scored, replicate)[0], bench.config
    batch = min(config.pretrain.batch_size, len(draw.fit))

    def tell(step: int) -> None:
        if on_step and step % 20 == 0:
            on_step(step, step * batch / (time.perf_counter() - started))

    network, losses = train_supervised(
        _labelled_images(bench, draw.fit),
        bench.renderer(policy).function(bench.seed, replicate),
        config.encoder,
        config.pretrain.model_copy(update={"steps": steps}),
        seed=derived_seed(bench.seed, "replicate", replicate),
        device=bench.device,
        weights=bench.weights,
        on_step=tell,
    )
    training = time.perf_counter() - started
    score, recall, hits = _scored(bench, network, draw.score)
    total = time.perf_counter() - started
    stride = max(1, steps // 100)
    return Outcome(
        score=score,
        draw_scores=(),
        full_probe=None,
        knn=None,
        class_recall=recall,
        curve=((steps, score),),
        losses=tuple(list(enumerate(losses, 1))[stride - 1 :: stride]),
        steps=steps,
        images_per_second=steps * batch / training,
        seconds={"training": training, "probe": total - training, "total": total},
        peak_memory_mb=resident_memory_bytes() / 1e6,
        hits=hits if scored == "test" else (),
    )


def _labelled_images(bench: Bench, rows: NDArray[np.int64]) -> LabelledImages:
    """These images with their labels, on the device."""
    image_set = bench.image_set
    return LabelledImages(
        images=torch.from_numpy(ImageRows(image_set.images, rows)[:]).to(bench.device),
        labels=torch.from_numpy(image_set.labels[rows]).to(bench.device),
        classes=len(image_set.classes),
        mean=bench.mean,
        std=bench.std,
    )


def _scored(
    bench: Bench, network: nn.Module, rows: NDArray[np.int64]
) -> tuple[float, dict[str, float], tuple[int, ...]]:
    """The score of a classifier on these images, its recall of each class, and which of the sealed
    images, in their order, it had right, 1 or 0."""
    image_set = bench.image_set
    logits = extract_features(
        network, ImageRows(image_set.images, rows), bench.mean, bench.std, device=bench.device
    )
    by_row: NDArray[np.float64] = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    rows, predicted = pooled(rows, by_row, image_set.pictures)
    truth = image_set.labels[rows]
    recall = class_recall(truth, predicted).tolist()
    score = metric_value(bench.config.evaluate.metric, truth, predicted)
    right = np.zeros(len(image_set), dtype=np.int64)
    right[rows] = predicted.argmax(axis=1) == truth
    sealed = bench.scored_rows(bench.split.test)
    return score, dict(zip(image_set.classes, recall, strict=True)), tuple(right[sealed].tolist())
