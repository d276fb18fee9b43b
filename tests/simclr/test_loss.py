"""NT-Xent against a slow, obvious oracle and against a metric-learning library."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from augsearch.simclr.loss import nt_xent


def obvious_nt_xent(z1: Tensor, z2: Tensor, temperature: float) -> float:
    """Equation 1 of the SimCLR paper, one view and one candidate at a time."""
    views = [*z1, *z2]
    count = len(z1)

    def similarity(i: int, j: int) -> float:
        cosine = views[i] @ views[j] / (views[i].norm() * views[j].norm())
        return math.exp(cosine.item() / temperature)

    total = 0.0
    for i in range(2 * count):
        partner = (i + count) % (2 * count)
        rivals = sum(similarity(i, k) for k in range(2 * count) if k != i)
        total -= math.log(similarity(i, partner) / rivals)
    return total / (2 * count)


def projections(count: int, dim: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = torch.randn(2, count, dim, generator=generator, dtype=torch.float64)
    return 3 * z1, 0.5 * z2 + z1


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("count", [2, 7])
def test_equals_the_obvious_loop(count: int, temperature: float) -> None:
    z1, z2 = projections(count, 5)
    expected = obvious_nt_xent(z1, z2, temperature)
    assert nt_xent(z1, z2, temperature).item() == pytest.approx(expected, rel=1e-5)


def test_equals_a_metric_learning_library() -> None:
    from pytorch_metric_learning.losses import NTXentLoss

    z1, z2 = projections(16, 8)
    images = torch.arange(16).repeat(2)
    expected = NTXentLoss(temperature=0.2)(torch.cat([z1, z2]), images)
    assert nt_xent(z1, z2, 0.2).item() == pytest.approx(expected.item(), rel=1e-5)


def test_order_of_views_and_length_of_projections_do_not_matter() -> None:
    z1, z2 = projections(6, 4)
    loss = nt_xent(z1, z2, 0.2).item()
    assert nt_xent(z2, z1, 0.2).item() == pytest.approx(loss, rel=1e-6)
    assert nt_xent(100 * z1, z2 / 100, 0.2).item() == pytest.approx(loss, rel=1e-6)


def test_nothing_told_apart_costs_the_log_of_all_candidates() -> None:
    same = torch.ones(8, 4)
    assert nt_xent(same, same, 0.2).item() == pytest.approx(math.log(15), rel=1e-6)


@pytest.mark.parametrize("start", [torch.zeros(4, 3), torch.full((4, 3), 1e4), torch.eye(4, 3)])
def test_gradient_is_finite_at_low_temperature(start: Tensor) -> None:
    z1 = start.clone().requires_grad_()
    nt_xent(z1, start.flip(0), 0.01).backward()
    assert z1.grad is not None
    assert z1.grad.isfinite().all()
