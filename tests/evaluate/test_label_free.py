"""Label-free measures against closed forms and slow, obvious implementations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import linalg

from augsearch.evaluate.label_free import (
    DELTA,
    alignment,
    contrastive,
    lidar,
    rankme,
    rotation_accuracy,
    spectrum_decay,
    uniformity,
)
from augsearch.simclr.loss import nt_xent


def gaussian(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def with_spectrum(values: NDArray[np.float64], count: int = 200) -> NDArray[np.float32]:
    """`[count, D]` centred features whose covariance has exactly these eigenvalues (scaled)."""
    raw = gaussian(count, len(values)).astype(np.float64)
    left, _, right = np.linalg.svd(raw - raw.mean(axis=0), full_matrices=False)
    return ((left * np.sqrt(values)) @ right).astype(np.float32)


def entropy_rank(values: list[float]) -> float:
    shares = [value / sum(values) for value in values]
    return math.exp(-sum(share * math.log(share) for share in shares if share > 0))


def test_rankme_of_an_isotropic_gaussian_is_its_dimension() -> None:
    assert rankme(gaussian(5000, 16)) == pytest.approx(16, rel=0.01)


def test_rankme_counts_the_directions_that_features_use() -> None:
    used = np.zeros((300, 20), dtype=np.float32)
    used[:, :5] = np.linalg.qr(gaussian(300, 5))[0]
    assert rankme(used) == pytest.approx(5, rel=1e-5)
    assert rankme(np.ones((50, 8), dtype=np.float32)) == pytest.approx(1, abs=1e-3)
    assert rankme(np.zeros((50, 8), dtype=np.float32)) == 1
    # Singular values are square roots of the Gram matrix's eigenvalues.
    features = gaussian(40, 6)
    values = np.sqrt(np.linalg.eigvalsh((features.T @ features).astype(np.float64))).tolist()
    assert rankme(features) == pytest.approx(entropy_rank(values), rel=1e-4)


def lidar_slowly(views: NDArray[np.float32]) -> float:
    count, each, dim = views.shape
    wide = views.astype(np.float64)
    centre = wide.reshape(-1, dim).mean(axis=0)
    between, within = np.zeros((dim, dim)), np.zeros((dim, dim))
    for image in wide:
        mean = image.mean(axis=0)
        between += np.outer(mean - centre, mean - centre) / (count - 1)
        for view in image:
            within += np.outer(view - mean, view - mean) / (count * (each - 1))
    within += DELTA * (np.trace(between) + np.trace(within)) / dim * np.eye(dim)
    whitening = np.linalg.inv(linalg.sqrtm(within).real)
    return entropy_rank(np.linalg.eigvalsh(whitening @ between @ whitening).clip(0).tolist())


def test_lidar_equals_its_equations_written_out() -> None:
    views = gaussian(30, 1, 5) * np.array([3, 2, 1, 0.5, 0.1], np.float32) + gaussian(
        30, 4, 5, seed=1
    )
    assert lidar(views) == pytest.approx(lidar_slowly(views), rel=1e-6)
    assert lidar(100 * views) == pytest.approx(lidar(views), rel=1e-4)


def test_lidar_counts_only_what_views_of_an_image_agree_in() -> None:
    """Three directions tell images apart; in the others views differ as much as images do."""
    images = np.zeros((400, 1, 9), dtype=np.float32)
    images[:, :, :3] = gaussian(400, 1, 3)
    views = images + 0.03 * gaussian(400, 8, 9, seed=1)
    assert lidar(views) == pytest.approx(3, abs=0.2)
    assert rankme(views[:, 0]) > 3.3
    assert lidar(np.ones((20, 2, 4), dtype=np.float32)) == 1


def test_alignment_of_identical_and_of_opposite_views() -> None:
    features = gaussian(20, 6)
    assert alignment(features, features) == 0
    assert alignment(features, 3 * features) == pytest.approx(0, abs=1e-10)
    assert alignment(features, -features) == pytest.approx(4)
    first, second = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)[[1, 2, 3, 0]]
    assert alignment(first, second) == pytest.approx(2)


def test_uniformity_of_points_and_pair_by_pair() -> None:
    assert uniformity(np.ones((5, 3), dtype=np.float32)) == pytest.approx(0)
    # Orthogonal unit vectors lie at squared distance 2 of each other.
    assert uniformity(np.eye(6, dtype=np.float32)) == pytest.approx(-4)
    features = gaussian(12, 4)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    potential = [
        math.exp(-2 * float(((a - b) ** 2).sum())) for a, b in itertools.combinations(unit, 2)
    ]
    assert uniformity(features) == pytest.approx(math.log(np.mean(potential)), rel=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.5])
@pytest.mark.parametrize("dim", [6, 40, 120])
def test_the_decay_of_a_power_law_is_its_exponent(alpha: float, dim: int) -> None:
    features = with_spectrum(np.arange(1.0, dim + 1) ** -alpha)
    assert spectrum_decay(features + 7) == pytest.approx(alpha, abs=0.01)


def test_the_decay_is_fitted_by_least_squares_with_weights_one_over_rank() -> None:
    values = np.sort(np.random.default_rng(0).uniform(0.01, 1, 50))[::-1]
    ranks = np.arange(4, 51)
    design = np.stack([-np.log(ranks), np.ones(47)], axis=1)
    weighted = design / ranks[:, None]
    expected, _ = np.linalg.solve(design.T @ weighted, weighted.T @ np.log(values[3:]))
    assert spectrum_decay(with_spectrum(values)) == pytest.approx(expected, rel=1e-3)


def test_a_spectrum_of_one_value_decays_infinitely() -> None:
    line = gaussian(50, 1) * np.array([[1, 2, 3]], dtype=np.float32)
    assert spectrum_decay(line) == np.inf
    assert spectrum_decay(np.ones((50, 3), dtype=np.float32)) == np.inf


def test_rotation_is_told_where_features_show_it_and_at_chance_where_not() -> None:
    held_out = np.arange(120) % 2 == 1
    blind = np.repeat(gaussian(1, 120, 6), 4, axis=0)
    assert rotation_accuracy(blind, held_out) == pytest.approx(0.25, abs=0.03)
    seeing = blind.copy()
    for turn in range(4):
        seeing[turn, :, turn] += 8
    assert rotation_accuracy(seeing, held_out) > 0.95


def test_the_contrastive_loss_is_that_of_pretraining() -> None:
    first = gaussian(16, 5)
    second = first + 0.5 * gaussian(16, 5, seed=1)
    loss, accuracy = contrastive(first, second, temperature=0.2)
    expected = nt_xent(torch.tensor(first), torch.tensor(second), 0.2)
    assert loss == pytest.approx(float(expected), rel=1e-5)
    both = np.concatenate([first, second])
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    hits = 0
    for row in range(32):
        others = [other for other in range(32) if other != row]
        hits += others[int(np.argmax(both[others] @ both[row]))] == (row + 16) % 32
    assert accuracy == hits / 32
    assert 0.2 < accuracy < 1
    assert contrastive(first, first, temperature=0.2)[1] == 1
