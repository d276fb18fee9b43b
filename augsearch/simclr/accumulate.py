"""The gradient of a loss for a batch of any size, with a chunk of it in the encoder at a time.

Adding up the losses of small batches would take away their negatives. Here the loss sees the whole
batch, whatever the chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from augsearch.simclr.ranks import ALONE, Ranks

Network = Callable[[Tensor], Tensor]
LossOf = Callable[[Tensor, Tensor], Tensor]
"""From projections `[B, D]` of first and of second views to a scalar."""


# Networks, batch and loss come in apart: a run and the tests put them together differently.
def backward(
    encode: Network,
    project: Network,
    views: Tensor,
    *,
    loss_of: LossOf,
    chunk_size: int,
    separate: bool,
    reseed: Callable[[int], None],
    buffers_of: nn.Module,
    ranks: Ranks = ALONE,
) -> Tensor:
    """Add the gradient of a batch's loss to that of the parameters; returns the loss.

    Source: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited
    Setup": features of all chunks first, then the loss's gradient with respect to them, then each
    chunk once more with its part of that gradient. Without batch norm in the encoder the result is
    that of the whole batch; with it, each chunk is normalised by its own statistics. The
    projection head sees the whole batch.

    Args:
        encode: views `[n, C, H, W]` to features `[n, D]`.
        project: features to projections.
        views: `[2B, C, H, W]` normalised, all first views before all second ones.
        loss_of: of the projections of all first and all second views, of all ranks.
        chunk_size: images (with two views each) in the encoder at a time, at most.
        separate: give first and second views to the networks in two calls instead of one.
        reseed: called with a chunk's number before it is encoded, so that dropout is the same in
            both passes.
        buffers_of: the module whose buffers (batch norm's running statistics) `encode` changes;
            they are updated once for each chunk.
        ranks: which processes share the batch; `views` are this one's. The loss compares the views
            of all, and the gradient that is added is this rank's part of it.
    """

    def apply(network: Network, inputs: Tensor) -> Tensor:
        if separate:
            return torch.cat([network(half) for half in inputs.chunk(2)])
        return network(inputs)

    count = len(views) // 2
    chunks = _chunks(count, chunk_size)
    if len(chunks) == 1:
        reseed(0)
        features = apply(encode, views)  # [2B, D]
    else:
        parts = []
        with _buffers_kept(buffers_of):
            for number, chunk in enumerate(chunks):
                reseed(number)
                parts.append(apply(encode, _pairs(views, chunk)).detach())  # [2b, D]
        halves = zip(*(part.chunk(2) for part in parts), strict=True)
        features = torch.cat([torch.cat(half) for half in halves]).requires_grad_()  # [2B, D]
    z1, z2 = apply(project, features).chunk(2)
    loss = loss_of(ranks.gathered(z1), ranks.gathered(z2))
    # Each rank computes all of it, and their gradients are added up.
    (loss / ranks.size).backward()  # type: ignore[no-untyped-call]  # torch's own
    if len(chunks) > 1:
        assert features.grad is not None
        for number, chunk in enumerate(chunks):
            reseed(number)
            apply(encode, _pairs(views, chunk)).backward(_pairs(features.grad, chunk))  # type: ignore[no-untyped-call]
    return loss.detach()


def _chunks(count: int, size: int) -> list[slice]:
    """`count` rows in as few chunks of at most `size` as possible, of nearly the same length."""
    bounds = np.linspace(0, count, -(-count // size) + 1).astype(int).tolist()
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def _pairs(rows: Tensor, chunk: slice) -> Tensor:
    """Both views' rows of a chunk: `[2B, ...]` to `[2b, ...]`."""
    first, second = rows.chunk(2)
    return torch.cat([first[chunk], second[chunk]])


@contextmanager
def _buffers_kept(module: nn.Module) -> Iterator[None]:
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)
