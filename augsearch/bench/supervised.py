"""A supervised run on the bench of a study, in the form of its other runs."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.bench.bench import Bench, StepListener, derived_seed
from augsearch.bench.outcome import Outcome, Scored
from augsearch.data.imageset import ImageRows
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.metrics import class_recall, metric_value
from augsearch.simclr.device import resident_memory_bytes
from augsearch.simclr.supervised import train_supervised
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
    draw = bench.label_draws(scored, replicate)[0]
    image_set, config = bench.image_set, bench.config
    labels = torch.from_numpy(image_set.labels[draw.fit]).to(bench.device)
    batch = min(config.pretrain.batch_size, len(labels))

    def tell(step: int) -> None:
        if on_step and step % 20 == 0:
            on_step(step, step * batch / (time.perf_counter() - started))

    network, losses = train_supervised(
        torch.from_numpy(ImageRows(image_set.images, draw.fit)[:]).to(bench.device),
        labels,
        len(image_set.classes),
        bench.renderer(policy).function(bench.seed, replicate),
        config.encoder,
        config.pretrain.model_copy(update={"steps": steps}),
        seed=derived_seed(bench.seed, "replicate", replicate),
        device=bench.device,
        mean=bench.mean,
        std=bench.std,
        on_step=tell,
    )
    training = time.perf_counter() - started
    logits = extract_features(
        network,
        ImageRows(image_set.images, draw.score),
        bench.mean,
        bench.std,
        device=bench.device,
    )
    predicted: NDArray[np.float64] = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    truth = image_set.labels[draw.score]
    score = metric_value(config.evaluate.metric, truth, predicted)
    stride = max(1, steps // 100)
    return Outcome(
        score=score,
        draw_scores=(),
        full_probe=None,
        knn=None,
        class_recall=dict(
            zip(image_set.classes, class_recall(truth, predicted).tolist(), strict=True)
        ),
        curve=((steps, score),),
        losses=tuple(list(enumerate(losses, 1))[stride - 1 :: stride]),
        steps=steps,
        images_per_second=steps * batch / training,
        seconds={
            "training": training,
            "probe": time.perf_counter() - started - training,
            "total": time.perf_counter() - started,
        },
        peak_memory_mb=resident_memory_bytes() / 1e6,
    )
