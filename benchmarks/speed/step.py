"""What a training step costs, and what the augmentations add to it.

    uv run python -m benchmarks.speed.step [--threads 2] [--device cuda] [--cases 32] [--compile]

With `--device cuda` two large encoders at 224 pixels are added.

Time, as medians of paired ratios to our step on views that are already there ("encoder only"):
a plain eager loop over the same network and views (NCHW, AdamW without fusion or foreach), and our
step with the views made under SimCLR's policy by each executor; where the hardware multiplies
bfloat16, our step in float32, too. `--compile` adds our step with
`pretrain.compile`, after its first call, whose seconds are printed.

Memory: the peak with augmentations above that of the images and the encoder's own step, medians of
processes that do nothing else. Prints tables and writes results/step-<device>-<threads>.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from augsearch.augment.baselines import simclr
from augsearch.augment.build import Renderer
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.pretrain import MakeViews, Pretraining, projection_head
from augsearch.space.view_options import Executor
from benchmarks.shared.timing import Timing, paired_ratios, print_timings, write_result
from benchmarks.speed.vit_small import VIT_SMALL

ENCODER_ONLY, PLAIN = "encoder only", "plain eager loop"
EXECUTORS: tuple[Executor, ...] = ("kornia", "fused")
MEAN, STD = [0.5] * 3, [0.25] * 3
MEMORY_STEPS, MEMORY_RUNS = 3, 3


@dataclass(frozen=True)
class Case:
    """An encoder and a batch; `steps` of them are timed as one call."""

    name: str
    encoder: EncoderConfig
    size: int
    batch: int
    steps: int

    def config(self, **values: object) -> PretrainConfig:
        return PretrainConfig.model_validate({"steps": 10**6, "batch_size": self.batch, **values})


CONV, STRIDE2 = EncoderConfig(width=16, stages=3, stem="conv"), EncoderConfig()
CASES = (
    Case("conv stem, 32 px, batch 256", CONV, 32, 256, steps=1),
    Case("conv stem, 96 px, batch 64", CONV, 96, 64, steps=1),
    Case("stride2 stem, 32 px, batch 256", STRIDE2, 32, 256, steps=3),
    Case("stride2 stem, 96 px, batch 64", STRIDE2, 96, 64, steps=1),
)
GPU_CASES = (
    Case(
        "ResNet-50, 224 px, batch 256",
        EncoderConfig(name="torchvision/resnet50"),
        224,
        256,
        steps=2,
    ),
    Case("ViT-S/16, 224 px, batch 256", EncoderConfig(name=VIT_SMALL), 224, 256, steps=2),
)


def training(
    case: Case, make_views: MakeViews, device: torch.device, **values: object
) -> Pretraining:
    """Our run, on random images; `values` are those of `PretrainConfig`."""
    shape = (2 * case.batch, 3, case.size, case.size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8).to(device)
    config = case.config(**values)
    return Pretraining(
        images, make_views, case.encoder, config, seed=0, device=device, mean=MEAN, std=STD
    )


def stepper(case: Case, run: Pretraining) -> Callable[[], None]:
    return lambda: run.advance(run.step + case.steps)


class PlainLoop:
    """SimCLR as one would write it: the same network and arithmetic, nothing tuned."""

    def __init__(self, case: Case, views: tuple[Tensor, Tensor], device: torch.device) -> None:
        self.steps, self.views, self.device = case.steps, views, device
        encoder = build_encoder(case.encoder, 3, case.size)
        head = projection_head(encoder.feature_dim, case.config())
        network = nn.Sequential(encoder, head).to(device)
        self.network = network.to(memory_format=torch.contiguous_format)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=0.002, weight_decay=1e-4, foreach=False, fused=False
        )
        self.mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
        self.std = torch.tensor(STD, device=device).view(1, 3, 1, 1)

    def __call__(self) -> None:
        for _ in range(self.steps):
            self.optimizer.zero_grad()
            views = (torch.cat(self.views) - self.mean) / self.std
            with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
                z = self.network(views)
            z = functional.normalize(z.float(), dim=1)
            similarity = z @ z.T / 0.2
            itself = torch.eye(len(z), dtype=torch.bool, device=self.device)
            similarity = similarity.masked_fill(itself, -torch.inf)
            partner = torch.arange(len(z), device=self.device).roll(len(z) // 2)
            functional.cross_entropy(similarity, partner).backward()  # type: ignore[no-untyped-call]  # torch's
            self.optimizer.step()


def time_case(case: Case, device: torch.device, repeats: int, compile: bool) -> list[Timing]:
    shape = (case.batch, 3, case.size, case.size)
    first, second = torch.rand(2, *shape, device=device)
    made = tuple(view.contiguous(memory_format=torch.channels_last) for view in (first, second))
    functions: dict[str, Callable[[], None]] = {
        ENCODER_ONLY: stepper(case, training(case, lambda *_: made, device)),
        PLAIN: PlainLoop(case, (first, second), device),
    }
    if training(case, lambda *_: made, device).bfloat16:
        run = training(case, lambda *_: made, device, precision="float32")
        functions["encoder only, float32"] = stepper(case, run)
    if compile:
        run = training(case, lambda *_: made, device, compile=True)
        begin = time.perf_counter()
        run.advance(1)
        print(f"first step compiled: {time.perf_counter() - begin:.0f} s")
        functions["encoder only, compiled"] = stepper(case, run)
    for executor in EXECUTORS:
        views = Renderer.build(simclr(0.5), executor).function(1, 0)
        functions[f"augmented, {executor}"] = stepper(case, training(case, views, device))
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    return paired_ratios(functions, repeats, warmup=2, synchronize=wait)


def measure_memory(case: Case, what: str, device: torch.device) -> dict[str, int]:
    """Bytes before the first step, and at the peak; of this process, which did nothing else."""
    if what == ENCODER_ONLY:
        # Views that take no memory: what the encoder needs is its own copy.
        blank = torch.zeros((), device=device).expand(case.batch, 3, case.size, case.size)
        run = training(case, lambda *_: (blank, blank), device)
    else:
        executor = next(executor for executor in EXECUTORS if executor == what)
        views = Renderer.build(simclr(0.5), executor).function(1, 0)
        run = training(case, views, device)
    if device.type == "cuda":
        before = torch.cuda.memory_allocated()
        run.advance(MEMORY_STEPS)
        return {"before": before, "peak": torch.cuda.max_memory_allocated()}
    import psutil  # a GPU's memory is known without it

    before = psutil.Process().memory_info().rss
    run.advance(MEMORY_STEPS)
    return {"before": before, "peak": peak_resident_bytes()}


def peak_resident_bytes() -> int:
    """Of this process alone: `ru_maxrss` would count what its parent held when it started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def memory_of_case(case: Case, arguments: argparse.Namespace) -> dict[str, float]:
    """MB of the encoder's own step, and what each executor adds to it at the peak."""
    found = {what: process_memory(case, what, arguments) for what in (ENCODER_ONLY, *EXECUTORS)}
    step = found.pop(ENCODER_ONLY)
    print(f"  peak memory of the encoder's own step: {step:.0f} MB")
    result = {"encoder_step_mb": step}
    for executor, whole in found.items():
        added = whole - step
        print(f"  added by augmenting, {executor}: {added:.0f} MB ({100 * added / step:.0f} %)")
        result[f"added_{executor}_mb"] = added
    return result


def process_memory(case: Case, what: str, arguments: argparse.Namespace) -> float:
    """MB that a few steps take at the peak, above what was there before them."""
    command = [sys.executable, "-m", "benchmarks.speed.step", "--memory-of", case.name, what]
    command += ["--threads", str(arguments.threads), "--device", arguments.device]
    rises: list[float] = []
    for _ in range(MEMORY_RUNS):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        bytes_of = json.loads(done.stdout)
        rises.append((bytes_of["peak"] - bytes_of["before"]) / 1e6)
    return statistics.median(rises)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="of torch, on the CPU")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--cases", default="", help="only those whose name contains this")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="time a compiled encoder, too")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    device = torch.device(arguments.device, *([0] if arguments.device == "cuda" else []))
    if arguments.memory_of:
        wanted, what = arguments.memory_of
        case = next(case for case in (*CASES, *GPU_CASES) if case.name == wanted)
        print(json.dumps(measure_memory(case, what, device)))
        return
    rows = []
    cases = CASES if device.type == "cpu" else (*CASES, *GPU_CASES)
    for case in (case for case in cases if arguments.cases in case.name):
        timings = time_case(case, device, arguments.repeats, arguments.compile)
        print_timings(f"{case.name} ({case.steps} steps a call)", timings)
        rows.append(
            {"case": case.name, "timings": timings, "memory": memory_of_case(case, arguments)}
        )
    print(write_result(f"step-{arguments.device}-{arguments.threads}", {"cases": rows}))


if __name__ == "__main__":
    main()
