"""What all this costs on one data-centre GPU: views, training steps, whole trials.

    python -m benchmarks.gpu.run [--minutes 20] [--parts fbadce] [--out FOLDER]
    python -m benchmarks.gpu.run --device cpu --quick     does it run at all?

Needs torch >= 2.11, torchvision, kornia, numpy, pandas, scikit-learn, pydantic and PyYAML, nothing
of the product's other dependencies, and is started in the repository's root or with that as
PYTHONPATH. Utilisation needs nvidia-ml-py or nvidia-smi, compiling needs Triton and a C compiler;
without them it says "unknown" or leaves the row out with the reason.

    f  nothing waits for the GPU during wholly fused policies; draws and pixels are the CPU's
    b  both views alone, at 32, 96 and 224 pixels, against Kornia
    a  augmented step over encoder-only step: ResNet-50 and ViT-S/16, 2 x 256 views, 224 px, bf16
    d  1, 2, 4 and 8 small trials at once: processes, threads with streams, and weights stacked
       under vmap (batch norm then keeps no running averages; see `at_once.py`)
    c  trials per hour: 10,000 images at 64 px, ResNet-18, 10 epochs, and how busy the GPU is
    e  the encoder's own step: eager, compiled, with CUDA graphs

Times are medians of paired ratios with the range behind them. Every row goes to
<out>/gpu-<device>.json as soon as it is known, so that a time limit loses nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

# Before torch is imported: threads that wait for each other must not keep cores busy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from augsearch.errors import DeviceError
from augsearch.simclr.device import resolve_device
from benchmarks.gpu.at_once import time_at_once
from benchmarks.gpu.augmented_step import time_steps
from benchmarks.gpu.device_run import Report, Run
from benchmarks.gpu.encoder_step import time_modes
from benchmarks.gpu.scale import FULL, QUICK, Scale
from benchmarks.gpu.trials_per_hour import time_trials
from benchmarks.gpu.views import time_views
from benchmarks.gpu.waiting import check_waiting
from benchmarks.shared.folders import RESULTS

PARTS: dict[str, tuple[str, Callable[[Run, Scale], None]]] = {
    "f": ("waiting for the device, draws", check_waiting),
    "b": ("views alone", time_views),
    "a": ("augmented step over encoder-only step", time_steps),
    "d": ("several small trials at once", time_at_once),
    "c": ("trials per hour", lambda run, scale: time_trials(run, scale.trial)),
    "e": ("modes of the encoder's step", time_modes),
}


def device_name(device: torch.device) -> str:
    if device.type != "cuda":
        return device.type
    return "-".join(torch.cuda.get_device_name(device).lower().replace("/", " ").split())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--parts", default="".join(PARTS), help="letters, in the order to run")
    parser.add_argument("--minutes", type=float, default=60, help="begin nothing new after these")
    parser.add_argument("--quick", action="store_true", help="toy sizes, figures without meaning")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"--parts: no part {', '.join(sorted(unknown))}; there are {''.join(PARTS)}")
    try:
        device = resolve_device(options.device)
    except DeviceError as error:
        parser.error(f"--device: {error}")
    torch.manual_seed(0)
    if device.type == "cpu":
        torch.set_num_threads(1)
    name = f"gpu-{device_name(device)}{'-quick' if options.quick else ''}"
    report = Report(name, options.out, time.monotonic() + 60 * options.minutes)
    scale = QUICK if options.quick else FULL
    run = Run(device, report, scale.repeats, scale.warmup)
    for letter in options.parts:
        title, measure = PARTS[letter]
        print(f"[{letter}] {title}", flush=True)
        run.attempt(f"part {letter}", partial(measure, run, scale))
    print(report.write())
    return int(report.failed)


if __name__ == "__main__":
    sys.exit(main())
