"""What all this costs on one data-centre GPU: views, training steps, whole trials.

    PYTHONPATH=. python benchmarks/gpu.py [--minutes 20] [--parts fbadce] [--out FOLDER]
    PYTHONPATH=. python benchmarks/gpu.py --device cpu --quick     does it run at all?

Needs torch >= 2.11, torchvision, kornia, numpy, pandas, scikit-learn, pydantic and PyYAML, nothing
of the product's other dependencies, and this directory's parent as PYTHONPATH. Utilisation needs
nvidia-ml-py or nvidia-smi, compiling needs Triton and a C compiler; without them it says "unknown"
or leaves the row out with the reason.

    f  nothing waits for the GPU during wholly fused policies; draws and pixels are the CPU's
    b  both views alone, at 32, 96 and 224 pixels, against Kornia
    a  augmented step over encoder-only step: ResNet-50 and ViT-S/16, 2 x 256 views, 224 px, bf16
    d  1, 2, 4 and 8 small trials at once: processes, threads with streams, and weights stacked
       under vmap (batch norm then keeps no running averages; see benchmarks/at_once.py)
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
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

# Before torch is imported: threads that wait for each other must not keep cores busy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from at_once import InProcesses, InThreads, StackedWeights, trial_steps
from augmentation import random_policies, smooth_images
from encoder_step import EncoderStep, GraphedStep
from gpu_run import Call, Report, Run
from kornia_eager import kornia_eager
from step import ENCODER_ONLY, GPU_CASES, Case, stepper, training
from timing import RESULTS, Timing
from torch import Tensor
from trials_per_hour import Trial, time_trials

from augsearch.augment.baselines import BASELINES, simclr
from augsearch.augment.build import Renderer
from augsearch.augment.draws import Draws
from augsearch.augment.fused.coordinates import COORDINATES
from augsearch.augment.fused.pointwise import POINTWISE
from augsearch.errors import DeviceError
from augsearch.simclr.device import resolve_device
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.pretrain import MakeViews
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy
from augsearch.space.presets import preset_names

POLICY = simclr(1)
STUDY_TRIAL = 200
"""Optimiser steps of a trial in studies/quick.yaml, for which part d gives trials a second."""
LEVEL = 1 / 255


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    repeats: int
    warmup: int
    steps: tuple[Case, ...]
    views: tuple[tuple[int, int], ...]  # pixels, images
    view_calls: int
    small: Case
    at_once: tuple[int, ...]
    trial: Trial
    modes: tuple[Case, ...]
    random_policies: int


STUDY_ENCODER = EncoderConfig()
SMALL = Case("small_resnet, 32 px, batch 64", STUDY_ENCODER, 32, 64, steps=50)
RESNET18 = Case(
    "ResNet-18, 64 px, batch 256", EncoderConfig(name="torchvision/resnet18"), 64, 256, 5
)
FULL = Scale(
    repeats=7,
    warmup=2,
    steps=GPU_CASES,
    views=((32, 256), (96, 256), (224, 256)),
    view_calls=5,
    small=SMALL,
    at_once=(1, 2, 4, 8),
    trial=Trial(10_000, 64, "torchvision/resnet18", 256, 10, count=7),
    # Each graph keeps the memory of its activations: a quarter of the images fits four times.
    modes=(
        SMALL,
        RESNET18,
        *(
            replace(case, name=case.name.replace("256", "64"), batch=64, steps=4)
            for case in GPU_CASES
        ),
    ),
    random_policies=20,
)
TOY = Case("small_resnet, 16 px, batch 8", STUDY_ENCODER, 16, 8, steps=1)
QUICK = Scale(
    repeats=1,
    warmup=0,
    steps=(TOY,),
    views=((16, 8),),
    view_calls=1,
    small=TOY,
    at_once=(2,),
    trial=Trial(240, 16, "small_resnet", 32, 1, count=1),
    modes=(TOY,),
    random_policies=2,
)


def view_makers(device: torch.device, size: int) -> dict[str, Callable[[], MakeViews]]:
    """Who makes SimCLR's views, ours first; each built when it is asked for."""

    def ours(executor: str, compile: bool = False) -> MakeViews:
        renderer = Renderer.build(POLICY, executor, compile=compile)  # type: ignore[arg-type]
        return renderer.function(0, 0, size)

    def theirs(tuned_for: torch.device | None) -> MakeViews:
        views_of = kornia_eager(POLICY, size, tuned_for)
        return lambda images, _step: views_of(images)

    makers = {"fused": partial(ours, "fused")}
    if device.type == "cuda":
        makers["fused, compiled"] = partial(ours, "fused", compile=True)
    return {
        **makers,
        "our Kornia executor": partial(ours, "kornia"),
        "Kornia's classes": partial(theirs, None),
        "Kornia's classes, tuned": partial(theirs, device),
    }


# Part f


def strongest(name: str) -> dict[str, float]:
    """An operation at four fifths of its strength."""
    values: dict[str, float] = {}
    for p in OPERATIONS[name].parameters:
        start = p.low if p.identity is None else p.identity
        value = start + 0.8 * ((p.low if p.identity == p.high else p.high) - start)
        values[p.name] = round(value) if p.integer else value
    return values


def fused_policies(count: int) -> list[Policy]:
    """Every operation that the fused executor knows, in one policy and under presets' spaces."""
    known = [*COORDINATES, *POINTWISE, "gaussian_blur"]
    ops = [{"op": name, "p": 0.5, **strongest(name)} for name in known]
    every = Policy.model_validate({"name": "all fused operations", "ops": ops})
    drawn = [p for preset in preset_names("spaces") for p in random_policies(preset, count)]
    candidates = [every, *BASELINES.values(), *drawn]
    return [policy for policy in candidates if not Renderer.build(policy).fallbacks]


def check_waiting(run: Run, scale: Scale) -> None:
    """No synchronisation in wholly fused policies; draws bitwise, pixels nearly the CPU's."""
    policies = fused_policies(scale.random_policies)
    waiting: list[str] = []
    gaps: list[float] = []
    for policy in policies:
        renderer = Renderer.build(policy, "fused")
        for images_size in (32, 48):  # enlarging and shrinking crops
            here = smooth_images(16, images_size, torch.device("cpu"))
            there = here.to(run.device)
            renderer(there, 32, seed=0)  # what is set up once may wait
            run.wait()
            if run.on_cuda:
                torch.cuda.set_sync_debug_mode("error")
            try:
                views = renderer(there, 32, seed=0, step=1)
            except RuntimeError as error:
                waiting.append(f"{policy.name}: {str(error).partition(chr(10))[0]}")
                continue
            finally:
                if run.on_cuda:
                    torch.cuda.set_sync_debug_mode("default")
            gap = (views.cpu() - renderer(here, 32, seed=0, step=1)).abs().mean()
            gaps.append(float(gap) / LEVEL)
    row = {
        "policies": len(policies),
        "checked": run.on_cuda,
        "waiting": waiting,
        "largest_mean_gap_to_cpu_levels": max(gaps, default=None),
        "draws_equal_cpu": draws_equal_cpu(run.device),
    }
    print(f"  {row}")
    run.report.add("f waiting", row)
    if waiting or not row["draws_equal_cpu"] or max(gaps) > 1:
        raise AssertionError("a wholly fused policy waits for the device, or gives other views")


def draws_equal_cpu(device: torch.device) -> bool:
    rows = torch.arange(0, 100, 3)
    found: list[list[Tensor]] = []
    for place in (torch.device("cpu"), device):
        draws = Draws(3, 1, 1000, (0, 1), 50, place)
        numbers = draws.uniform("color_jitter", 5)
        pixels = draws.field("gaussian_noise", rows.to(place), (3, 32, 32), slot=1)
        found.append([numbers.cpu(), pixels.cpu()])
    return all(map(torch.equal, *found))


# Part b


def time_views(run: Run, scale: Scale) -> None:
    for size, count in scale.views:
        what = f"both views, {size} px, batch {count}"
        run.attempt(what, partial(time_views_of, run, what, size, count, scale.view_calls))


def time_views_of(run: Run, what: str, size: int, count: int, times: int) -> None:
    images = smooth_images(count, size, run.device)

    def calls(build: Callable[[], MakeViews]) -> Call:
        views_of = build()

        @torch.no_grad()
        def some() -> None:
            for step in range(times):
                views_of(images, step)

        return some

    makers = view_makers(run.device, size)
    functions = run.working(what, {name: partial(calls, make) for name, make in makers.items()})
    timings = run.compare(f"{what} ({times} times; target: 10)", functions)
    run.report.add("b views", {"size": size, "batch": count, "timings": timings})


# Part a


def time_steps(run: Run, scale: Scale) -> None:
    for case in scale.steps:
        run.attempt(f"augmented step, {case.name}", partial(time_step, run, case))


def time_step(run: Run, case: Case) -> None:
    pair = torch.rand(2, case.batch, 3, case.size, case.size, device=run.device)
    first, second = (view.contiguous(memory_format=torch.channels_last) for view in pair)
    del pair
    trainings = {}

    def steps(name: str, make: Callable[[], MakeViews]) -> Call:
        trainings[name] = training(case, make(), run.device)
        return stepper(case, trainings[name])

    makers: dict[str, Callable[[], MakeViews]] = {
        ENCODER_ONLY: lambda: lambda _images, _step: (first, second),
        **view_makers(run.device, case.size),
    }
    builders = {name: partial(steps, name, make) for name, make in makers.items()}
    timings = run.compare(
        f"{case.name} ({case.steps} steps a call; target: 1.10)", run.working(case.name, builders)
    )
    chunks = {name: training.chunk_size for name, training in trainings.items()}
    if len(set(chunks.values())) > 1:
        run.report.trouble(f"{case.name}: not comparable, images in the encoder differ: {chunks}")
    run.report.add("a steps", {"case": case.name, "timings": timings, "images_in_encoder": chunks})


# Part d


def time_at_once(run: Run, scale: Scale) -> None:
    case, most, device = scale.small, max(scale.at_once), run.device
    with ExitStack() as opened:

        @cache
        def processes() -> InProcesses:
            return opened.enter_context(closing(InProcesses(case, most, device)))

        @cache
        def threads() -> InThreads:
            return opened.enter_context(closing(InThreads(case, most, device)))

        def in_one(pool: Callable[[], Callable[[int], None]], number: int) -> Call:
            return partial(pool(), number)

        alone = trial_steps(case, 0, device)
        for number in scale.at_once:
            builders: dict[str, Callable[[], Call]] = {
                "one trial alone": lambda: alone,
                "processes": partial(in_one, processes, number),
                "threads, own streams": partial(in_one, threads, number),
                "stacked weights": partial(StackedWeights, case, number, device),
            }
            what = f"{number} trials at once"
            run.attempt(what, partial(compare_at_once, run, what, case, number, builders))


def compare_at_once(
    run: Run, what: str, case: Case, number: int, builders: Mapping[str, Callable[[], Call]]
) -> None:
    title = f"{what}, {case.name} ({case.steps} steps a call; target: a gain of 1.5)"
    timings = run.compare(title, run.working(what, builders))
    rows = [gain(timing, number, case) for timing in timings[1:]]
    for row in rows:
        print(
            f"  {row['way']:22} {row['trials_a_second']:8.3f} trials/s, "
            f"{row['gain']:.2f} x one after another ({row['low']:.2f}-{row['high']:.2f})"
        )
    run.report.add("d at once", {"case": case.name, "number": number, "ways": rows})


def gain(timing: Timing, number: int, case: Case) -> dict[str, object]:
    """Against the same number of trials one after another; without probes, which differ not."""
    return {
        "way": timing.name,
        "trials_a_second": number * case.steps / STUDY_TRIAL / timing.seconds,
        "gain": number / timing.ratio,
        "low": number / timing.high,
        "high": number / timing.low,
    }


# Part e


def time_modes(run: Run, scale: Scale) -> None:
    for case in scale.modes:
        run.attempt(f"modes, {case.name}", partial(time_modes_of, run, case))


def time_modes_of(run: Run, case: Case) -> None:
    device = run.device
    firsts: dict[str, float] = {}

    def timed(name: str, build: Callable[[], EncoderStep]) -> Call:
        begin = time.perf_counter()
        step = build()
        step()
        run.wait()
        firsts[name] = time.perf_counter() - begin
        return step

    builders: dict[str, Callable[[], EncoderStep]] = {
        "eager": lambda: EncoderStep(case, device),
    }
    if run.on_cuda:
        builders |= {
            "eager, cuDNN tries all": lambda: Benchmarking(case, device),
            "compiled": lambda: EncoderStep(case, device, "default"),
            "compiled, reduce-overhead": lambda: EncoderStep(case, device, "reduce-overhead"),
            "whole step as one graph": lambda: GraphedStep(case, device),
        }
    functions = run.working(
        case.name, {name: partial(timed, name, build) for name, build in builders.items()}
    )
    timings = run.compare(f"encoder only, {case.name} ({case.steps} steps a call)", functions)
    print("  first call: " + ", ".join(f"{name} {s:.1f} s" for name, s in firsts.items()))
    rows = {"case": case.name, "timings": timings, "first_call_seconds": firsts}
    run.report.add("e modes", rows)


class Benchmarking(EncoderStep):
    """Eager, with the fastest of cuDNN's algorithms instead of the one it guesses."""

    def step(self) -> None:
        torch.backends.cudnn.benchmark = True
        try:
            super().step()
        finally:
            torch.backends.cudnn.benchmark = False


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
