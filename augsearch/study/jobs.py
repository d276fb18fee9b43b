"""Runs that are not trials: each is independent of the others, and an engine does them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome, Scored
from augsearch.bench.supervised import try_supervised
from augsearch.engines.engine import Engine
from augsearch.errors import TrialFailure
from augsearch.progress import Progress, step_listener
from augsearch.space.policy import Policy
from augsearch.store.runs import ALSO, BASELINE, ON_SEALED, SCORING, SUPERVISED, Run, now
from augsearch.store.study_store import Store


@dataclass(frozen=True)
class Job:
    """One run to do. `policy` is None for the untrained encoder.

    Attributes:
        policy_name: for people.
        steps: optimiser steps, if they are not what the study file says for this phase.
    """

    phase: str
    policy_name: str
    policy: Policy | None
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


def run_jobs(
    store: Store,
    bench: Bench,
    jobs: Sequence[Job],
    progress: Progress,
    engine: Engine,
    after_each: Callable[[], object] | None = None,
) -> None:
    """Do every job and keep its run as soon as it has ended; then call `after_each`."""
    # A single process can show its steps; several would only confuse.
    listener = progress if engine.is_here(len(jobs)) else None
    for job, (outcome, failure) in engine.run(do_job, (bench, listener), jobs):
        store.add_run(
            Run(
                phase=job.phase,
                name=job.name,
                policy=job.policy,
                replicate=job.replicate,
                outcome=outcome,
                ended=now(),
                failure=failure,
                scoring=SCORING,
            )
        )
        remark = failure or ("no training" if job.policy is None else "")
        progress.run_ended(job.label, outcome.score if outcome else None, remark)
        if after_each:
            after_each()


def do_job(shared: tuple[Bench, Progress | None], job: Job) -> tuple[Outcome | None, str]:
    """The outcome, or None with the reason."""
    bench, progress = shared
    confirming = job.phase in ON_SEALED
    scored: Scored = "test" if confirming else "validation"
    usual = bench.config.confirm.steps if confirming else bench.config.pretrain.steps
    steps = job.steps or usual
    on_step = step_listener(progress, job.label, steps) if progress else None
    try:
        if job.policy is None:
            return bench.untrained(replicate=job.replicate, scored=scored), ""
        if job.phase in (SUPERVISED, ALSO):
            outcome = try_supervised(
                bench,
                job.policy,
                replicate=job.replicate,
                steps=steps,
                scored=scored,
                on_step=on_step,
            )
            return outcome, ""
        outcome = bench.try_policy(
            job.policy,
            replicate=job.replicate,
            steps=steps,
            rungs=bench.config.rungs if job.phase == BASELINE else (),
            scored=scored,
            on_step=on_step,
        )
    except TrialFailure as failure:
        return None, str(failure)
    return outcome, ""
