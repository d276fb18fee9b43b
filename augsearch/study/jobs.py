"""Runs beside the search, each independent of the others: they share the machine's cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from augsearch.bench.bench import Bench, Outcome, Scored
from augsearch.bench.supervised import try_supervised
from augsearch.engines.processes import process_count, run_jobs
from augsearch.errors import TrialFailure
from augsearch.progress import Progress, step_listener
from augsearch.space.policy import Policy
from augsearch.store.runs import BASELINE, CONFIRMATION, SCORING, SUPERVISED, Run
from augsearch.store.study_store import Store
from augsearch.tracking.mirror import now


@dataclass(frozen=True)
class Job:
    """One run to do. `policy` is JSON, or None for the untrained encoder.

    Attributes:
        policy_name: for people.
        steps: optimiser steps, if they are not what the study file says for this phase.
    """

    phase: str
    policy_name: str
    policy: str | None
    replicate: int
    steps: int | None = None

    @property
    def name(self) -> str:
        """Under which the run is kept: that of the policy, and its steps if they are its own."""
        return self.policy_name if self.steps is None else f"{self.policy_name}, {self.steps} steps"

    @property
    def key(self) -> tuple[str, int]:
        """Of the run within its phase."""
        return self.name, self.replicate

    @property
    def label(self) -> str:
        return self.name if self.phase == BASELINE else f"{self.name}, seed {self.replicate}"


def run_beside(
    store: Store,
    bench: Bench,
    jobs: Sequence[Job],
    progress: Progress,
    after_each: Callable[[], object] | None = None,
) -> None:
    """Do every job and keep its run as soon as it has ended; then call `after_each`."""
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
                scoring=SCORING,
            )
        )
        progress.run_ended(job.label, outcome.score if outcome else None, failure)
        if after_each:
            after_each()


_shared: dict[str, tuple[Bench, Progress | None]] = {}


def _prepare(bench: Bench, progress: Progress | None) -> None:
    _shared["bench"] = (bench, progress)


def _do(job: Job) -> tuple[Outcome | None, str]:
    """The outcome, or None with the reason."""
    bench, progress = _shared["bench"]
    confirming = job.phase == CONFIRMATION
    scored: Scored = "test" if confirming else "validation"
    usual = bench.config.confirm.steps if confirming else bench.config.pretrain.steps
    steps = job.steps or usual
    on_step = step_listener(progress, job.label, steps) if progress else None
    try:
        if job.policy is None:
            return bench.untrained(replicate=job.replicate, scored=scored), ""
        policy = Policy.model_validate_json(job.policy)
        if job.phase == SUPERVISED:
            outcome = try_supervised(
                bench, policy, replicate=job.replicate, steps=steps, on_step=on_step
            )
            return outcome, ""
        outcome = bench.try_policy(
            policy,
            replicate=job.replicate,
            steps=steps,
            rungs=bench.config.rungs if job.phase == BASELINE else (),
            scored=scored,
            on_step=on_step,
        )
    except TrialFailure as failure:
        return None, str(failure)
    return outcome, ""
