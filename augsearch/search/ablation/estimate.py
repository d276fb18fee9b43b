"""What is left of an ablation to do, and what it will take."""

from __future__ import annotations

from augsearch.engines.cost import makespan, overhead_seconds
from augsearch.progress import duration
from augsearch.search.ablation.cells import Done, done_in, job_key
from augsearch.search.ablation.cost import AblationEstimate, run_seconds
from augsearch.search.ablation.prepare import Prepared
from augsearch.store.database import find_storage
from augsearch.store.listing import stores_with
from augsearch.study.setup import check_output


def estimate_before(prepared: Prepared) -> AblationEstimate:
    """The estimate of an ablation that has not begun; makes no store and no directory."""
    setup = prepared.setup
    check_output(setup.directory, make=False)
    opened = find_storage(setup.storage)
    stores = [] if opened is None else list(stores_with(opened, prepared.settings, but=""))
    return estimate_runs(prepared, done_in(stores))


def estimate_runs(prepared: Prepared, done: Done) -> AblationEstimate:
    """What the runs take that are not done."""
    jobs, bench = prepared.jobs(), prepared.setup.bench
    todo = [job for job in jobs if job_key(job) not in done]
    engine = prepared.setup.engine
    processes = engine.at_once(len(todo))
    return AblationEstimate(
        name=prepared.setup.name,
        cells=len(prepared.plan.cells),
        seeds=len(prepared.seeds),
        done=len(jobs) - len(todo),
        left=len(todo),
        steps=bench.config.pretrain.steps,
        device=str(bench.device),
        processes=processes,
        seconds=makespan(run_seconds(bench, todo, engine), processes) if todo else 0.0,
        starting_seconds=overhead_seconds(len(todo)) if todo else 0.0,
    )


def in_sentence(estimate: AblationEstimate) -> str:
    """What an ablation will take, for people."""
    there = f" ({estimate.done} of them are there)" if estimate.done else ""
    runs = estimate.done + estimate.left
    at_once = f", {estimate.processes} at once" if estimate.processes > 1 else ""
    expected = (
        f"expected: about {duration(estimate.seconds + estimate.starting_seconds)}"
        if estimate.left
        else "nothing is left to train"
    )
    return (
        f"ablation {estimate.name}: {estimate.cells} cells, {estimate.seeds} seeds, {runs} runs of "
        f"{estimate.steps} steps on {estimate.device}{there}{at_once}; {expected}"
    )
