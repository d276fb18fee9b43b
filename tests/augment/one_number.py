"""What tests of streams look at: one number of each view, from a policy that draws one.

A module of its own, so that processes that are spawned can import it.
"""

from __future__ import annotations

import os

import torch
from torch.utils.data import DataLoader, Dataset

from augsearch.space.policy import Policy

POLICY = Policy.model_validate({"ops": [{"op": "gamma", "gamma": 3.0}]})
LENGTH = 24
GREY = torch.full((1, 8, 8), 128, dtype=torch.uint8)


def number(view: torch.Tensor) -> float:
    """What was drawn, as it shows in a pixel."""
    return float(view.flatten()[0])


class Numbers(Dataset):
    """Both views' numbers of as many calls as it is long."""

    def __init__(self, views, length: int) -> None:
        self.views = views
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[float, float]:
        first, second = self.views(GREY[None])
        return number(first), number(second)


class Transformed(Numbers):
    """The same of a transform of one image."""

    def __init__(self, transform) -> None:
        super().__init__(lambda images: transform(images[0]), LENGTH)


class Collate:
    """The same, a batch at a time."""

    def __init__(self, views) -> None:
        self.views = views

    def __call__(self, images: list[torch.Tensor]) -> list[tuple[float, float]]:
        first, second = self.views(torch.stack(images))
        return [(number(a), number(b)) for a, b in zip(first, second, strict=True)]


def epochs(loader: DataLoader, count: int) -> list[list[float]]:
    """The numbers of some epochs, in the order of the loader."""
    return [
        [n for item in loader for n in torch.as_tensor(item).flatten().tolist()]
        for _ in range(count)
    ]


def loader_of(
    views, workers: int, context: str | None = None, persistent: bool = False, length: int = LENGTH
) -> DataLoader:
    """A loader of `Numbers`."""
    return DataLoader(
        Numbers(views, length),
        batch_size=None,
        num_workers=workers,
        multiprocessing_context=context,
        persistent_workers=persistent,
    )


def in_a_process(rank: int, views, results) -> None:
    """Numbers of the workers of one of several processes, which know of no ranks."""
    results.put((rank, epochs(loader_of(views, 2, "fork", length=10), 2)))


def on_a_rank(rank: int, world: int, port: int, views, results, spawning: bool) -> None:
    """Numbers of one gloo rank: its own calls, then those of its workers, forked and spawned."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=world)
    own = [number(view) for _ in range(10) for view in views(GREY[None])]
    forked = epochs(loader_of(views, 2, "fork", length=10), 2)
    spawned = epochs(loader_of(views, 1, "spawn", length=10), 1) if spawning else []
    results.put((rank, own, [*forked, *spawned]))
    torch.distributed.destroy_process_group()
