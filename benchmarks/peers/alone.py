"""Views alone: what two augmented views of a batch cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks.peers.contest import OURS, Peer, Scale, contestants, print_rows, rows_of
from benchmarks.peers.views import (
    MakeViews,
    Pairs,
    Policy,
    Views,
    albumentations_pairs,
    augsearch_views,
    check_views,
    kornia_views,
    lightly_pairs,
    smooth_images,
    stable_pretraining_pairs,
    torchvision_batch_views,
    torchvision_pairs,
)
from benchmarks.shared.timing import paired_ratios


def view_peers(policy: Policy, batch: int, calls: int, differences: dict[str, float]) -> list[Peer]:
    """Each library's views of the same `calls` batches; ours come first.

    Every pipeline is checked when it is built; how much its views differ goes to `differences`.
    """
    images = smooth_images(batch * calls, policy.size)

    def checked(name: str, views_of: Callable[[int], Views]) -> Callable[[], None]:
        found = [check_views(batch, views_of(number), policy.size) for number in range(calls)]
        differences[name] = sum(found) / calls

        def run() -> None:
            for number in range(calls):
                views_of(number)

        return run

    def batches(name: str, build: Callable[[Policy], MakeViews], note: str = "") -> Peer:
        def start() -> Callable[[], None]:
            make = build(policy)
            return checked(name, lambda number: make(images[number * batch :][:batch], number))

        return Peer(name, start, note)

    def one_by_one(name: str, build: Callable[[Tensor, Policy], Pairs]) -> Peer:
        def start() -> Callable[[], None]:
            pairs = build(images, policy)
            return checked(name, lambda number: pairs.batch(number * batch, batch))

        return Peer(name, start)

    return [
        batches(OURS, lambda policy: augsearch_views(policy, "fused")),
        batches("augsearch, Kornia executor", lambda policy: augsearch_views(policy, "kornia")),
        batches("Kornia, eager", kornia_views),
        batches("torchvision v2, per batch", torchvision_batch_views, "one draw a batch"),
        one_by_one("torchvision v2, per image", torchvision_pairs),
        one_by_one("albumentationsX", albumentations_pairs),
        one_by_one("lightly", lightly_pairs),
        one_by_one("stable-pretraining", stable_pretraining_pairs),
    ]


def microseconds_a_view(views: int, seconds: float) -> float:
    return 1e6 * seconds / views


def time_views(scale: Scale) -> list[dict[str, object]]:
    torch.set_num_threads(1)
    tables: list[dict[str, object]] = []
    for size, batch, calls in scale.view_settings:
        differences: dict[str, float] = {}
        peers = view_peers(Policy(size), batch, calls, differences)
        functions, missing = contestants(peers)
        timings = paired_ratios(functions, scale.repeats, warmup=1)
        unit = partial(microseconds_a_view, 2 * batch * calls)
        rows = rows_of(peers, timings, missing, unit)
        print_rows(f"Views of {size} px, batch {batch}, 1 thread", "us a view", rows)
        tables.append(
            {"size": size, "batch": batch, "rows": rows, "mean_view_difference": differences}
        )
    return tables
