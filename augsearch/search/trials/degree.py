"""How many trials are trained side by side, and on what."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from augsearch.bench.bench import Bench
from augsearch.engines.engine import Engine
from augsearch.store.study_store import Store
from augsearch.study.setup import Setup

LEARNT_FROM = 8
"""`auto` keeps so many trials for each that is under way: what is asked meanwhile is asked without
knowing what it shows."""
ALWAYS = 2
"""What `auto` allows however short the search is."""


def degree(setup: Setup, store: Store | None, engine: Engine, trials: int) -> int:
    """How many at once. Part of the answer, so a study that goes on keeps what it began with.

    Args:
        store: of a study that has begun; None before.
    """
    wanted = setup.config.compute.parallel
    if wanted != "auto":
        return wanted
    if store is not None:
        if stored := store.kept.parallel:
            return stored
        if store.finished():
            return 1  # of a version that trained one by one
    if setup.device.type == "cuda" and setup.engine_name == "local":
        return len(_devices(setup))
    return min(engine.at_once(trials), max(ALWAYS, trials // LEARNT_FROM))


def shares(setup: Setup, count: int) -> Sequence[Bench]:
    """The bench for each of so many processes, on devices in turn."""
    devices = _devices(setup)
    if len(devices) == 1 or setup.engine_name != "local":
        return [setup.bench] * count
    return [setup.bench.on(devices[number % len(devices)]) for number in range(count)]


def _devices(setup: Setup) -> list[torch.device]:
    """Every GPU of this machine, unless one was named."""
    if setup.device.type != "cuda" or ":" in setup.asked_device:
        return [setup.device]
    return [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
