"""The runs of a triage. Baselines and trials are the study's own, which goes on from them."""

from __future__ import annotations

from augsearch.engines.engine import Engine
from augsearch.progress import Progress
from augsearch.search.begin import begin_search
from augsearch.search.confirm.also import NONE
from augsearch.search.triage.plan import TriagePlan
from augsearch.space.policy import Policy
from augsearch.store.runs import BASELINE, SUPERVISED, TRIAGE
from augsearch.store.study_store import Store
from augsearch.study.jobs import Job, run_jobs
from augsearch.study.setup import Setup
from augsearch.tracking.tracker import Tracker

FLOORS = 5
"""Replicates of the encoder without training."""


def train(
    setup: Setup,
    store: Store,
    plan: TriagePlan,
    tracker: Tracker,
    engine: Engine,
    progress: Progress,
) -> None:
    """Do what is left of the runs; the sealed images stay sealed."""
    show = begin_search(setup, store, tracker, engine, progress, trials=plan.trials)
    jobs = [Job(TRIAGE, setup.bench.floor, None, seed) for seed in range(1, FLOORS + 1)]
    if plan.supervised:
        best = best_baseline(store)
        ways = {NONE: Policy(ops=()), best: setup.baselines[best]}
        jobs += [Job(SUPERVISED, name, policy, 0) for name, policy in ways.items()]
    done = {(run.phase, run.name, run.replicate) for run in store.all_runs()}
    left = [job for job in jobs if (job.phase, *job.key) not in done]
    progress.phase("without SimCLR", len(jobs) - len(left), len(jobs))
    run_jobs(store, setup.bench, left, progress, engine, after_each=None)
    show()


def best_baseline(store: Store) -> str:
    """Name of the one with the best score."""
    tried = {
        run.name: run.outcome.score
        for run in store.runs(BASELINE).values()
        if run.policy is not None and run.outcome is not None
    }
    return max(tried, key=tried.__getitem__)
