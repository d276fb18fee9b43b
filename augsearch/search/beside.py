"""Runs beside the search, each independent of the others: they share the machine's cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from augsearch.engines.processes import process_count, run_jobs
from augsearch.errors import TrialFailure
from augsearch.search.bench import Bench, Outcome, Scored
from augsearch.search.progress import Progress, step_listener
from augsearch.search.store import Run, Store
from augsearch.space.policy import Policy
from augsearch.tracking.mirror import now

BASELINE, CONFIRMATION = "baseline", "confirmation"


@dataclass(frozen=True)
class Job:
    """One run to do. `policy` is JSON, or None for the untrained encoder."""

    phase: str
    name: str
    policy: str | None
    replicate: int

    @property
    def label(self) -> str:
        return f"{self.name}, seed {self.replicate}" if self.phase == CONFIRMATION else self.name


def run_beside(store: Store, bench: Bench, jobs: Sequence[Job], progress: Progress) -> None:
    """Do every job and keep its run as soon as it has ended."""
    threads = bench.config.compute.threads
    on_cpu = bench.device.type == "cpu"
    processes = process_count(threads, len(jobs)) if on_cpu else 1
    # A single process can show its steps; several would only confuse.
    listener = progress if processes == 1 else None
    for job, (outcome, failure) in run_jobs(
        _do,
        jobs,
        processes=processes,
        threads=threads,
        prepare=_prepare,
        shared=(bench, listener),
    ):
        policy = Policy.model_validate_json(job.policy) if job.policy else None
        store.add_run(
            Run(
                phase=job.phase,
                name=job.name,
                policy=policy,
                replicate=job.replicate,
                outcome=outcome,
                ended=now(),
                failure=failure,
            )
        )
        progress.run_ended(job.label, outcome.score if outcome else None, failure)


_shared: dict[str, tuple[Bench, Progress | None]] = {}


def _prepare(bench: Bench, progress: Progress | None) -> None:
    _shared["bench"] = (bench, progress)


def _do(job: Job) -> tuple[Outcome | None, str]:
    """The outcome, or None with the reason."""
    bench, progress = _shared["bench"]
    confirming = job.phase == CONFIRMATION
    scored: Scored = "test" if confirming else "validation"
    steps = bench.config.confirm.steps if confirming else bench.config.pretrain.steps
    try:
        if job.policy is None:
            return bench.untrained(replicate=job.replicate, scored=scored), ""
        outcome = bench.try_policy(
            Policy.model_validate_json(job.policy),
            replicate=job.replicate,
            steps=steps,
            rungs=() if confirming else bench.config.rungs,
            scored=scored,
            on_step=step_listener(progress, job.label, steps) if progress else None,
        )
    except TrialFailure as failure:
        return None, str(failure)
    return outcome, ""
