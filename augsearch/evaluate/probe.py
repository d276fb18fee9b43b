"""The linear probe: logistic regression on frozen, standardised features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from augsearch.data.splits import LabelDraw
from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.metrics import class_recall, metric_value


@dataclass(frozen=True)
class ProbeResult:
    """What few-label probes showed.

    Attributes:
        score: mean of `draw_scores`.
        draw_scores: the metric of each label draw.
        class_recall: `[K]` mean recall of each class over the draws; NaN for one never scored.
        hits: `[n]` how often each scored row was classified rightly over the draws; empty if the
            draws are scored on different rows.
    """

    score: float
    draw_scores: tuple[float, ...]
    class_recall: NDArray[np.float64]
    hits: tuple[int, ...]


def few_label_probe(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    draws: Sequence[LabelDraw],
    config: EvaluateConfig,
) -> ProbeResult:
    """Fit and score one probe for each label draw.

    Args:
        features: `[N, D]`; only rows that the draws name are read.
        labels: `[N]` class numbers.
        draws: rows to fit and to score on.
    """
    count = int(max(labels[rows].max() for draw in draws for rows in (draw.fit, draw.score))) + 1
    scores, recalls, right = [], [], []
    # Threads cost these small fits more than they save: 20 draws take 0.2 s instead of 1.5 s.
    with threadpool_limits(1):
        for draw in draws:
            predicted = _probabilities(features, labels, draw.fit, draw.score, config.c, count)
            scores.append(metric_value(config.metric, labels[draw.score], predicted))
            recalls.append(class_recall(labels[draw.score], predicted))
            right.append(predicted.argmax(axis=1) == labels[draw.score])
    same_rows = all(np.array_equal(draw.score, draws[0].score) for draw in draws)
    return ProbeResult(
        score=float(np.mean(scores)),
        draw_scores=tuple(scores),
        class_recall=np.ma.masked_invalid(recalls).mean(axis=0).filled(np.nan),
        hits=tuple(np.sum(right, axis=0).tolist()) if same_rows else (),
    )


def full_probe(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    fit: NDArray[np.int64],
    score: NDArray[np.int64],
    config: EvaluateConfig,
) -> float:
    """The metric of one probe with all labels of `fit`, on `score`."""
    count = int(max(labels[fit].max(), labels[score].max())) + 1
    predicted = _probabilities(features, labels, fit, score, config.c, count)
    return metric_value(config.metric, labels[score], predicted)


def _probabilities(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    fit: NDArray[np.int64],
    score: NDArray[np.int64],
    c: float,
    count: int,
) -> NDArray[np.float64]:
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000, tol=1e-3))
    probe.fit(features[fit], labels[fit])
    probabilities = np.zeros((len(score), count))
    probabilities[:, probe.classes_] = probe.predict_proba(features[score])
    return probabilities
