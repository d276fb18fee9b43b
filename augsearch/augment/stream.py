"""Which numbers the next call draws, wherever it is made.

A module that augments is copied: into the workers of a DataLoader at each epoch, onto the ranks of
a distributed run, into a checkpoint. A counter that is copied with it would draw the same numbers
in every copy. So a call's key is made of the seed, the rank, the worker, how often that worker has
been started, and the calls since; all of it follows from the program, so that the same seed draws
the same numbers again. The exported files hold it, too.
"""

from __future__ import annotations

import hashlib
import os
import threading
import warnings
from multiprocessing import current_process, parent_process
from typing import Any

import torch
from torch import Tensor, distributed
from torch.utils.data import get_worker_info

from augsearch.errors import ConfigError

RANKS = 16  # whose workers' starts are counted apart; of more ranks, some share
WORKERS = 64  # of a rank, the same


class DrawStream:
    """Seed and step of one call after another, in whatever process they are made.

    In the process that made the stream, alone on its rank, the seed is the one given and steps
    count from 0. Elsewhere the seed is a hash of that seed and of the place:

    - in a worker of a DataLoader: its number and how often a worker of that number has been
      started, which differs by epoch unless workers persist, and then their steps go on;
    - on a rank of a distributed run: rank and size, as given or as `torch.distributed` has them;
    - in another child process: the name that `multiprocessing` gave it, and how often a copy came
      there. Workers that such a process starts know it, too.

    These starts are counted in shared memory, where the next epoch's workers find them, each
    rank's apart. `state` holds the step and the starts of its rank, so that a resumed run goes on
    with numbers not yet drawn: the ones that an undisturbed run would have drawn if it was stopped
    between epochs.

    Threads of one process share the steps, and which of them gets which is a matter of timing. So
    is what two loaders get that are read at the same time: give each a stream of another seed.

    Args:
        seed: any whole number.
        rank, world_size: this process's place in a distributed run; None to ask
            `torch.distributed` at each call, which is one process where it is not initialised.

    Raises:
        ConfigError: only one of rank and world_size, or a rank outside the world.
    """

    def __init__(self, seed: int, rank: int | None = None, world_size: int | None = None) -> None:
        if (rank is None) != (world_size is None):
            raise ConfigError("give both `rank` and `world_size`, or neither")
        if rank is not None and world_size is not None and not 0 <= rank < world_size:
            raise ConfigError(f"rank {rank}: want 0 to {world_size - 1} in a world of {world_size}")
        self.seed = seed
        self.step = 0
        self._given = None if rank is None or world_size is None else (rank, world_size)
        self._seen = (0, 1)
        self._here = os.getpid()  # the process that `_place` speaks of
        self._place = ""
        self._lock = threading.Lock()
        self._starts = _shared(torch.zeros(RANKS + 1, WORKERS, dtype=torch.int64))

    def next(self) -> tuple[int, int]:
        """Seed and step of this call; the step is then counted."""
        if os.getpid() != self._here:
            self._arrive()
        rank, world = self._rank()
        place = (f"rank {rank} of {world}; " if world > 1 else "") + self._place
        with self._lock:
            step, self.step = self.step, self.step + 1
        return (hashed(f"{self.seed}; {place}") if place else self.seed), step

    def state(self) -> dict[str, Any]:
        """`step`, and `starts`: how often each worker was started, by its number."""
        counts = self._starts[self._rows()].flatten().tolist()
        starts = {slot: count for slot, count in enumerate(counts) if count}
        return {"step": self.step, "starts": starts}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.step = int(state["step"])
        counts = torch.zeros(2 * WORKERS, dtype=torch.int64)
        for slot, count in state["starts"].items():
            counts[slot] = count
        self._starts[self._rows()] = counts.view(2, WORKERS)

    def _rank(self) -> tuple[int, int]:
        if self._given is not None:
            return self._given
        if distributed.is_available() and distributed.is_initialized():
            self._seen = (distributed.get_rank(), distributed.get_world_size())
        return self._seen

    def _arrive(self) -> None:
        """Find out where this copy is; what it drew before its copying does not count here."""
        before, self._here = self._here, os.getpid()
        self._lock = threading.Lock()  # another thread may have held it when this was forked
        info = get_worker_info()
        name, parent = current_process().name, parent_process()
        of_rank, of_others = self._rows()
        if info is not None:
            start = self._start(of_rank, info.id)
            if parent is not None and parent.pid != before:  # which made no call itself
                self._place = f"process {parent.name}; "
            self._place += f"worker {info.id}, start {start}, after {self.step}"
        elif name != "MainProcess":
            start = self._start(of_others, hashed(name))
            self._place = f"process {name}, start {start}, after {self.step}; "
        else:
            self._place = f"process {os.getpid()}"
            warnings.warn(
                "views are made in a process that was forked by hand: they differ from those of "
                "the process before, and from run to run. Build them in the process that uses "
                "them, with its `rank` and `world_size`",
                stacklevel=2,
            )
        self.step = 0

    def _rows(self) -> list[int]:
        """Where the starts of this rank's workers are counted, and those of other processes."""
        return [self._rank()[0] % RANKS, RANKS]

    def _start(self, row: int, number: int) -> int:
        slot = row, number % WORKERS
        start = int(self._starts[slot])
        self._starts[slot] = start + 1
        return start

    def __getstate__(self) -> dict[str, Any]:
        self._rank()  # a worker that is spawned cannot ask torch.distributed
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
        _shared(self._starts)
        if get_worker_info() is None and current_process().name == "MainProcess":
            self._here = os.getpid()  # loaded from a file: this is its home now


def _shared(tensor: Tensor) -> Tensor:
    if not tensor.is_shared():  # type: ignore[no-untyped-call]
        tensor.share_memory_()  # type: ignore[no-untyped-call]
    return tensor


def hashed(words: str) -> int:
    """64 bits that change with the words."""
    digest = hashlib.blake2b(words.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
