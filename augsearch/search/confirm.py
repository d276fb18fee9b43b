"""Before the search the baselines, after it the confirmation.

Confirmation trains the search's winners and the best baselines again, on fresh seeds, at a larger
budget, and scores them on the sealed test split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.augment.baselines import BASELINES
from augsearch.errors import StudyError
from augsearch.search.bench import Bench
from augsearch.search.beside import BASELINE, CONFIRMATION, Job, run_beside
from augsearch.search.progress import Progress
from augsearch.search.store import Store, trial_policy, trial_score
from augsearch.search.verdict import UNTRAINED, Verdict, decide
from augsearch.space.policy import Policy

SPARE = 2
"""Trials held ready in case a winner diverges on a fresh seed."""


@dataclass(frozen=True)
class Entrant:
    """A policy in the confirmation; `policy` is None for the untrained encoder."""

    name: str
    kind: Literal["candidate", "baseline", "floor"]
    policy: Policy | None
    search_score: float

    def job(self, seed: int) -> Job:
        policy = self.policy.model_dump_json(exclude_none=True) if self.policy else None
        return Job(CONFIRMATION, self.name, policy, seed)


def run_baselines(store: Store, bench: Bench, progress: Progress) -> None:
    """Every baseline and the untrained encoder once, at a trial's budget; resumes."""
    done = store.runs(BASELINE)
    policies: dict[str, Policy | None] = {UNTRAINED: None, **BASELINES}
    progress.phase("baselines", len(done), len(policies))
    jobs = [
        Job(BASELINE, name, policy.model_dump_json(exclude_none=True) if policy else None, 0)
        for name, policy in policies.items()
        if (name, 0) not in done
    ]
    run_beside(store, bench, jobs, progress)
    if len(store.outcomes(BASELINE)) < 2:
        reason = next(run.failure for run in store.runs(BASELINE).values() if run.failure)
        raise StudyError(f"no baseline trains through: {reason}")


def confirm(store: Store, bench: Bench, progress: Progress) -> list[Entrant]:
    """Run the confirmation to its end; resumes. Who stayed in it, on every fresh seed.

    An entrant that diverges or collapses on any seed leaves, and the next best takes its place.

    Raises:
        StudyError: no trial or no baseline trains through on every seed.
    """
    wanted = bench.config.confirm
    tried = store.outcomes(BASELINE)
    floor = Entrant(UNTRAINED, "floor", None, tried[UNTRAINED, 0].score)
    baselines = sorted(
        (
            Entrant(name, "baseline", policy, tried[name, 0].score)
            for name, policy in BASELINES.items()
            if (name, 0) in tried
        ),
        key=lambda entrant: -entrant.search_score,
    )
    winners = [
        Entrant(f"trial {trial.number}", "candidate", trial_policy(trial), trial_score(trial))
        for trial in store.best_trials(wanted.top + SPARE)
    ]
    seeds = range(1, wanted.seeds + 1)
    shown = False
    while True:
        runs = store.runs(CONFIRMATION)
        failed = {run.name for run in runs.values() if run.outcome is None}
        entrants = [
            floor,
            *[e for e in baselines if e.name not in failed][: wanted.baselines],
            *[e for e in winners if e.name not in failed][: wanted.top],
        ]
        if not shown:
            done = sum((e.name, seed) in runs for e in entrants for seed in seeds)
            progress.phase("confirmation", done, len(entrants) * wanted.seeds)
            shown = True
        # Seed by seed, so that a confirmation that is stopped has like numbers for all.
        jobs = [e.job(seed) for seed in seeds for e in entrants if (e.name, seed) not in runs]
        if not jobs:
            break
        run_beside(store, bench, jobs, progress)
    for kind, what in (("baseline", "baseline"), ("candidate", "trial")):
        if not any(entrant.kind == kind for entrant in entrants):
            raise StudyError(
                f"no {what} trained through on {wanted.seeds} fresh seeds; lower "
                "pretrain.learning_rate in the study file"
            )
    return entrants


def judge(store: Store, entrants: list[Entrant], seeds: int) -> Verdict:
    """The verdict on what has been confirmed."""
    outcomes = store.outcomes(CONFIRMATION)
    scores = {
        e.name: [outcomes[e.name, seed].score for seed in range(1, seeds + 1)] for e in entrants
    }
    of_kind = {
        kind: {e.name: scores[e.name] for e in entrants if e.kind == kind}
        for kind in ("candidate", "baseline")
    }
    return decide(of_kind["candidate"], of_kind["baseline"], scores[UNTRAINED])
