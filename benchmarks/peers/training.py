"""SimCLR, from images to updated weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import Encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.small_resnet import small_resnet
from augsearch.simclr.pretrain import Pretraining
from benchmarks.peers.contest import OURS, Peer, Scale, contestants, print_rows, rows_of
from benchmarks.peers.views import (
    MakeViews,
    Pairs,
    Policy,
    Views,
    albumentations_pairs,
    augsearch_views,
    kornia_views,
    lightly_pairs,
    smooth_images,
)
from benchmarks.shared.timing import paired_ratios

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
ENCODERS = tuple(EncoderConfig(width=16, stages=3, stem=stem) for stem in ("conv", "stride2"))
CPU = torch.device("cpu")


def our_step(
    images: Tensor, make_views: MakeViews, encoder: EncoderConfig, scale: Scale
) -> Callable[[], None]:
    """An epoch of our step; only `make_views` differs between callers."""
    run = Pretraining(
        images, make_views, encoder, PretrainConfig(steps=10**6, batch_size=scale.batch),
        seed=0, device=CPU, mean=MEAN, std=STD,
    )  # fmt: skip
    return lambda: run.advance(run.step + scale.steps)


def loader_of(pairs: Pairs, batch: int, workers: int) -> DataLoader[Views]:
    return DataLoader(
        pairs, batch_size=batch, shuffle=True, drop_last=True, num_workers=workers,
        persistent_workers=workers > 0,
    )  # fmt: skip


def views_from(loader: DataLoader[Views]) -> MakeViews:
    """The loader's batches instead of views of the given ones; begins an epoch when one ends."""

    def endless() -> Iterator[Views]:
        while True:
            for pair in loader:
                yield pair[0], pair[1]

    stream = endless()
    return lambda _images, _number: next(stream)


def lightly_step(loader: DataLoader[Views], config: EncoderConfig) -> Callable[[], None]:
    """An epoch of the training loop that lightly documents for SimCLR."""
    from lightly.loss import NTXentLoss
    from lightly.models.modules import SimCLRProjectionHead

    sizes = PretrainConfig()
    encoder = Encoder(small_resnet(config, 3), config.width * 2 ** (config.stages - 1))
    head = SimCLRProjectionHead(encoder.feature_dim, sizes.projection_hidden, sizes.projection_dim)
    model = nn.Sequential(encoder, head)
    criterion = NTXentLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06)

    def epoch() -> None:
        total = torch.zeros(())
        for x0, x1 in loader:
            z0, z1 = model(x0), model(x1)
            loss = criterion(z0, z1)
            total += loss.detach()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        if not total.isfinite():
            raise RuntimeError("lightly's step diverged: its time means nothing")

    return epoch


def fastest(
    build: Callable[[int], Callable[[], object]], scale: Scale, tried: dict[int, float]
) -> Callable[[], object]:
    """The epoch with the number of workers that is fastest; `tried` gets images/s of each."""
    epochs = {workers: build(workers) for workers in scale.workers}
    for _ in range(scale.trials):
        for workers, epoch in epochs.items():
            begin = time.perf_counter()
            epoch()
            speed = scale.images / (time.perf_counter() - begin)
            tried[workers] = max(speed, tried.get(workers, 0.0))
    return epochs[max(tried, key=tried.__getitem__)]


def training_peers(
    encoder: EncoderConfig, scale: Scale, tried: dict[str, dict[int, float]]
) -> list[Peer]:
    """Epochs of SimCLR over the same images; ours come first."""
    policy = Policy(scale.size)
    images = smooth_images(scale.images, scale.size)

    def with_views(name: str, build: Callable[[Policy], MakeViews]) -> Peer:
        return Peer(name, lambda: our_step(images, build(policy), encoder, scale))

    def with_loader(name: str, build: Callable[[Tensor, Policy], Pairs]) -> Peer:
        def start() -> Callable[[], object]:
            pairs, own = build(images, policy), tried.setdefault(name, {})

            def epochs(workers: int) -> Callable[[], object]:
                loader = loader_of(pairs, scale.batch, workers)
                return our_step(images, views_from(loader), encoder, scale)

            return fastest(epochs, scale, own)

        return Peer(name, start)

    def lightly(name: str) -> Peer:
        def start() -> Callable[[], object]:
            pairs = lightly_pairs(images, policy, {"mean": MEAN, "std": STD})
            own = tried.setdefault(name, {})

            def epochs(workers: int) -> Callable[[], object]:
                return lightly_step(loader_of(pairs, scale.batch, workers), encoder)

            return fastest(epochs, scale, own)

        return Peer(name, start)

    def ready(_policy: Policy) -> MakeViews:
        made = augsearch_views(policy, "fused")(images[: scale.batch], 0)
        return lambda *_: made

    return [
        with_views(OURS, lambda policy: augsearch_views(policy, "fused")),
        with_views("encoder only, our step", ready),
        with_views("Kornia eager, our step", kornia_views),
        with_loader("albumentationsX's views, our step", albumentations_pairs),
        with_loader("lightly's views, our step", lightly_pairs),
        lightly("lightly's views, lightly's step"),
    ]


def time_training(encoder: EncoderConfig, scale: Scale, threads: int) -> dict[str, object]:
    torch.set_num_threads(threads)
    tried: dict[str, dict[int, float]] = {}
    peers = training_peers(encoder, scale, tried)
    functions, missing = contestants(peers)
    timings = paired_ratios(functions, scale.repeats, warmup=1)
    rows = rows_of(peers, timings, missing, lambda seconds: scale.images / seconds)
    best = {name: max(own, key=own.__getitem__) for name, own in tried.items()}
    rows = [
        replace(row, note=f"{best[row.name]} workers") if row.name in best else row for row in rows
    ]
    print_rows(
        f"SimCLR at {scale.size} px, batch {scale.batch}, stem {encoder.stem}, {threads} thread(s)",
        "images/s",
        rows,
    )
    return {
        "stem": encoder.stem,
        "size": scale.size,
        "batch": scale.batch,
        "steps_an_epoch": scale.steps,
        "rows": rows,
        "images_a_second_by_workers": tried,
    }
