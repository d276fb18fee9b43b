"""What a study will cost, from a few measured steps on its own bench."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import psutil
import torch

from augsearch.augment.baselines import BASELINES
from augsearch.engines.cost import RECORDING, overhead_seconds
from augsearch.engines.processes import cpu_threads
from augsearch.progress import Estimate, Phase, PhaseCost, duration
from augsearch.search.confirm.confirmation import race_plan
from augsearch.search.confirm.power import power_sentences
from augsearch.search.confirm.race import RacePlan
from augsearch.search.result.proxies import space_warning
from augsearch.search.triage.plan import triage_plan
from augsearch.search.trials.degree import degree
from augsearch.simclr.pretrain import views_do_not_fit
from augsearch.store.listing import stored_at
from augsearch.store.runs import ALSO, BASELINE, CONFIRMATION
from augsearch.study.setup import Setup, some_images

WARMUP, MEASURED = 3, 8
ARTIFACTS_MB = 0.25
"""Disk that one run takes in MLflow and Optuna: a picture and some rows."""
SERVER, PROCESS = 230.0, 60.0
"""MB of the process that others are forked from, and of each of those before it trains; libraries
that they share count once. Seen on Linux, 2026-11-28."""
LONG = 600
"""Seconds from which on a study is worth a triage."""
VIEWED = 6
"""Random policies of the space whose views are timed."""


@dataclass(frozen=True)
class _Measured:
    """Seconds: of a training step under the space's policies and under the strongest baseline, of
    the views and the encoder in it, and of scoring an encoder."""

    step: float
    baseline_step: float
    views: float
    encoder: float
    probe: float
    notes: tuple[str, ...]
    growth_mb: float


def estimate(setup: Setup, *, afresh: bool = False) -> Estimate:
    """Measure a few training steps under the strongest baseline, the views of some policies of the
    space and one probe, and add up.

    Args:
        afresh: of the whole study, also if some of it is done.
    """
    bench, config, image_set = setup.bench, setup.config, setup.image_set
    measured = _measure(setup)
    plan = race_plan(config, setup.always_confirmed)
    phases = _phases(setup, plan, measured, {} if afresh else _done(setup))
    runs = sum(phase.left for phase in phases)
    decoded = image_set.images.nbytes / 1e6
    confounded = space_warning(setup.space, config.evaluate)
    seconds = sum(phase.left * (phase.seconds - RECORDING) for phase in phases)
    return Estimate(
        name=setup.name,
        images=len(image_set),
        classes=len(image_set.classes),
        image_size=image_set.image_size,
        trials=config.search.trials,
        steps=config.pretrain.steps,
        device=str(setup.device),
        seconds=seconds,
        starting_seconds=overhead_seconds(runs),
        phases=phases,
        views=_on_views(measured.views, measured.encoder, setup),
        power=power_sentences(bench, plan),
        triage=_on_triage(setup, seconds),
        memory_mb=_memory_mb(setup, measured, plan),
        disk_mb=decoded + runs * ARTIFACTS_MB,
        warnings=setup.warnings + measured.notes + ((confounded,) if confounded else ()),
    )


def _measure(setup: Setup) -> _Measured:
    bench, config = setup.bench, setup.config
    before = _resident_mb()
    steps = max(config.pretrain.steps, WARMUP + MEASURED)
    run = bench.pretraining(BASELINES["SimCLR s=1"], replicate=0, steps=steps)
    with cpu_threads(config.compute.threads):
        run.advance(WARMUP)
        begin, views_before = time.perf_counter(), run.seconds["views"]
        run.advance(WARMUP + MEASURED)
        baseline_step = (time.perf_counter() - begin) / MEASURED
        views = _views_seconds(setup, run.batch_size)
        encoder = baseline_step - (run.seconds["views"] - views_before) / MEASURED
        begin = time.perf_counter()
        bench.untrained(replicate=0, scored="validation")
        probe = time.perf_counter() - begin
    step = max(baseline_step, views + encoder)
    growth = max(0.0, _resident_mb() - before)
    return _Measured(step, baseline_step, views, encoder, probe, run.notes, growth)


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def _memory_mb(setup: Setup, measured: _Measured, plan: RacePlan) -> float:
    """Of this process and of those that train beside it, each with images of its own."""
    decoded = setup.image_set.images.nbytes / 1e6
    pool = setup.bench.images.nbytes / 1e6
    here = _resident_mb() + decoded
    if setup.engine_name != "local":
        return here
    runs = (plan.top + plan.baselines) * plan.seeds
    beside = max(setup.engine.at_once(runs), _side_by_side(setup))
    if beside == 1:
        return here
    return here + SERVER + beside * (PROCESS + measured.growth_mb + decoded + pool)


def _side_by_side(setup: Setup) -> int:
    begun = stored_at(setup.storage, setup.name)
    return degree(setup, begun, setup.engine, setup.config.search.trials)


def _phases(
    setup: Setup, plan: RacePlan, measured: _Measured, done: Mapping[Phase, int]
) -> tuple[PhaseCost, ...]:
    """What is left of each phase, and what its runs will take."""
    config = setup.config
    confirmed = plan.top + plan.baselines
    fewest, most = confirmed * plan.seeds, confirmed * plan.max_seeds
    long = min(most, max(fewest, plan.runs))
    at_once = setup.engine.at_once(long)
    side_by_side = _side_by_side(setup)
    probes = (len(config.rungs) + 1) * measured.probe
    baseline = config.pretrain.steps * measured.baseline_step + probes
    trial = config.pretrain.steps * measured.step + probes
    rerun = config.confirm.steps * measured.step + measured.probe

    def phase(name: Phase, runs: int, seconds: float) -> PhaseCost:
        return PhaseCost(name, runs, done.get(name, 0), seconds + RECORDING)

    return (
        phase("baselines", len(setup.baselines) + 1, baseline / at_once),
        phase("trials", config.search.trials, trial / side_by_side),
        phase("confirmation", long + plan.seeds + _with_labels(setup), rerun / at_once),
    )


def _on_triage(setup: Setup, seconds: float) -> str:
    """A sentence on what a tenth of a long study would say, as long as nothing of it is done."""
    if seconds < LONG or not setup.bench.draws or any(_done(setup).values()):
        return ""
    if setup.config.evaluate.label_free:
        return ""
    share = triage_plan(setup.config, setup.baselines, setup.always_confirmed).share
    return (
        "is a search worth it? `augsearch triage` with the same options answers in about "
        f"{duration(share * seconds)}, and the study reuses what it trained"
    )


def _with_labels(setup: Setup) -> int:
    """Runs that train with labels beside the confirmation."""
    config = setup.config
    asked = "supervised" in config.confirm.also and not config.evaluate.label_free
    return 3 * config.confirm.seeds if asked else 0


def _done(setup: Setup) -> dict[Phase, int]:
    """Finished runs of a study that goes on."""
    store = stored_at(setup.storage, setup.name)
    if store is None:
        return {"baselines": 0, "trials": 0, "confirmation": 0}
    return {
        "baselines": len(store.runs(BASELINE)),
        "trials": len(store.finished()),
        "confirmation": len(store.runs(CONFIRMATION)) + len(store.runs(ALSO)),
    }


@torch.no_grad()
def _views_seconds(setup: Setup, batch_size: int) -> float:
    """Mean seconds that the views of a batch take under random policies of the space."""
    bench, rng = setup.bench, Random(0)
    images = some_images(bench, batch_size)
    policies = [setup.space.policy(setup.space.random_point(rng)) for _ in range(VIEWED)]
    renders = [bench.renderer(policy).function(bench.seed, 0) for policy in policies]
    try:
        renders[0](images, 0)  # what is only done once, such as compiling
        _wait_for(setup.device)
        begin = time.perf_counter()
        for render in renders:
            render(images, 1)
        _wait_for(setup.device)
    except torch.OutOfMemoryError as error:
        raise views_do_not_fit(setup.device, len(images)) from error
    return (time.perf_counter() - begin) / VIEWED


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _on_views(views: float, encoder: float, setup: Setup) -> str:
    """A sentence on seconds of a step, if the views take most of it or their cost is weighed."""
    cost_weight = setup.config.search.cost_weight
    if not cost_weight and views <= encoder:
        return ""
    sentence = (
        f"the views of a step take about {1000 * views:.3g} ms (mean of {VIEWED} random policies "
        f"of this space), the encoder {1000 * encoder:.3g} ms"
    )
    unknown = ", which knows no cost of a custom operation" if setup.space.files() else ""
    if cost_weight:
        return f"{sentence}; search.cost_weight is {cost_weight:g}{unknown}"
    return (
        f"{sentence}: `augsearch ops NAME` shows what an operation costs, and search.cost_weight "
        f"in the study file weighs score against it{unknown}"
    )
