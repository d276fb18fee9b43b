"""Seeds of independent streams, the order of batches, and a fenced use of torch's global RNG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

WEIGHTS, BATCHES, STEP = range(3)  # streams derived from one seed


def stream_seed(seed: int, *stream: int) -> int:
    """A 63-bit seed that depends on all its arguments; streams of one seed are independent."""
    return int(np.random.SeedSequence([seed, *stream]).generate_state(1, np.uint64)[0] >> 1)


def batches(
    count: int, batch_size: int, seed: int, *, begin: int = 0
) -> Iterator[NDArray[np.int64]]:
    """Endless `[batch_size]` image indices, the same for every policy.

    Each epoch is a permutation of `count` images under the seed; its incomplete last batch is
    left out, so no image appears twice in a batch.

    Args:
        begin: number of the batch to begin with.
    """
    epoch, within = divmod(begin, count // batch_size)
    while True:
        order = np.random.default_rng([seed, BATCHES, epoch]).permutation(count)
        for start in range(within * batch_size, count - batch_size + 1, batch_size):
            yield order[start : start + batch_size]
        epoch, within = epoch + 1, 0


def balanced_batches(
    labels: NDArray[np.int64], batch_size: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Endless `[batch_size]` image indices, each class as often as any other on average; images of
    a rare class come more than once."""
    rng = np.random.default_rng([seed, BATCHES])
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    while True:
        turns = rng.permutation(np.arange(batch_size) % len(members))
        yield np.array([rng.choice(members[turn]) for turn in turns.tolist()])


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Within the block torch's generators (CPU and `device`) start from `seed`; then as before.

    For the code of others that knows only the global generators: weight initialisers, dropout.
    """
    fork = torch.random.fork_rng
    with fork([]) if device.type == "cpu" else fork([device.index or 0], device_type=device.type):
        reseed(seed, device)
        yield


def reseed(seed: int, device: torch.device) -> None:
    """Let torch's generators (CPU and `device`) go on from `seed`; only within `seeded`."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
