"""Part b: both views alone, ours and those of Kornia's classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from augsearch.augment.build import Renderer
from augsearch.simclr.pretrain import MakeViews
from benchmarks.gpu.device_run import Call, Run
from benchmarks.gpu.scale import POLICY, Scale
from benchmarks.shared.kornia_eager import kornia_eager
from benchmarks.speed.augmentation import smooth_images


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
