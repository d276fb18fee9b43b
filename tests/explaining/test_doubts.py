"""Who is least sure, which labels are doubtful, and what lies near."""

import numpy as np
import pytest

from augsearch.explaining.doubts import entropies, least_sure, suspected
from augsearch.explaining.landscape import by_pca
from augsearch.explaining.nearest import nearest


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_least_sure_of_each_group():
    probabilities = np.array([[0.5, 0.5], [0.55, 0.45], [0.9, 0.1], [0.6, 0.4]])
    assert least_sure(probabilities, np.array([0, 0, 1, 2]), 2).tolist() == [0, 3]
    assert entropies(np.array([[0.25] * 4, [1, 0, 0, 0]])).tolist() == [1, 0]
    assert least_sure(np.zeros((0, 2)), np.zeros(0, np.int64), 5).tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_planted_errors_are_found(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 800)
    probabilities = softmax(4 * np.eye(4)[truth] + rng.normal(0, 1, (800, 4)))
    labels, wrong = truth.copy(), rng.choice(800, 40, replace=False)
    labels[wrong] = (truth[wrong] + rng.integers(1, 4, 40)) % 4
    found = suspected(probabilities, labels)
    hits = np.isin(found.places, wrong)
    assert hits.sum() >= 0.8 * 40 and hits.mean() >= 0.8
    assert (found.instead[hits] == truth[found.places[hits]]).mean() >= 0.95
    assert hits[:20].all()


def test_no_labels_no_suspects():
    found = suspected(np.zeros((0, 3)), np.zeros(0, np.int64))
    assert len(found.places) == len(found.instead) == 0


def test_one_class_without_labels_is_never_suggested():
    probabilities = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.7, 0.2, 0.1]])
    found = suspected(probabilities, np.array([0, 0, 1, 1]))
    assert 2 not in found.instead and 3 in found.places


def test_neighbours_are_of_other_groups():
    known = np.eye(4, dtype=np.float32)
    asked = np.array([[0.9, 0.4, 0.1, 0]], np.float32)
    assert nearest(asked, known, 2)[0].tolist() == [[0, 1]]
    places, cosines = nearest(asked, known, 9, (np.array([7]), np.array([7, 1, 2, 7])))
    assert places[0, :2].tolist() == [1, 2] and np.isfinite(cosines).tolist() == [
        [True, True, False, False]
    ]


def test_pca_tells_how_much_it_shows():
    rng = np.random.default_rng(0)
    flat = np.zeros((50, 6), np.float32)
    flat[:, :2] = rng.normal(size=(50, 2))
    places, spread = by_pca(flat)
    assert places.shape == (50, 2) and spread == pytest.approx(1)
    assert by_pca(np.ones((3, 4), np.float32))[1] == 0
