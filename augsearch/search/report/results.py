"""The policies of a study and how they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from augsearch.augment.baselines import for_channels
from augsearch.bench.outcome import Outcome
from augsearch.report.sections.labelled import Labelled
from augsearch.report.sections.results import Kind, PolicyRow
from augsearch.search.result.result import LEVEL, StudyResult
from augsearch.space.nearest import distance
from augsearch.space.policy import Policy
from augsearch.stats.crossed import estimate_mean
from augsearch.store.frozen_trials import trial_outcome, trial_policy
from augsearch.store.runs import BASELINE, CONFIRMATION
from augsearch.store.study_store import Store
from augsearch.words import listed


@dataclass(frozen=True)
class Contender:
    """A policy that takes part.

    Attributes:
        row: what the table of results says of it.
        policy: as it acts on the study's images; None for the untrained encoder.
        class_recall: where the class effects come from.
    """

    row: PolicyRow
    policy: Policy | None
    class_recall: Mapping[str, float]

    @property
    def name(self) -> str:
        return self.row.name


def placed(contenders: Sequence[Contender]) -> str:
    """Where the best policy found lies among the baselines, in words."""
    found = [one for one in pair(contenders) if one and one.row.kind == "candidate"]
    if not found or found[0].policy is None:
        return ""
    ours = found[0].policy
    away = {
        one.name: distance(ours, one.policy)
        for one in contenders
        if one.row.kind == "baseline" and one.policy is not None
    }
    nearest = sorted(away, key=away.__getitem__)
    if not nearest:
        return ""
    shares = listed([f"{away[name]:.2f} from {name}" for name in nearest])
    return f"{found[0].name} lies {shares}: 0 is the same policy, 1 has nothing in common."


def labelled(result: StudyResult | None) -> Labelled | None:
    """What the policies are worth under supervised training."""
    found = result.supervised if result else None
    if found is None:
        return None
    return Labelled(
        sentence=found.sentence,
        labels=found.labels_per_class,
        steps=found.steps,
        seeds=len(found.policies[0].scores),
        rows=tuple((one.name, one.mean, one.interval) for one in found.policies),
        winner=found.winner,
    )


def judged_contenders(store: Store, result: StudyResult, channels: int) -> list[Contender]:
    """Those of the verdict, in its order."""
    trials = {policy.digest: policy for policy, _ in store.complete()}
    baselines = {name: run.policy for (name, _), run in store.runs(BASELINE).items()}
    found = []
    for one in result.policies:
        policy = baselines.get(one.name)
        if one.kind == "candidate":
            policy = trials.get(one.digest or "")
        row = PolicyRow(
            name=one.name,
            kind=one.kind,
            search=one.search_score,
            confirmed=one.confirmed_scores,
            mean=one.confirmed_mean,
            interval=one.interval,
            seeds_only=one.confirmed_interval if one.images_interval else None,
            chosen=one.name == result.verdict.recommended,
        )
        found.append(Contender(row, _fitting(policy, channels), one.class_recall))
    return found


def contenders_so_far(store: Store, most: int, channels: int) -> list[Contender]:
    """Those that there are without a verdict: the best trials, so many at most, and baselines."""

    def contender(name: str, kind: Kind, policy: Policy | None, outcome: Outcome) -> Contender:
        seeds = store.outcomes_of(CONFIRMATION, name)
        mean = estimate_mean(seeds, None) if len(seeds) > 1 else None
        row = PolicyRow(
            name=name,
            kind=kind,
            search=outcome.score,
            confirmed=tuple(seed.score for seed in seeds) if mean else (),
            mean=mean.mean if mean else None,
            interval=mean.interval(LEVEL) if mean else None,
            seeds_only=None,
            chosen=False,
        )
        return Contender(row, _fitting(policy, channels), outcome.class_recall)

    trials = [
        contender(f"trial {trial.number}", "candidate", trial_policy(trial), outcome)
        for trial in store.best_trials(most)
        if (outcome := trial_outcome(trial))
    ]
    others = [
        contender(name, "floor" if run.policy is None else "baseline", run.policy, run.outcome)
        for (name, _), run in store.runs(BASELINE).items()
        if run.outcome
    ]
    return sorted([*trials, *others], key=lambda c: (-(c.row.mean or 0), -(c.row.search or 0)))


def _fitting(policy: Policy | None, channels: int) -> Policy | None:
    return for_channels(policy, channels) if policy else None


def pair(contenders: Sequence[Contender]) -> tuple[Contender | None, Contender | None]:
    """The one to look at, and what to compare it with: the best of the other kind."""

    def best(kind: Kind) -> Contender | None:
        own = [one for one in contenders if one.row.kind == kind]
        return max(own, key=lambda one: (one.row.mean or 0.0, one.row.search or 0.0), default=None)

    chosen = next((one for one in contenders if one.row.chosen), None)
    if chosen is None:
        return best("candidate"), best("baseline")
    return chosen, best("candidate" if chosen.row.kind == "baseline" else "baseline")
