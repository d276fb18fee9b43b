"""The runs behind the cells of an ablation, which ablations share.

Cells are known by their policy's digest, so several ablations share those that they have in
common, within a store and between stores of one database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from augsearch.search.ablation.plan import Cell, Training
from augsearch.store.runs import ABLATION, SUPERVISED, Run
from augsearch.store.study_store import Store
from augsearch.study.jobs import Job

PHASES: Mapping[Training, str] = {"simclr": ABLATION, "supervised": SUPERVISED}

RunKey = tuple[str, str, int]
"""Phase, digest of the policy, replicate."""
Done = Mapping[RunKey, Run]
"""Finished and failed runs."""


def done_in(stores: Sequence[Store]) -> Done:
    """The runs that these stores have."""
    return {
        (run.phase, run.policy.digest, run.replicate): run
        for store in stores
        for run in store.all_runs()
        if run.policy
    }


def job_key(job: Job) -> RunKey:
    """Of the run that the job will make."""
    assert job.policy is not None
    return job.phase, job.policy.digest, job.replicate


def run_of(cell: Cell, seed: int, done: Done) -> Run:
    """The run of a cell."""
    return done[PHASES[cell.training], cell.policy.digest, seed]


def take_over(store: Store, lender: Store, jobs: Sequence[Job]) -> None:
    """Copy the runs that this ablation needs and another one has."""
    own, lent = done_in([store]), done_in([lender])
    for job in jobs:
        key = job_key(job)
        if key in lent and key not in own:
            store.add_run(lent[key].model_copy(update={"name": job.name}))
