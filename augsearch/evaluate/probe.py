"""The linear probe: logistic regression on frozen, standardised features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from augsearch.data.splits.splits import LabelDraw
from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.metrics import class_recall, metric_value
from augsearch.evaluate.pictures import pooled


@dataclass(frozen=True)
class ProbeResult:
    """What few-label probes showed.

    Attributes:
        score: mean of `draw_scores`.
        draw_scores: the metric of each label draw.
        class_recall: `[K]` mean recall of each class over the draws; NaN for one never scored.
        hits: `[N]` how often each row was classified rightly over the draws.
        seen: `[N]` how often each row was scored.
        guesses: `[N, K]` how often each row was taken for each class.
    """

    score: float
    draw_scores: tuple[float, ...]
    class_recall: NDArray[np.float64]
    hits: NDArray[np.int64]
    seen: NDArray[np.int64]
    guesses: csr_array


def few_label_probe(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    draws: Sequence[LabelDraw],
    config: EvaluateConfig,
    pictures: NDArray[np.int64] | None = None,
) -> ProbeResult:
    """Fit and score one probe for each label draw.

    Args:
        features: `[N, D]`; only rows that the draws name are read.
        labels: `[N]` class numbers.
        draws: rows to fit and to score on.
        pictures: `[N]` if rows are tiles, see `ImageSet`: pictures are scored, and the first tile
            of each stands for it.
    """
    count = int(max(labels[rows].max() for draw in draws for rows in (draw.fit, draw.score))) + 1
    scores, recalls, guessed = [], [], []
    hits, seen = np.zeros((2, len(labels)), dtype=np.int64)
    # Threads cost these small fits more than they save: 20 draws take 0.2 s instead of 1.5 s.
    with threadpool_limits(1):
        for draw in draws:
            by_row = probe_probabilities(features, labels, draw.fit, draw.score, config.c, count)
            rows, predicted = pooled(draw.score, by_row, pictures)
            scores.append(metric_value(config.metric, labels[rows], predicted))
            recalls.append(class_recall(labels[rows], predicted))
            guess = predicted.argmax(axis=1)
            guessed.append((rows, guess))
            hits[rows] += guess == labels[rows]
            seen[rows] += 1
    places = tuple(np.concatenate(part) for part in zip(*guessed, strict=True))
    once = np.ones(len(places[0]), dtype=np.int64)
    return ProbeResult(
        score=float(np.mean(scores)),
        draw_scores=tuple(scores),
        class_recall=np.ma.masked_invalid(recalls).mean(axis=0).filled(np.nan),
        hits=hits,
        seen=seen,
        guesses=coo_array((once, places), shape=(len(labels), count)).tocsr(),
    )


def full_probe(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    fit: NDArray[np.int64],
    score: NDArray[np.int64],
    config: EvaluateConfig,
    pictures: NDArray[np.int64] | None = None,
) -> float:
    """The metric of one probe with all labels of `fit`, on `score`."""
    count = int(max(labels[fit].max(), labels[score].max())) + 1
    by_row = probe_probabilities(features, labels, fit, score, config.c, count)
    rows, predicted = pooled(score, by_row, pictures)
    return metric_value(config.metric, labels[rows], predicted)


def probe_probabilities(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    fit: NDArray[np.int64],
    score: NDArray[np.int64],
    c: float,
    count: int,
) -> NDArray[np.float64]:
    """`[len(score), count]` what a probe with the labels of `fit` thinks of the rows `score`.

    Args:
        c: inverse of the strength of the L2 penalty.
        count: classes; of those that `fit` lacks it thinks 0.
    """
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000, tol=1e-3))
    probe.fit(features[fit], labels[fit])
    probabilities = np.zeros((len(score), count))
    probabilities[:, probe.classes_] = probe.predict_proba(features[score])
    return probabilities
