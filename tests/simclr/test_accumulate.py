"""Chunks of a batch give the whole batch's gradient; dropout and running statistics behave."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from augsearch.simclr.accumulate import backward
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.loss import nt_xent


def views(count: int, *shape: int) -> Tensor:
    return torch.randn(2 * count, *shape, generator=torch.Generator().manual_seed(1))


def head(width: int) -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(width, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))


def run(
    encoder: nn.Module, batch: Tensor, width: int, chunk_size: int, separate: bool = False
) -> tuple[Tensor, Tensor]:
    """The loss and all gradients, encoder's and head's in one vector."""
    project = head(width)

    def reseed(number: int) -> None:
        torch.manual_seed(100 + number)

    network = nn.ModuleList([encoder, project])
    network.zero_grad()
    loss = backward(
        encoder,
        project,
        batch,
        loss_of=partial(nt_xent, temperature=0.2),
        chunk_size=chunk_size,
        separate=separate,
        reseed=reseed,
        buffers_of=encoder,
    )
    return loss, torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("chunk_size", [4, 5, 11, 12])
def test_a_layer_norm_encoder_gets_the_gradient_of_the_whole_batch(
    chunk_size: int, separate: bool
) -> None:
    torch.manual_seed(0)
    encoder = build_encoder(EncoderConfig(name="timm/test_vit"), 3, 32)
    batch = views(12, 3, 32, 32)
    loss, whole = run(encoder, batch, encoder.feature_dim, 12, separate)
    chunked_loss, chunked = run(encoder, batch, encoder.feature_dim, chunk_size, separate)
    torch.testing.assert_close(chunked_loss, loss)
    torch.testing.assert_close(chunked, whole, rtol=1e-4, atol=1e-6)
    assert whole.abs().max() > 1e-3


def test_dropout_is_the_same_in_both_passes() -> None:
    torch.manual_seed(0)
    seen: list[Tensor] = []
    encoder = nn.Sequential(nn.Linear(6, 16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 5))
    encoder[1].register_forward_hook(lambda _, __, output: seen.append(output.detach().clone()))
    run(encoder, views(12, 6), 5, chunk_size=4)
    first_pass, second_pass = seen[:3], seen[3:]
    assert all(torch.equal(a, b) for a, b in zip(first_pass, second_pass, strict=True))
    dropped = [output == 0 for output in first_pass]
    assert not torch.equal(dropped[0], dropped[1])


def test_running_statistics_are_updated_once_a_chunk() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(6)
    run(norm, views(12, 6), 6, chunk_size=4)
    assert norm.num_batches_tracked == 3
    run(norm, views(12, 6), 6, chunk_size=12)
    assert norm.num_batches_tracked == 4


def test_batch_norm_sees_a_chunk_of_both_views_or_of_one() -> None:
    torch.manual_seed(0)
    sizes: list[int] = []
    norm = nn.BatchNorm1d(6)
    norm.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    run(norm, views(10, 6), 6, chunk_size=5)
    run(norm, views(10, 6), 6, chunk_size=5, separate=True)
    run(norm, views(10, 6), 6, chunk_size=10, separate=True)
    assert sizes == [10] * 4 + [5] * 8 + [10] * 2
