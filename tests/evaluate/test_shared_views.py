"""Scores under the shared views: bounds, repetition, and what is left as it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small_study import small_images
from torch import nn

from augsearch.data.imageset import ImageRows
from augsearch.errors import TrialFailure
from augsearch.evaluate.shared_views import SCORES, Shown, _held_out, label_free_scores

CPU = torch.device("cpu")


def encoder(scale: float = 1.0) -> nn.Module:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 12, 5, stride=2)
    network = nn.Sequential(
        convolution, nn.BatchNorm2d(12), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )  # fmt: skip
    with torch.no_grad():
        convolution.weight.mul_(scale)
    return network


def head() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(12, 8, bias=False), nn.BatchNorm1d(8))


def scores_of(network: nn.Module, projection: nn.Module) -> dict[str, float]:
    images = small_images()
    rows = np.random.default_rng(0).permutation(len(images))
    return label_free_scores(
        network,
        projection,
        Shown(ImageRows(images.images, rows), images.groups[rows], (0.5,) * 3, (0.25,) * 3),
        device=CPU,
        executor="auto",
        temperature=0.2,
    )


def test_scores_are_bounded_repeat_exactly_and_leave_no_trace() -> None:
    network, projection = encoder().train(), head().train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    first = scores_of(network, projection)
    assert first == scores_of(network, projection)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert network.training
    assert projection.training
    assert set(first) == set(SCORES)
    assert all(0 <= first[name] <= 1 for name in first if name != "contrastive_loss")
    assert first["alignment_uniformity"] == (first["alignment"] + first["uniformity"]) / 2


def test_an_encoder_that_sees_nothing_scores_lowest() -> None:
    seeing, blind = scores_of(encoder(), head()), scores_of(encoder(scale=0.0), head())
    assert blind["alignment"] == 1
    for name in ("rankme", "lidar", "uniformity", "alpha_req", "contrastive_loss"):
        assert blind[name] < seeing[name]
    assert blind["rotation"] == 0.25


def test_features_that_are_not_finite_fail_the_trial() -> None:
    with pytest.raises(TrialFailure, match="non-finite"):
        scores_of(encoder(scale=math.nan), head())


def test_groups_do_not_straddle_the_rotation_probe() -> None:
    groups: NDArray[np.int64] = np.array([5, 5, 9, 9, 9, 2, 7])
    held_out = _held_out(groups)
    assert set(groups[held_out].tolist()) == {5, 9}
    assert set(groups[~held_out].tolist()) == {2, 7}
    assert _held_out(np.zeros(4, dtype=np.int64)).tolist() == [False, True, False, True]
