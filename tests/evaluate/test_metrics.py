"""Metrics by name against scikit-learn used directly, two classes and many, some of them absent."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from augsearch.errors import DataError
from augsearch.evaluate.config import MetricName
from augsearch.evaluate.metrics import class_recall, metric_value

NAMES = get_args(MetricName)


def guesses(classes: int, count: int = 200) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and class probabilities that are better than chance, of unbalanced classes."""
    rng = np.random.default_rng(classes)
    labels = rng.choice(classes, count, p=np.arange(1, classes + 1) / sum(range(classes + 1)))
    logits = rng.normal(size=(count, classes)) + 1.2 * np.eye(classes)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, probabilities


@pytest.mark.parametrize("classes", [2, 5])
def test_equals_scikit_learn(classes: int) -> None:
    labels, probabilities = guesses(classes)
    predicted, one_hot = probabilities.argmax(axis=1), np.eye(classes)[labels]
    expected = {
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "accuracy": sk.accuracy_score(labels, predicted),
        "macro_f1": sk.f1_score(labels, predicted, average="macro"),
        "auroc": sk.roc_auc_score(one_hot, probabilities, average="macro"),
        "average_precision": sk.average_precision_score(one_hot, probabilities, average="macro"),
    }
    assert set(expected) == set(NAMES)
    for name in NAMES:
        assert metric_value(name, labels, probabilities) == pytest.approx(expected[name]), name
    if classes == 2:
        plain = sk.roc_auc_score(labels, probabilities[:, 1])
        assert metric_value("auroc", labels, probabilities) == pytest.approx(plain)


@pytest.mark.parametrize("name", NAMES)
def test_perfect_is_one_and_better_than_a_guess(name: MetricName) -> None:
    labels, probabilities = guesses(4)
    assert metric_value(name, labels, np.eye(4)[labels]) == 1
    assert metric_value(name, labels, probabilities) < 1


@pytest.mark.parametrize("name", NAMES)
def test_an_absent_class_takes_no_part_in_the_average(name: MetricName) -> None:
    labels, probabilities = guesses(3)
    # A fourth class that nothing belongs to and nothing is taken for.
    padded = np.hstack([probabilities, np.zeros((len(labels), 1))])
    expected = metric_value(name, labels, probabilities)
    assert metric_value(name, labels, padded) == pytest.approx(expected)


def test_ranking_of_a_single_class_is_refused() -> None:
    labels, probabilities = np.zeros(5, dtype=np.int64), np.full((5, 3), 1 / 3)
    for name in ("auroc", "average_precision"):
        with pytest.raises(DataError, match=f"{name} needs .* at least 2 classes"):
            metric_value(name, labels, probabilities)
    assert metric_value("balanced_accuracy", labels, probabilities) == 1


def test_recall_by_class() -> None:
    labels = np.array([0, 0, 0, 2])
    recall = class_recall(labels, np.eye(3)[[0, 0, 1, 2]])
    np.testing.assert_allclose(recall, [2 / 3, np.nan, 1])
