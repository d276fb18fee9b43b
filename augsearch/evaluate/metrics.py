"""The metrics by name, on class probabilities, from scikit-learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    roc_auc_score,
)

from augsearch.errors import DataError
from augsearch.evaluate.config import MetricName


def metric_value(
    name: MetricName, labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> float:
    """The metric `name` in [0, 1].

    Classes that do not occur in `labels` take no part in the averages over classes.

    Args:
        labels: `[n]` true classes, columns of `probabilities`.
        probabilities: `[n, K]`, rows add up to 1.

    Raises:
        DataError: a ranking metric is asked of images of a single class.
    """
    present = np.unique(labels)
    if name in ("auroc", "average_precision"):
        score = roc_auc_score if name == "auroc" else average_precision_score
        if len(present) < 2:
            raise DataError(f"{name} needs scored images of at least 2 classes, found 1")
        return float(np.mean([score(labels == c, probabilities[:, c]) for c in present]))
    predicted = probabilities.argmax(axis=1)
    if name == "accuracy":
        return float(accuracy_score(labels, predicted))
    if name == "balanced_accuracy":
        return float(np.nanmean(class_recall(labels, probabilities)))
    return float(f1_score(labels, predicted, labels=present, average="macro", zero_division=0))


def class_recall(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`[K]` recall of each class; NaN for classes that do not occur in `labels`."""
    predicted = probabilities.argmax(axis=1)
    count = probabilities.shape[1]
    hits = np.bincount(labels[predicted == labels], minlength=count).astype(float)
    total = np.bincount(labels, minlength=count).astype(float)
    recall: NDArray[np.float64] = np.full(count, np.nan)
    np.divide(hits, total, out=recall, where=total > 0)
    return recall
