"""What the winner is worth beyond SimCLR: the same encoder trained with labels instead.

An augmentation that helps SimCLR may help or hurt supervised training. So the winner, the best
baseline and no augmentation are tried there as well, on the same sealed images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from augsearch.bench.bench import Bench
from augsearch.engines.engine import Engine
from augsearch.progress import Progress
from augsearch.search.confirm.confirmation import Confirmation, Entrant
from augsearch.search.confirm.verdict import Verdict
from augsearch.search.confirm.words import plain
from augsearch.space.policy import Policy
from augsearch.stats.crossed import estimate_difference, estimate_mean
from augsearch.stats.scored_images import Reading, ScoredImages
from augsearch.store.runs import ALSO
from augsearch.store.study_store import Store
from augsearch.study.jobs import Job, run_jobs
from augsearch.words import listed, percent, points

NONE = "no augmentation"
LEVEL = 0.95


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SupervisedPolicy(_Part):
    """A policy under supervised training. Scores lie in [0, 1].

    Attributes:
        scores: of the classifier on the sealed images, one for each seed.
        interval: 95 %, for other seeds and, where that is known, other test images.
    """

    name: str
    scores: tuple[float, ...]
    mean: float
    interval: tuple[float, float]


class SupervisedGain(_Part):
    """The winner's lead under supervised training, with an interval; all of these intervals hold
    together in 95 %."""

    against: str
    mean: float
    low: float
    high: float


class Supervised(_Part):
    """Supervised training under a study's policies.

    Attributes:
        labels_per_class: labels that each run was trained with.
        steps: optimiser steps of each run.
        winner: name of the policy that is compared.
        policies: best first.
        gains: of the winner.
    """

    labels_per_class: int
    steps: int
    winner: str
    policies: tuple[SupervisedPolicy, ...]
    gains: tuple[SupervisedGain, ...]

    @property
    def sentence(self) -> str:
        """For people."""
        mean = next(policy.mean for policy in self.policies if policy.name == self.winner)
        gains = listed(
            [
                f"{points(100 * gain.mean)} points against {plain(gain.against)} "
                f"({points(100 * gain.low)} to {points(100 * gain.high)})"
                for gain in self.gains
            ]
        )
        return (
            f"Without SimCLR: trained with {self.labels_per_class} labels a class, the encoder "
            f"reaches {percent(mean)} % under {self.winner}: {gains}."
        )


def confirm_supervised(
    store: Store,
    bench: Bench,
    confirmed: Confirmation,
    verdict: Verdict,
    progress: Progress,
    engine: Engine,
) -> Supervised | None:
    """Train with labels on the first fresh seeds, under the best policy found, the best baseline
    and none; resumes.

    None if the study file does not ask for it, where a study has no labels to train with, or if
    the winner fails on some seed. Another policy that fails is left out.
    """
    config = bench.config
    if "supervised" not in config.confirm.also or config.evaluate.label_free or not bench.draws:
        return None
    winner, rival = (_best(confirmed, verdict, kind) for kind in ("candidate", "baseline"))
    policies = {winner.name: winner.policy, rival.name: rival.policy, NONE: Policy(ops=())}
    seeds = range(1, config.confirm.seeds + 1)
    jobs = [Job(ALSO, name, policy, seed) for seed in seeds for name, policy in policies.items()]
    done = store.runs(ALSO)
    missing = [job for job in jobs if job.key not in done]
    if missing:
        progress.phase("confirmation", len(jobs) - len(missing), len(jobs), round="with labels")
        run_jobs(store, bench, missing, progress, engine)
    found = store.outcomes(ALSO)
    outcomes = {
        name: [found[name, seed] for seed in seeds]
        for name in policies
        if all((name, seed) in found for seed in seeds)
    }
    if winner.name not in outcomes or len(outcomes) < 2:
        return None
    return _compared(bench, winner.name, outcomes, confirmed.images)


def _best(confirmed: Confirmation, verdict: Verdict, kind: str) -> Entrant:
    """The recommended policy if it is of that kind, else the one with the highest mean."""
    entrants = [entrant for entrant in confirmed.entrants if entrant.kind == kind]
    means = {one.name: fmean(o.score for o in confirmed.outcomes[one.name]) for one in entrants}
    return max(entrants, key=lambda one: (one.name == verdict.recommended, means[one.name]))


def _compared(
    bench: Bench,
    winner: str,
    outcomes: Mapping[str, Sequence[Reading]],
    images: ScoredImages | None,
) -> Supervised:
    once = None if images is None else replace(images, draws=1)  # of labels, in each run
    others = [name for name in outcomes if name != winner]
    level = 1 - (1 - LEVEL) / len(others)
    policies = [_policy(name, some, once) for name, some in outcomes.items()]
    return Supervised(
        labels_per_class=bench.config.evaluate.labels_per_class,
        steps=bench.config.confirm.steps,
        winner=winner,
        policies=tuple(sorted(policies, key=lambda policy: -policy.mean)),
        gains=tuple(_gain(outcomes[winner], outcomes[name], name, once, level) for name in others),
    )


def _policy(
    name: str, outcomes: Sequence[Reading], images: ScoredImages | None
) -> SupervisedPolicy:
    estimate = estimate_mean(outcomes, images)
    low, high = estimate.interval(LEVEL)
    return SupervisedPolicy(
        name=name,
        scores=tuple(outcome.score for outcome in outcomes),
        mean=estimate.mean,
        interval=(max(0.0, low), min(1.0, high)),
    )


def _gain(
    ours: Sequence[Reading],
    theirs: Sequence[Reading],
    against: str,
    images: ScoredImages | None,
    level: float,
) -> SupervisedGain:
    estimate = estimate_difference(ours, theirs, images)
    low, high = estimate.interval(level)
    return SupervisedGain(against=against, mean=estimate.mean, low=low, high=high)
