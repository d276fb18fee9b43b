"""augsearch's views and training step against those of the libraries a team would otherwise use.

    uv run --group peers python -m benchmarks.peers.compare           # under ten minutes
    uv run --group peers python -m benchmarks.peers.compare --quick   # does it run? no figures

A peer that is not installed is left out, with a row that says so. What is the same for all: the
images (smooth random pictures, uint8 in memory), SimCLR's policy, batch and image size, encoder.
Who draws and computes what differently is told in `views.py`. Figures are medians over
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
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

# Before torch starts its threads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from benchmarks.peers.alone import time_views
from benchmarks.peers.contest import FULL, QUICK
from benchmarks.peers.training import ENCODERS, time_training
from benchmarks.peers.views import Policy
from benchmarks.shared.timing import write_result

PACKAGES = ("augsearch", "torchvision", "kornia", "lightly", "albumentationsx",
            "stable-pretraining", "opencv-python-headless", "pillow", "numpy")  # fmt: skip


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
