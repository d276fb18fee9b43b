"""Confirmation: the search's winners and the best baselines again, on fresh seeds, at a larger
budget, scored on the sealed test split."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.augment.baselines import BASELINES
from augsearch.search.bench import Bench
from augsearch.search.progress import Progress
from augsearch.search.store import Run, Store, trial_policy
from augsearch.search.verdict import UNTRAINED, Verdict, decide
from augsearch.space.policy import Policy
from augsearch.tracking.mirror import now

BASELINE, CONFIRMATION = "baseline", "confirmation"


@dataclass(frozen=True)
class Entrant:
    """A policy in the confirmation; `policy` is None for the untrained encoder."""

    name: str
    kind: str
    policy: Policy | None
    search_score: float


def entrants(store: Store, bench: Bench) -> list[Entrant]:
    """Who is confirmed: the untrained encoder, the best baselines, the best trials."""
    wanted = bench.config.confirm
    tried = store.runs(BASELINE)
    floor = tried[UNTRAINED, 0].outcome.score
    ranked = sorted(
        (Entrant(n, "baseline", BASELINES[n], tried[n, 0].outcome.score) for n in BASELINES),
        key=lambda entrant: -entrant.search_score,
    )
    winners = [
        Entrant(f"trial {trial.number}", "candidate", trial_policy(trial), trial.value or 0.0)
        for trial in store.best_trials(wanted.top)
    ]
    return [
        Entrant(UNTRAINED, "floor", None, floor),
        *ranked[: wanted.baselines],
        *winners,
    ]


def run_baselines(store: Store, bench: Bench, progress: Progress) -> None:
    """Every baseline and the untrained encoder once, at a trial's budget; resumes."""
    done = store.runs(BASELINE)
    policies: dict[str, Policy | None] = {UNTRAINED: None, **BASELINES}
    progress.phase("baselines", len(done), len(policies))
    for name, policy in policies.items():
        if (name, 0) in done:
            continue
        if policy is None:
            outcome = bench.untrained(replicate=0, scored="validation")
        else:
            steps = bench.config.pretrain.steps
            outcome = bench.try_policy(
                policy,
                replicate=0,
                steps=steps,
                rungs=bench.config.rungs,
                on_step=lambda step, rate, name=name: progress.step(name, step, steps, rate),
            )
        run = Run(
            phase=BASELINE, name=name, policy=policy, replicate=0, outcome=outcome, ended=now()
        )
        store.add_run(run)
        progress.run_ended(name, outcome.score, "")


def run_confirmation(
    store: Store, bench: Bench, chosen: list[Entrant], progress: Progress
) -> None:
    """Every entrant on every fresh seed; resumes."""
    done = store.runs(CONFIRMATION)
    wanted = bench.config.confirm
    jobs = [(e, seed) for seed in range(1, wanted.seeds + 1) for e in chosen]
    missing = [(e, seed) for e, seed in jobs if (e.name, seed) not in done]
    progress.phase("confirmation", len(jobs) - len(missing), len(jobs))
    for entrant, seed in missing:
        label = f"{entrant.name}, seed {seed}"
        if entrant.policy is None:
            outcome = bench.untrained(replicate=seed, scored="test")
        else:
            outcome = bench.try_policy(
                entrant.policy,
                replicate=seed,
                steps=wanted.steps,
                scored="test",
                on_step=lambda step, rate, label=label: progress.step(
                    label, step, wanted.steps, rate
                ),
            )
        store.add_run(
            Run(
                phase=CONFIRMATION,
                name=entrant.name,
                policy=entrant.policy,
                replicate=seed,
                outcome=outcome,
                ended=now(),
            )
        )
        progress.run_ended(label, outcome.score, "")


def confirmed_scores(store: Store, chosen: list[Entrant], seeds: int) -> dict[str, list[float]]:
    """Scores per entrant in the order of the seeds."""
    runs = store.runs(CONFIRMATION)
    return {
        e.name: [runs[e.name, seed].outcome.score for seed in range(1, seeds + 1)] for e in chosen
    }


def judge(store: Store, chosen: list[Entrant], seeds: int) -> Verdict:
    """The verdict on what has been confirmed."""
    scores = confirmed_scores(store, chosen, seeds)
    of_kind = {
        kind: {e.name: scores[e.name] for e in chosen if e.kind == kind}
        for kind in ("candidate", "baseline")
    }
    return decide(of_kind["candidate"], of_kind["baseline"], scores[UNTRAINED])
