"""The metrics by name, on class probabilities, from scikit-learn: one row of a table each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

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

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """What a probe's score is.

    Attributes:
        of: the metric in [0, 1], of labels `[n]` and probabilities `[n, K]`.
        mean_over: `classes`, `images` or None: whether it is a mean of what single images got, by
            class or over all. Only then is it known what other test images would change.
        ranks: whether it goes by the order of probabilities, which takes two classes to score.
    """

    of: Callable[[Labels, Probabilities], float]
    mean_over: Literal["classes", "images"] | None = None
    ranks: bool = False


def class_recall(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """`[K]` recall of each class; NaN for classes that do not occur in `labels`."""
    predicted = probabilities.argmax(axis=1)
    count = probabilities.shape[1]
    hits = np.bincount(labels[predicted == labels], minlength=count).astype(float)
    total = np.bincount(labels, minlength=count).astype(float)
    recall: NDArray[np.float64] = np.full(count, np.nan)
    np.divide(hits, total, out=recall, where=total > 0)
    return recall


def _balanced_accuracy(labels: Labels, probabilities: Probabilities) -> float:
    return float(np.nanmean(class_recall(labels, probabilities)))


def _accuracy(labels: Labels, probabilities: Probabilities) -> float:
    return float(accuracy_score(labels, probabilities.argmax(axis=1)))


def _macro_f1(labels: Labels, probabilities: Probabilities) -> float:
    predicted, present = probabilities.argmax(axis=1), np.unique(labels)
    return float(f1_score(labels, predicted, labels=present, average="macro", zero_division=0))


def _one_against_rest(
    score: Callable[[NDArray[np.bool_], Probabilities], float],
) -> Callable[[Labels, Probabilities], float]:
    """The mean of a score of single classes against all others, over those that occur."""
    return lambda labels, probabilities: float(
        np.mean([score(labels == c, probabilities[:, c]) for c in np.unique(labels)])
    )


METRICS: Mapping[MetricName, Metric] = MappingProxyType(
    {
        "balanced_accuracy": Metric(_balanced_accuracy, mean_over="classes"),
        "accuracy": Metric(_accuracy, mean_over="images"),
        "macro_f1": Metric(_macro_f1),
        "auroc": Metric(_one_against_rest(roc_auc_score), ranks=True),
        "average_precision": Metric(_one_against_rest(average_precision_score), ranks=True),
    }
)


def metric_value(name: MetricName, labels: Labels, probabilities: Probabilities) -> float:
    """The metric `name` in [0, 1].

    Classes that do not occur in `labels` take no part in the averages over classes.

    Args:
        labels: `[n]` true classes, columns of `probabilities`.
        probabilities: `[n, K]`, rows add up to 1.

    Raises:
        DataError: a metric that ranks is asked of images of a single class.
    """
    metric = METRICS[name]
    if metric.ranks and len(np.unique(labels)) < 2:
        raise DataError(f"{name} needs scored images of at least 2 classes, found 1")
    return metric.of(labels, probabilities)
