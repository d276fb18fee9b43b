"""Part e: a training step on views that are already there, run in several ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.loss import nt_xent
from augsearch.simclr.optimizer import build_optimizer
from augsearch.simclr.pretrain import projection_head
from benchmarks.gpu.device_run import Call, Run
from benchmarks.gpu.scale import Scale
from benchmarks.speed.step import Case


class EncoderStep:
    """Forward, loss, backward and update as in `Pretraining`; a call makes `case.steps` of them."""

    def __init__(self, case: Case, device: torch.device, compile_mode: str | None = None) -> None:
        """Build it; `compile_mode` is torch.compile's for the encoder, None leaves it eager."""
        self.case, self.device = case, device
        encoder = build_encoder(case.encoder, 3, case.size).to(device)
        self.project = projection_head(encoder.feature_dim, case.config()).to(device)
        self.optimizer = build_optimizer(encoder, self.project, case.config())
        self.encode: Callable[[Tensor], Tensor] = encoder
        self.compiled = compile_mode is not None
        if self.compiled:
            self.encode = torch.compile(encoder, dynamic=False, mode=compile_mode)
        views = torch.rand(2 * case.batch, 3, case.size, case.size, device=device)
        self.views = views.contiguous(memory_format=torch.channels_last)

    def __call__(self) -> None:
        for _ in range(self.case.steps):
            if self.compiled:
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch's
            self.step()

    def step(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.forward_backward()
        self.optimizer.step()

    def forward_backward(self, cache: bool = True) -> Tensor:
        on_cuda = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=on_cuda, cache_enabled=cache):
            z = self.project(self.encode(self.views))
        first, second = z.chunk(2)
        loss = nt_xent(first, second, self.case.config().temperature)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        return loss.detach()


class GraphedStep(EncoderStep):
    """The whole step, update included, as one CUDA graph that is replayed.

    As torch's notes on CUDA graphs want it: warmed up on a stream of its own, gradients made
    inside the capture, autocast without its cache, the learning rate and Adam's step on the device.
    """

    def __init__(self, case: Case, device: torch.device) -> None:
        super().__init__(case, device)
        for group in self.optimizer.param_groups:
            group["capturable"] = True
            group["lr"] = torch.tensor(group["lr"], device=device)
        beside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's
        beside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(beside):
            for _ in range(3):
                self.optimizer.zero_grad(set_to_none=True)
                self.forward_backward(cache=False)
                self.optimizer.step()
        torch.cuda.current_stream(device).wait_stream(beside)
        self.optimizer.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = self.forward_backward(cache=False)
            self.optimizer.step()

    def step(self) -> None:
        self.graph.replay()


class Benchmarking(EncoderStep):
    """Eager, with the fastest of cuDNN's algorithms instead of the one it guesses."""

    def step(self) -> None:
        torch.backends.cudnn.benchmark = True
        try:
            super().step()
        finally:
            torch.backends.cudnn.benchmark = False


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
