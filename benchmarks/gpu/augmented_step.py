"""Part a: a training step with the views in it, over the encoder's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from augsearch.simclr.pretrain import MakeViews
from benchmarks.gpu.device_run import Call, Run
from benchmarks.gpu.scale import Scale
from benchmarks.gpu.views import view_makers
from benchmarks.speed.step import ENCODER_ONLY, Case, stepper, training


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
