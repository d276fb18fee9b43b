"""Which of a study's policies are run for longer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from augsearch.bench.seeds import derived_seed
from augsearch.errors import StudyError
from augsearch.search.certificate.certificate import FEWEST
from augsearch.space.policy import Policy
from augsearch.store.frozen_trials import (
    FrozenTrial,
    trial_name,
    trial_outcome,
    trial_policy,
    trial_score,
)
from augsearch.store.runs import BASELINE, CERTIFICATION
from augsearch.store.study_store import Store
from augsearch.study.jobs import Job
from augsearch.study_sections import CertifyConfig
from augsearch.words import counted


@dataclass(frozen=True)
class Certified:
    """A policy that is run for longer.

    Attributes:
        name: `trial N` or a baseline's name.
        short: its score at a trial's budget; None if the search stopped it before.
        chosen: it is here for that score.
    """

    name: str
    policy: Policy
    short: float | None
    chosen: bool

    def job(self, steps: int, seed: int) -> Job:
        return Job(CERTIFICATION, self.name, self.policy, seed, steps)


def policies_to_certify(store: Store, wanted: CertifyConfig, seed: int) -> list[Certified]:
    """The baselines, random trials, and the best trials that are not among these.

    Trials that the search stopped early are drawn like the others: without them, the ranking of
    the good half alone would be judged.

    Raises:
        StudyError: too few trials.
    """
    trials = store.finished()
    rng = np.random.default_rng(derived_seed(seed, "certify"))
    drawn: dict[str, FrozenTrial] = {}
    for i in rng.permutation(len(trials)):
        if len(drawn) < wanted.random:
            drawn.setdefault(trial_policy(trials[i]).digest, trials[i])
    found = [
        Certified(run.name, run.policy, run.outcome.score, chosen=False)
        for run in store.runs(BASELINE).values()
        if run.policy and run.outcome
    ]
    found += [_certified(trial, chosen=False) for trial in drawn.values()]
    best = store.best_trials(wanted.top)
    found += [_certified(t, chosen=True) for t in best if trial_policy(t).digest not in drawn]
    if sum(not policy.chosen for policy in found) < FEWEST:
        there = counted(len(trials), "finished trial")
        raise StudyError(
            f"the study {store.name!r} has {there}, too few to compare "
            f"rankings: baselines and trials drawn at random must be {FEWEST} or more; run it "
            "with more --trials"
        )
    return found


def _certified(trial: FrozenTrial, *, chosen: bool) -> Certified:
    score = trial_score(trial) if trial_outcome(trial) else None
    return Certified(trial_name(trial), trial_policy(trial), score, chosen)
