"""augsearch's views and training step against those of the libraries a team would otherwise use.

    uv run --group peers python benchmarks/peers.py           # under ten minutes on two cores
    uv run --group peers python benchmarks/peers.py --quick   # does everything run? not for figures

A peer that is not installed is left out, with a row that says so. What is the same for all: the
images (smooth random pictures, uint8 in memory), SimCLR's policy, batch and image size, encoder.
Who draws and computes what differently is told in `peer_views.py`. Figures are medians over
rounds in which everybody is timed once; a ratio compares times of the same round.

Views alone, one thread, 32 and 96 pixels: what two augmented views of a batch cost, divided by
their number. Libraries that work image by image are called without a DataLoader, but stack their
views as it does.

SimCLR from images to updated weights, two threads, 32 pixels, batch 256, with the encoder of the
`standard` study and with one that looks at every pixel (stem conv): whole epochs, so that a
DataLoader's workers leave no batches made ahead of the clock; they persist between epochs, and
their number is the fastest of 0, 1, 2 and 4, with this very training step. Threads sleep while
they wait (OMP_WAIT_POLICY=PASSIVE, unless set), which workers on the same cores profit from.
- "our step": `Pretraining`, with only the source of the views changed.
- "lightly's step": the loop of lightly's documentation for SimCLR: NTXentLoss,
  SimCLRProjectionHead (of our head's sizes), SGD without momentum and its default implementation,
  the views one after the other through the same encoder in NCHW, normalised by the transform.
- "encoder only": our step with views that are already there, the ceiling of any data pipeline.

Prints four tables and writes benchmarks/results/peers.json (with --quick, it writes nothing).
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version

# Before torch starts its threads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from peer_views import (
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
from timing import Timing, paired_ratios, write_result
from torch import Tensor, nn
from torch.utils.data import DataLoader

from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import Encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.encoders.small_resnet import small_resnet
from augsearch.simclr.pretrain import Pretraining

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
ENCODERS = tuple(EncoderConfig(width=16, stages=3, stem=stem) for stem in ("conv", "stride2"))
OURS = "augsearch, fused"
CPU = torch.device("cpu")
PACKAGES = ("augsearch", "torchvision", "kornia", "lightly", "albumentationsx",
            "stable-pretraining", "opencv-python-headless", "pillow", "numpy")  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        view_settings: (image size, batch, batches a call) of the views alone.
        images: of an epoch.
        batch: images a step.
        workers: numbers of DataLoader workers that are tried.
        trials: epochs that each of them is given; the fastest counts.
        repeats: rounds that count.
    """

    view_settings: tuple[tuple[int, int, int], ...] = ((32, 256, 4), (96, 64, 4))
    size: int = 32
    images: int = 1536
    batch: int = 256
    workers: tuple[int, ...] = (0, 1, 2, 4)
    trials: int = 2
    repeats: int = 7

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return self.images // self.batch


FULL = Scale()
QUICK = Scale(((16, 8, 1), (24, 4, 1)), 16, 32, 16, workers=(0,), trials=1, repeats=1)


@dataclass(frozen=True)
class Row:
    """A line of a table; `timing` is None where the library is missing.

    Attributes:
        value: microseconds a view, or images a second.
    """

    name: str
    value: float | None = None
    timing: Timing | None = None
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """A function that builds something with a library, which may not be installed."""

    name: str
    build: Callable[[], Callable[[], object]]
    note: str = ""


def contestants(
    peers: Sequence[Peer],
) -> tuple[dict[str, Callable[[], object]], dict[str, str]]:
    """What can run, and why the others cannot."""
    functions: dict[str, Callable[[], object]] = {}
    missing: dict[str, str] = {}
    for peer in peers:
        try:
            functions[peer.name] = peer.build()
        except ImportError as error:
            missing[peer.name] = f"not installed ({error.name or 'see its error'})"
    return functions, missing


def rows_of(
    peers: Sequence[Peer],
    timings: Sequence[Timing],
    missing: dict[str, str],
    value: Callable[[float], float],
) -> list[Row]:
    """All peers in their order; `value` turns a call's seconds into the table's unit."""
    timed = {timing.name: timing for timing in timings}
    return [
        Row(peer.name, note=missing[peer.name])
        if peer.name in missing
        else Row(peer.name, value(timed[peer.name].seconds), timed[peer.name], peer.note)
        for peer in peers
    ]


def print_rows(title: str, unit: str, rows: Sequence[Row]) -> None:
    width = max(len(row.name) for row in rows)
    print(f"\n{title}\n  {'':{width}}  {unit:>12}  {'time/ours':>9}  range")
    for row in rows:
        if row.timing is None or row.value is None:
            print(f"  {row.name:{width}}  {row.note}")
            continue
        t = row.timing
        figures = f"{row.value:12.1f}  {t.ratio:9.2f}  {t.low:.2f}-{t.high:.2f}"
        print(f"  {row.name:{width}}  {figures}  {row.note}".rstrip())


# Views alone


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


# SimCLR, from images to updated weights


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


def versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, no figures to keep")
    quick = parser.parse_args(arguments).quick
    scale, threads = (QUICK, 1) if quick else (FULL, 2)
    torch.manual_seed(0)
    # Four on two cores is what is to be tried.
    warnings.filterwarnings("ignore", "This DataLoader will create")
    begin = time.perf_counter()
    # First: what stable-pretraining imports would rather not be forked into workers.
    training = [time_training(encoder, scale, threads) for encoder in ENCODERS]
    views = time_views(scale)
    seconds = time.perf_counter() - begin
    print(f"\n{seconds:.0f} s")
    if not quick:
        content = {
            "versions": versions(),
            "policy": asdict(Policy(scale.size)),
            "repeats": scale.repeats,
            "threads": {"views": 1, "training": threads},
            "wait_policy": os.environ["OMP_WAIT_POLICY"],
            "seconds": seconds,
            "views": views,
            "training": training,
        }
        print(write_result("peers", content))


if __name__ == "__main__":
    main()
