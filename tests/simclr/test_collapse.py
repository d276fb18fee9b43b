"""Collapsed features fail a trial with what was measured; healthy ones pass."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from augsearch.errors import TrialFailure
from augsearch.simclr.collapse import check_collapse, effective_rank


def noise(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_effective_rank_counts_equal_directions() -> None:
    corners = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)  # centred: a triangle, rank 2
    assert effective_rank(corners) == pytest.approx(2, rel=1e-6)
    assert effective_rank(np.ones((6, 4), dtype=np.float32)) == 0


def test_varied_features_pass_even_far_from_the_origin() -> None:
    check_collapse(noise(50, 16))
    check_collapse(noise(50, 16) + 100)


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        (np.zeros((50, 16), dtype=np.float32), "variance"),
        (5 + 1e-5 * noise(50, 16), "variance"),
        (noise(50, 1) * noise(1, 16), "effective rank is 1.00 of 16"),
        (np.full((50, 16), np.nan, dtype=np.float32), "non-finite"),
    ],
)
def test_collapse_is_named(features: NDArray[np.float32], reason: str) -> None:
    with pytest.raises(TrialFailure, match=reason):
        check_collapse(features)
