"""Nearest neighbours: the score without any training on top of the features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.neighbors import KNeighborsClassifier

from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.metrics import metric_value
from augsearch.evaluate.pictures import pooled

WORKING_MB = 64
"""Of distances at a time; scikit-learn's own 1,024 would be taken by each process that scores."""


def knn_score(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    fit: NDArray[np.int64],
    score: NDArray[np.int64],
    config: EvaluateConfig,
    pictures: NDArray[np.int64] | None = None,
) -> float:
    """The metric of a k-nearest-neighbour vote by cosine similarity.

    Args:
        features: `[N, D]`; only rows in `fit` and `score` are read.
        labels: `[N]` class numbers.
        pictures: `[N]` if rows are tiles, see `ImageSet`; pictures are scored.
    """
    model = KNeighborsClassifier(
        n_neighbors=min(config.neighbours, len(fit)), metric="cosine", weights="distance"
    )
    model.fit(features[fit], labels[fit])
    count = int(max(labels[fit].max(), labels[score].max())) + 1
    probabilities = np.zeros((len(score), count))
    with config_context(working_memory=WORKING_MB):
        probabilities[:, model.classes_] = model.predict_proba(features[score])
    rows, predicted = pooled(score, probabilities, pictures)
    return metric_value(config.metric, labels[rows], predicted)
