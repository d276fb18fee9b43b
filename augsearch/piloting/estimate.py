"""What is left of a pilot to do, and what it will take, from a few measured steps.

The measuring runs in as many processes as the work will, so that what these cost each other is in
the figure.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from augsearch.bench.bench import Bench
from augsearch.bench.scoring import quick_scores
from augsearch.engines.cost import makespan, overhead_seconds
from augsearch.engines.processes import Processes
from augsearch.piloting.prepare import Prepared
from augsearch.piloting.runs import (
    Point,
    Simclr,
    Workshop,
    classified,
    points,
    pretraining_of,
    pretrainings,
    read_points,
)
from augsearch.pretraining.prepare import LONGER
from augsearch.pretraining.result import RESULT_FILE
from augsearch.progress import Phase, PhaseCost, Quiet, duration
from augsearch.words import counted

WARMUP, MEASURED = 2, 8
"""Steps before the clock runs, and those that are measured."""


@dataclass(frozen=True)
class PilotEstimate:
    """What a pilot will take, before it starts.

    Attributes:
        name: of its directory.
        ways, labels, seeds: what is compared, how often; `labels` of each class.
        pretrainings, classifiers: left to do.
        done: of both, finished before.
        steps: of a pretraining.
        processes: that share the work.
        seconds: of all that is left, starting processes included.
        search_seconds: of the search that comes first; 0 without one.
        phases, lengths: as `Progress.expected` is told.
    """

    name: str
    ways: int
    labels: tuple[int, ...]
    seeds: int
    pretrainings: int
    classifiers: int
    done: int
    steps: int
    device: str
    processes: int
    seconds: float
    search_seconds: float = 0.0
    phases: tuple[PhaseCost, ...] = ()
    lengths: Mapping[str, float] = field(default_factory=dict, repr=False)


def estimate(prepared: Prepared, engine: Processes, *, afresh: bool = False) -> PilotEstimate:
    """Measure a few steps of each kind of training that is left, and add up; writes nothing.

    Args:
        afresh: of the whole pilot, also if some of it is done.

    Raises:
        TrialFailure: a loss became non-finite at once.
    """
    jobs, asked = pretrainings(prepared), points(prepared)
    waiting, todo = jobs, asked
    if not afresh:
        kept = read_points(prepared)
        waiting = [job for job in jobs if not (job.within(prepared) / RESULT_FILE).is_file()]
        todo = [point for point in asked if point not in kept]
    processes = engine.at_once(max(len(waiting), len(todo), 1))
    first, second = _seconds(prepared, waiting, todo, engine)
    ends = sum(makespan(list(part.values()), processes) for part in (first, second))
    pretraining, pretrained = _phase("pretrainings", len(jobs), first, processes)
    classifying, classified = _phase("classifiers", len(asked), second, processes)
    return PilotEstimate(
        name=prepared.directory.name,
        ways=len(prepared.ways),
        labels=prepared.counts,
        seeds=prepared.pilot.seeds,
        pretrainings=len(waiting),
        classifiers=len(todo),
        done=len(jobs) + len(asked) - len(waiting) - len(todo),
        steps=_steps(prepared),
        device=str(prepared.device),
        processes=processes,
        seconds=ends + overhead_seconds(len(waiting) + len(todo)) if ends else 0.0,
        phases=(pretraining, classifying),
        lengths={**pretrained, **classified},
    )


def _phase(
    name: Phase, runs: int, seconds: Mapping[str, float], processes: int
) -> tuple[PhaseCost, Mapping[str, float]]:
    """What is left of a phase, and how long each run is, relative to their mean."""
    mean = sum(seconds.values()) / max(1, len(seconds))
    cost = PhaseCost(name, runs, runs - len(seconds), mean / processes)
    return cost, {run: taken / mean for run, taken in seconds.items() if mean}


def _seconds(
    prepared: Prepared, waiting: Sequence[Simclr], todo: Sequence[Point], engine: Processes
) -> tuple[dict[str, float], dict[str, float]]:
    """Of each run that is left by its name: pretrainings, classifiers."""
    if not (waiting or todo):
        return {}, {}
    most = max(prepared.counts)
    # One of each way; the seeds are alike, and fewer labels are a share of the most.
    kinds = {job.way.key: job for job in waiting}
    learners = {point.way.key: replace(point, labels=most) for point in todo}
    one_of_each: list[Simclr | Point] = [*kinds.values(), *learners.values()]
    measured = dict(engine.run(_measure, Workshop(prepared), one_of_each))
    return (
        {job.title: measured[kinds[job.way.key]] for job in waiting},
        {
            point.title: measured[learners[point.way.key]] * _share(prepared, point.labels, most)
            for point in todo
        },
    )


def _steps(prepared: Prepared) -> int:
    """Of a pretraining."""
    config = prepared.config
    return prepared.steps or config.full.steps or LONGER * config.pretrain.steps


def _share(prepared: Prepared, labels: int, most: int) -> float:
    """Of what a classifier takes: its batches are no larger than its labelled images."""
    classes, batch = len(prepared.images.classes), prepared.config.finetune.batch_size
    return min(batch, labels * classes) / min(batch, most * classes)


def _measure(shared: Workshop, job: Simclr | Point) -> float:
    """Seconds that it will take."""
    if isinstance(job, Simclr):
        return _pretraining_seconds(shared.prepared, job)
    return _classifier_seconds(shared.prepared, job)


def _pretraining_seconds(prepared: Prepared, job: Simclr) -> float:
    wanted = pretraining_of(prepared, job, Quiet())
    steps = max(wanted.steps, WARMUP + MEASURED)
    run = wanted.bench.pretraining(wanted.policy, replicate=0, steps=steps)
    run.advance(WARMUP)
    begin = time.perf_counter()
    run.advance(WARMUP + MEASURED)
    a_step = (time.perf_counter() - begin) / MEASURED
    begin = time.perf_counter()
    quick_scores(wanted.bench, run)
    a_look = time.perf_counter() - begin
    return a_step * wanted.steps + a_look * (1 + -(-wanted.steps // wanted.probe_every))


def _classifier_seconds(prepared: Prepared, point: Point) -> float:
    """As of an encoder that begins as the way says: a pretraining changes no time."""
    regime = prepared.regimes[point.way.begins]
    bench = Bench.of_pool(
        regime.pool.images, regime.config, seed=prepared.seed, device=prepared.device
    )

    def taken(steps: int) -> float:
        begin = time.perf_counter()
        classified(prepared, point, bench, steps)
        return time.perf_counter() - begin

    short = taken(WARMUP)
    if point.way.frozen:
        return short
    a_step = max(0.0, taken(WARMUP + MEASURED) - short) / MEASURED
    return short + a_step * max(0, regime.config.finetune.steps - WARMUP)


def in_sentence(estimate: PilotEstimate) -> str:
    """What a pilot will take, for people."""
    labels = ", ".join(map(str, estimate.labels))
    most = "at most " if estimate.search_seconds else ""
    there = f" ({counted(estimate.done, 'run')} of it done)" if estimate.done else ""
    at_once = f", {estimate.processes} at once" if estimate.processes > 1 else ""
    before = (
        f"a search that takes about {duration(estimate.search_seconds)}, then "
        if estimate.search_seconds
        else ""
    )
    left = (
        f"{before}{counted(estimate.pretrainings, 'pretraining')} of {estimate.steps} steps and "
        f"{counted(estimate.classifiers, 'classifier')} on {estimate.device}{at_once}; expected: "
        f"about {duration(estimate.search_seconds + estimate.seconds)}"
        if estimate.pretrainings + estimate.classifiers
        else "nothing is left to train"
    )
    return (
        f"pilot{'' if estimate.search_seconds else f' {estimate.name}'}: {most}{estimate.ways} "
        f"ways with {labels} labels of each class, {estimate.seeds} seeds{there}; {left}"
    )
