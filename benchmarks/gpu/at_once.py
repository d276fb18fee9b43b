"""Part d: several small trials at once on one device.

In processes, in threads, and as stacked weights.

All ways train the same network on the same kind of views, each trial under a policy of its own.
Knows nothing of studies: what a trial does besides its training steps is not in here.
"""

from __future__ import annotations

import copy
import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from functools import cache, partial
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, replace_all_batch_norm_modules_, stack_module_state, vmap
from torch.nn import functional

from augsearch.augment.baselines import simclr
from augsearch.augment.build import Renderer
from augsearch.data.stream import batches_of
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.pretrain import projection_head
from augsearch.simclr.randomness import batches, seeded
from benchmarks.gpu.device_run import Call, Run
from benchmarks.gpu.scale import Scale
from benchmarks.shared.timing import Timing
from benchmarks.speed.step import MEAN, STD, Case, stepper, training

STUDY_TRIAL = 200
"""Optimiser steps of a trial in studies/quick.yaml, for which part d gives trials a second."""


def renderer(trial: int) -> Renderer:
    """The views of a trial: SimCLR's policy, another strength for each of ten trials."""
    return Renderer.build(simclr((1 + trial % 10) / 10), "fused")


def trial_steps(case: Case, trial: int, device: torch.device) -> Callable[[], None]:
    """`case.steps` more steps of a trial, by the product's own loop."""
    return stepper(case, training(case, renderer(trial).function(trial, 0), device))


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class InProcesses:
    """Trials in processes of their own, which share the device as its driver lets them.

    Processes are started once and wait; the first n of them make their steps when asked to.
    """

    def __init__(self, case: Case, most: int, device: torch.device) -> None:
        context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
        self._pipes: list[Connection] = []
        self._processes = []
        for trial in range(most):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(case, trial, device, theirs), daemon=True
            )
            process.start()
            theirs.close()  # so that a process that dies is noticed
            self._pipes.append(ours)
            self._processes.append(process)
        try:
            for pipe in self._pipes:
                pipe.recv()
        except EOFError as error:
            self.close()
            raise RuntimeError("a process of a trial ended before its first step") from error

    def __call__(self, number: int) -> None:
        for pipe in self._pipes[:number]:
            pipe.send(True)
        for pipe in self._pipes[:number]:
            pipe.recv()

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=30)


def _serve(case: Case, trial: int, device: torch.device, pipe: Connection) -> None:
    torch.set_num_threads(1)
    steps = trial_steps(case, trial, device)
    try:
        while True:
            steps()
            wait_for(device)
            pipe.send(True)
            pipe.recv()
    except (EOFError, BrokenPipeError):  # the other end was closed: no more to do
        return


class InThreads:
    """Trials in threads of this process, each with a CUDA stream of its own.

    For measuring only: the threads reseed the same global generators, so a network with dropout
    would not be reproducible.
    """

    def __init__(self, case: Case, most: int, device: torch.device) -> None:
        self._device = device
        self._trials = [trial_steps(case, trial, device) for trial in range(most)]
        self._streams = [_own_stream(device) for _ in range(most)]
        self._pool = ThreadPoolExecutor(most)
        wait_for(device)  # with the weights, which were copied on the default stream

    def __call__(self, number: int) -> None:
        list(self._pool.map(self._steps, range(number)))

    def _steps(self, trial: int) -> None:
        with self._streams[trial]:
            self._trials[trial]()

    def close(self) -> None:
        self._pool.shutdown()


def _own_stream(device: torch.device) -> AbstractContextManager[object]:
    if device.type != "cuda":
        return nullcontext()
    return torch.cuda.stream(torch.cuda.Stream(device))  # type: ignore[no-untyped-call]  # torch's


class StackedWeights:
    """Trials as one network whose weights have one more dimension, under `torch.func.vmap`.

    Batch norm uses the batch's statistics and keeps no running averages, which vmap cannot update:
    enough to measure training steps, not yet a trial whose encoder can be probed. Views are made
    trial by trial, as their policies differ.
    """

    def __init__(self, case: Case, number: int, device: torch.device) -> None:
        self._case, self._device, self._done = case, device, 0
        self.networks = [_network(case, seed).to(device) for seed in range(number)]
        self.weights, _ = stack_module_state(self.networks)
        # The weights' shapes are what counts in it, so it needs no memory.
        skeleton = copy.deepcopy(self.networks[0]).to("meta")
        self._forward = vmap(lambda weights, views: functional_call(skeleton, weights, (views,)))
        config = case.config()
        # AdamW works number by number: on stacked weights it does what it does on each trial's.
        matrices = {name for name, own in self.networks[0].named_parameters() if own.ndim > 1}
        groups: list[dict[str, Any]] = [
            {"params": [w for n, w in self.weights.items() if n in matrices]},
            {
                "params": [w for n, w in self.weights.items() if n not in matrices],
                "weight_decay": 0.0,
            },
        ]
        self._optimizer = torch.optim.AdamW(
            groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self._renderers = [renderer(trial) for trial in range(number)]
        shape = (2 * case.batch, 3, case.size, case.size)
        images = torch.randint(0, 256, shape, dtype=torch.uint8).to(device)
        self._batches = [
            batches_of(images, batches(len(images), case.batch, seed), device)
            for seed in range(number)
        ]
        self._mean, self._std = torch.tensor([MEAN, STD], device=device).view(2, 1, 3, 1, 1)

    def __call__(self) -> None:
        for _ in range(self._case.steps):
            self._optimizer.zero_grad(set_to_none=True)
            self.losses(self._views()).sum().backward()  # type: ignore[no-untyped-call]  # torch's
            self._optimizer.step()
            self._done += 1

    def losses(self, views: Tensor) -> Tensor:
        """`[n]` losses of the trials, from their normalised views `[n, 2B, C, S, S]`."""
        on_cuda = self._device.type == "cuda"
        # A cached cast of a weight would outlive the level of vmap that it belongs to.
        with torch.autocast(self._device.type, torch.bfloat16, on_cuda, cache_enabled=False):
            z = self._forward(self.weights, views)  # [n, 2B, D]
        return stacked_nt_xent(z, self._case.config().temperature)

    @torch.no_grad()
    def _views(self) -> Tensor:
        def views(trial: int) -> Tensor:
            return self._renderers[trial](
                next(self._batches[trial]),
                self._case.size,
                seed=trial,
                step=self._done,
                finish=self._finish,
            )

        return torch.stack([views(trial) for trial in range(len(self.networks))])

    def _finish(self, pixels: Tensor) -> Tensor:
        return pixels.sub_(self._mean).div_(self._std)


def stacked_nt_xent(z: Tensor, temperature: float) -> Tensor:
    """`nt_xent` of each trial, `[n, 2B, D]` to `[n]`; vmap has no rule for `fill_diagonal_`."""
    z = functional.normalize(z.float(), dim=2)
    similarity = z @ z.mT / temperature  # [n, 2B, 2B]
    rows = similarity.shape[1]
    itself = torch.eye(rows, dtype=torch.bool, device=z.device)
    similarity = similarity.masked_fill(itself, -torch.inf)
    partner = torch.arange(rows, device=z.device).roll(rows // 2).expand(len(z), -1)
    # cross_entropy wants classes second; the matrix is symmetric.
    return functional.cross_entropy(similarity, partner, reduction="none").mean(1)


def _network(case: Case, seed: int) -> nn.Module:
    """`[2B, C, S, S]` to `[2B, D]`: encoder and projection head, without running averages."""
    with seeded(seed, torch.device("cpu")):
        encoder = build_encoder(case.encoder, 3, case.size)
        head = projection_head(encoder.feature_dim, case.config())
    network = nn.Sequential(encoder, head)
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size == 1:
            network.set_submodule(name, Mean())  # vmap has a rule for the mean, not for the pool
    return replace_all_batch_norm_modules_(network)


class Mean(nn.Module):
    """`[B, C, H, W]` to `[B, C, 1, 1]`."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3), keepdim=True)


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
