"""Runs beside the search: the baselines before it, and the confirmation after it.

Confirmation trains the search's winners and the best baselines again, on fresh seeds, at a larger
budget, and scores them on the sealed test split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from augsearch.augment.baselines import BASELINES
from augsearch.errors import StudyError, TrialFailure
from augsearch.search.bench import Bench, Outcome, Scored
from augsearch.search.progress import Progress, step_listener
from augsearch.search.store import Run, Store, trial_policy
from augsearch.search.verdict import UNTRAINED, Verdict, decide
from augsearch.space.policy import Policy
from augsearch.tracking.mirror import now

BASELINE, CONFIRMATION = "baseline", "confirmation"
SPARE = 2
"""Trials held ready in case a winner diverges on a fresh seed."""


@dataclass(frozen=True)
class Entrant:
    """A policy in the confirmation; `policy` is None for the untrained encoder."""

    name: str
    kind: Literal["candidate", "baseline", "floor"]
    policy: Policy | None
    search_score: float


def run_baselines(store: Store, bench: Bench, progress: Progress) -> None:
    """Every baseline and the untrained encoder once, at a trial's budget; resumes."""
    done = store.runs(BASELINE)
    policies: dict[str, Policy | None] = {UNTRAINED: None, **BASELINES}
    progress.phase("baselines", len(done), len(policies))
    for name, policy in policies.items():
        if (name, 0) not in done:
            _run(store, bench, progress, BASELINE, name, policy, replicate=0)


def confirm(store: Store, bench: Bench, progress: Progress) -> list[Entrant]:
    """Run the confirmation to its end; resumes. Who stayed in it, on every fresh seed.

    An entrant that diverges or collapses on any seed leaves, and the next best takes its place.

    Raises:
        StudyError: no trial or no baseline trains through on every seed.
    """
    wanted = bench.config.confirm
    tried = store.outcomes(BASELINE)
    baselines = sorted(
        (
            Entrant(name, "baseline", policy, tried[name, 0].score)
            for name, policy in BASELINES.items()
            if (name, 0) in tried
        ),
        key=lambda entrant: -entrant.search_score,
    )
    winners = [
        Entrant(f"trial {trial.number}", "candidate", trial_policy(trial), trial.value or 0.0)
        for trial in store.best_trials(wanted.top + SPARE)
    ]
    floor = Entrant(UNTRAINED, "floor", None, tried[UNTRAINED, 0].score)
    planned = min(wanted.top, len(winners)) + min(wanted.baselines, len(baselines)) + 1
    progress.phase("confirmation", len(store.outcomes(CONFIRMATION)), planned * wanted.seeds)
    stayed = [
        floor,
        *_train_through(store, bench, progress, baselines, wanted.baselines),
        *_train_through(store, bench, progress, winners, wanted.top),
    ]
    _train_through(store, bench, progress, [floor], 1)
    for kind, what in (("baseline", "baseline"), ("candidate", "trial")):
        if not any(entrant.kind == kind for entrant in stayed):
            raise StudyError(
                f"no {what} trained through on {wanted.seeds} fresh seeds; lower "
                "pretrain.learning_rate in the study file"
            )
    return stayed


def _train_through(
    store: Store, bench: Bench, progress: Progress, ranked: list[Entrant], count: int
) -> list[Entrant]:
    """The first `count` of `ranked` that train on every seed."""
    stayed: list[Entrant] = []
    for entrant in ranked:
        if len(stayed) == count:
            break
        for seed in range(1, bench.config.confirm.seeds + 1):
            run = store.runs(CONFIRMATION).get((entrant.name, seed)) or _run(
                store, bench, progress, CONFIRMATION, entrant.name, entrant.policy, replicate=seed
            )
            if run.outcome is None:
                break
        else:
            stayed.append(entrant)
    return stayed


def _run(
    store: Store,
    bench: Bench,
    progress: Progress,
    phase: str,
    name: str,
    policy: Policy | None,
    *,
    replicate: int,
) -> Run:
    confirming = phase == CONFIRMATION
    scored: Scored = "test" if confirming else "validation"
    steps = bench.config.confirm.steps if confirming else bench.config.pretrain.steps
    label = f"{name}, seed {replicate}" if confirming else name
    outcome: Outcome | None = None
    failure = ""
    try:
        if policy is None:
            outcome = bench.untrained(replicate=replicate, scored=scored)
        else:
            outcome = bench.try_policy(
                policy,
                replicate=replicate,
                steps=steps,
                rungs=() if confirming else bench.config.rungs,
                scored=scored,
                on_step=step_listener(progress, label, steps),
            )
    except TrialFailure as error:
        failure = str(error)
    run = Run(
        phase=phase,
        name=name,
        policy=policy,
        replicate=replicate,
        outcome=outcome,
        ended=now(),
        failure=failure,
    )
    store.add_run(run)
    progress.run_ended(label, outcome.score if outcome else None, failure)
    return run


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
