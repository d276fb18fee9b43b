"""What the cells of an ablation will take, from a few measured steps under each set of operations.

The measuring runs in as many processes as the work will, so that what these cost each other is in
the figure.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from augsearch.bench.bench import Bench
from augsearch.bench.supervised import try_supervised
from augsearch.engines.engine import Engine
from augsearch.errors import TrialFailure
from augsearch.search.ablation.plan import Training
from augsearch.space.policy import Policy
from augsearch.store.runs import SUPERVISED
from augsearch.study.jobs import Job

WARMUP, MEASURED, FEWEST = 2, 60, 4
"""Steps before the clock runs; those measured in all; the fewest under one set of operations."""

Kind = tuple[Training, tuple[str, ...], tuple[str, ...]]
"""What decides the cost of a run: how it is trained, and the operations of either view."""


@dataclass(frozen=True)
class AblationEstimate:
    """What an ablation will take, before it starts.

    Attributes:
        cells, seeds: of the plan.
        done: runs that exist.
        left: runs to do.
        steps: of each run.
        processes: that share the work.
        seconds: of training and scoring.
        starting_seconds: what starting and keeping records adds, roughly.
    """

    name: str
    cells: int
    seeds: int
    done: int
    left: int
    steps: int
    device: str
    processes: int
    seconds: float
    starting_seconds: float


@dataclass(frozen=True)
class _Probe:
    """Time `steps` steps of a run under a policy; None: the scoring of an encoder."""

    training: Training
    policy: Policy | None
    steps: int


def run_seconds(bench: Bench, jobs: Sequence[Job], engine: Engine) -> list[float]:
    """What each job will take, measured beside as many others as will run beside it."""
    kinds = [_kind(job) for job in jobs]
    middle = {kind: jobs[_middle([i for i, k in enumerate(kinds) if k == kind])] for kind in kinds}
    processes = engine.at_once(len(jobs))
    steps = max(FEWEST, math.ceil(MEASURED / len(middle)))
    probes = {kind: _Probe(kind[0], job.policy, steps) for kind, job in middle.items()}
    # The kinds of a strength sweep are few: each process has one to do, so that none idles.
    wanted = [probe for probe in probes.values() for _ in range(-(-processes // len(probes)))]
    scoring = _Probe("simclr", None, 1)
    seconds: dict[_Probe, list[float]] = {}
    for probe, taken in engine.run(_measure, bench, [*wanted, *[scoring] * processes]):
        if taken is not None:
            seconds.setdefault(probe, []).append(taken)
    score = _mean(seconds[scoring])
    known = [_mean(times) for probe, times in seconds.items() if probe != scoring]
    per_step = {
        kind: _mean(seconds[probe]) if probe in seconds else max(known, default=0.0)
        for kind, probe in probes.items()
    }
    whole = bench.config.pretrain.steps
    return [whole * per_step[kind] + score for kind in kinds]


def _kind(job: Job) -> Kind:
    assert job.policy is not None
    first, second = (tuple(sorted(op.instance for op in ops)) for ops in job.policy.views)
    return ("supervised" if job.phase == SUPERVISED else "simclr"), first, second


def _middle(indices: Sequence[int]) -> int:
    return indices[len(indices) // 2]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _measure(bench: Bench, probe: _Probe) -> float | None:
    """Seconds a step, or of the scoring; None if training diverged at once."""
    if probe.policy is None:
        begin = time.perf_counter()
        bench.untrained(replicate=0, scored="validation")
        return time.perf_counter() - begin
    policy, steps = probe.policy, WARMUP + probe.steps
    try:
        if probe.training == "supervised":
            try_supervised(bench, policy, replicate=0, steps=WARMUP)
            outcome = try_supervised(bench, policy, replicate=0, steps=probe.steps)
            return outcome.seconds["training"] / probe.steps
        run = bench.pretraining(policy, replicate=0, steps=max(steps, bench.config.pretrain.steps))
        run.advance(WARMUP)
        begin = time.perf_counter()
        run.advance(steps)
    except TrialFailure:
        return None
    return (time.perf_counter() - begin) / probe.steps
