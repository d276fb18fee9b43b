"""The probes and nearest neighbours against scikit-learn used directly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.neighbors import KNeighborsClassifier

from augsearch.data.splits.splits import LabelDraw
from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.knn import knn_score
from augsearch.evaluate.pictures import pooled
from augsearch.evaluate.probe import few_label_probe, full_probe

CONFIG = EvaluateConfig(draws=10)
Features = NDArray[np.float32]
Labels = NDArray[np.int64]


def blobs(classes: int = 3, each: int = 60, spread: float = 2.5) -> tuple[Features, Labels]:
    """Overlapping clouds in directions of very unequal scale."""
    rng = np.random.default_rng(classes)
    labels = np.repeat(np.arange(classes), each)
    centres = rng.normal(size=(classes, 12))
    features = centres[labels] + spread * rng.normal(size=(len(labels), 12))
    return (features * np.logspace(-2, 2, 12) + 5).astype(np.float32), labels


def few_label_draws(labels: Labels, per_class: int = 8, count: int = 4) -> list[LabelDraw]:
    draws = []
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(labels))
        fit = np.concatenate([order[labels[order] == c][:per_class] for c in np.unique(labels)])
        draws.append(LabelDraw(np.sort(fit), np.setdiff1d(order, fit)))
    return draws


def predicted_directly(features: Features, labels: Labels, draw: LabelDraw, c: float) -> Labels:
    """Standardise by hand, fit to full convergence."""
    wide = features.astype(np.float64)
    mean, std = wide[draw.fit].mean(axis=0), wide[draw.fit].std(axis=0)
    model = LogisticRegression(C=c, tol=1e-8, max_iter=10_000)
    model.fit((wide[draw.fit] - mean) / std, labels[draw.fit])
    predicted: Labels = model.predict((wide[draw.score] - mean) / std)
    return predicted


def test_a_picture_is_judged_by_the_mean_of_its_tiles() -> None:
    """Tiles of which most show nothing: single ones are often wrong, the pictures are not."""
    rng = np.random.default_rng(3)
    pictures = np.repeat(np.arange(120), 9)
    labels = pictures % 2
    features = rng.normal(size=(len(labels), 4)).astype(np.float32)
    features[:, 0] += 0.9 * (2 * labels - 1)
    fit = np.flatnonzero(pictures < 40)
    score = np.flatnonzero(pictures >= 40)
    draws = [LabelDraw(fit, score)]
    alone = few_label_probe(features, labels, draws, CONFIG)
    together = few_label_probe(features, labels, draws, CONFIG, pictures)
    assert alone.score < 0.9 < together.score
    assert alone.seen.sum() == len(score)
    firsts = np.unique(pictures, return_index=True)[1]
    assert np.flatnonzero(together.seen).tolist() == firsts[40:].tolist()
    assert together.hits.sum() / 80 == pytest.approx(together.score, abs=0.02)
    for one in (full_probe, knn_score):
        scores = [one(features, labels, fit, score, CONFIG, of) for of in (None, pictures)]
        assert scores[0] < scores[1]


def test_pictures_of_unequal_numbers_of_tiles_weigh_the_same() -> None:
    rows = np.array([0, 1, 2, 5, 6])
    pictures = np.array([7, 7, 7, 0, 0, 3, 3])
    probabilities = np.array([[1, 0], [0, 1], [0.5, 0.5], [0.2, 0.8], [0.4, 0.6]])
    first, means = pooled(rows, probabilities, pictures)
    assert first.tolist() == [0, 5]
    assert means.tolist() == [[0.5, 0.5], [pytest.approx(0.3), pytest.approx(0.7)]]
    same = pooled(rows, probabilities, None)
    assert same[0] is rows and same[1] is probabilities


@pytest.mark.parametrize("c", [0.01, 1.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_few_label_probe_equals_scikit_learn(classes: int, c: float) -> None:
    features, labels = blobs(classes)
    draws = few_label_draws(labels)
    result = few_label_probe(features, labels, draws, CONFIG.model_copy(update={"c": c}))
    scores, recalls = [], []
    for draw in draws:
        predicted = predicted_directly(features, labels, draw, c)
        scores.append(balanced_accuracy_score(labels[draw.score], predicted))
        recalls.append(recall_score(labels[draw.score], predicted, average=None))
    # Stopping early may flip a borderline image or two.
    assert result.draw_scores == pytest.approx(scores, abs=0.02)
    assert result.score == pytest.approx(np.mean(result.draw_scores))
    assert result.class_recall == pytest.approx(np.mean(recalls, axis=0), abs=0.02)
    assert 1 / classes + 0.1 < result.score < 0.95


def test_full_probe_is_the_few_label_probe_with_all_labels() -> None:
    features, labels = blobs()
    fit, score = np.arange(0, 180, 2), np.arange(1, 180, 2)
    everything = few_label_probe(features, labels, [LabelDraw(fit, score)], CONFIG)
    assert full_probe(features, labels, fit, score, CONFIG) == everything.score
    few = few_label_probe(features, labels, few_label_draws(labels), CONFIG)
    assert everything.score > few.score


def test_the_chosen_metric_is_what_is_scored() -> None:
    features, labels = blobs()
    draws = few_label_draws(labels)
    ranking = CONFIG.model_copy(update={"metric": "auroc"})
    auroc = few_label_probe(features, labels, draws, ranking).score
    assert auroc > few_label_probe(features, labels, draws, CONFIG).score + 0.05


def test_shuffled_labels_score_at_chance() -> None:
    features, labels = blobs(spread=0.5)
    assert few_label_probe(features, labels, few_label_draws(labels), CONFIG).score > 0.95
    shuffled = np.random.default_rng(0).permutation(labels)
    draws = few_label_draws(shuffled, count=20)
    score = few_label_probe(features, shuffled, draws, CONFIG).score
    assert score == pytest.approx(1 / 3, abs=0.06)


def test_rows_outside_the_draws_and_unlabelled_ones_change_nothing() -> None:
    features, labels = blobs()
    draws = few_label_draws(labels)
    more_features = np.vstack([features, np.full((5, 12), np.nan, dtype=np.float32)])
    more_labels = np.append(labels, [-1] * 5)
    expected = few_label_probe(features, labels, draws, CONFIG)
    assert few_label_probe(more_features, more_labels, draws, CONFIG).score == expected.score


def test_a_class_without_fitted_labels_counts_as_missed() -> None:
    features, labels = blobs(spread=0.3)
    draw = LabelDraw(np.arange(0, 120, 2), np.arange(1, 180, 2))  # class 2 begins at 120
    result = few_label_probe(features, labels, [draw], CONFIG)
    assert result.class_recall == pytest.approx([1, 1, 0], abs=0.05)
    assert result.score == pytest.approx(2 / 3, abs=0.05)
    assert full_probe(features, labels, draw.fit, draw.score, CONFIG) == result.score
    assert 0.5 < knn_score(features, labels, draw.fit, draw.score, CONFIG) <= 2 / 3


@pytest.mark.parametrize("classes", [2, 5])
def test_knn_equals_scikit_learn_on_unit_vectors(classes: int) -> None:
    features, labels = blobs(classes)
    fit, score = np.arange(0, len(labels), 2), np.arange(1, len(labels), 2)
    unit = features.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    distance = np.clip(1 - unit[score] @ unit[fit].T, 0, None)
    model = KNeighborsClassifier(10, metric="precomputed", weights="distance")
    model.fit(np.zeros((len(fit), len(fit))), labels[fit])
    expected = balanced_accuracy_score(labels[score], model.predict(distance))
    found = knn_score(features, labels, fit, score, CONFIG)
    assert found == pytest.approx(expected, abs=0.02)


def test_knn_with_fewer_images_than_neighbours() -> None:
    features, labels = blobs(spread=0.1)
    fit = np.array([0, 1, 60, 61, 120, 121])
    assert knn_score(features, labels, fit, np.arange(2, 60), CONFIG) > 0.9
