"""More than one aim: a second value beside the score, and what no policy may cost a class.

With two aims the trials have no single order. The search then looks for policies that no other
one beats in both (the Pareto front), and nothing is pruned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from optuna.trial import FrozenTrial

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.space.policy import Policy
from augsearch.study_sections import Aim

CLASS_LOSS = "class_loss"
"""Name of Optuna's constraint: points of recall that the worst class loses beyond the limit."""


def direction(aim: Aim) -> Literal["minimize", "maximize"]:
    """Optuna's word for which way the aim goes."""
    return "minimize" if aim == "cost" else "maximize"


def values(bench: Bench, policy: Policy, outcome: Outcome) -> list[float]:
    """What a trial is told as: a value for each aim of the study, in their order."""
    found: Mapping[Aim, float] = {
        "score": outcome.score - bench.price(policy),
        "worst_recall": min(outcome.class_recall.values(), default=0.0),
        "cost": bench.cost(policy),
    }
    return [found[aim] for aim in bench.config.search.aims]


@dataclass(frozen=True)
class Reference:
    """The baseline that no class may fall behind.

    Attributes:
        name: of the baseline with the best score.
        recall: of each of its classes, in the search.
    """

    name: str
    recall: Mapping[str, float]

    def worst_loss(self, recall: Mapping[str, float]) -> tuple[str, float]:
        """The class that loses most against this baseline, and its loss in points."""
        losses = {name: 100 * (own - recall[name]) for name, own in self.recall.items()}
        worst = max(losses, key=losses.__getitem__)
        return worst, losses[worst]


@dataclass(frozen=True)
class ClassLimit:
    """How many points of recall no class may lose against a baseline."""

    against: Reference
    points: float

    def excess(self, outcome: Outcome) -> float:
        """Points that the worst class loses beyond the limit; 0 or less if all is well."""
        return self.against.worst_loss(outcome.class_recall)[1] - self.points


def reference(baselines: Iterable[tuple[str, Outcome]]) -> Reference:
    """The best of the baselines that have been run."""
    name, outcome = max(baselines, key=lambda found: found[1].score)
    return Reference(name, outcome.class_recall)


def feasible(trial: FrozenTrial) -> bool:
    """Whether a trial meets all constraints."""
    return all(excess <= 0 for excess in trial.constraints.values())


def ranked(trials: Sequence[FrozenTrial], aims: Sequence[Aim]) -> list[FrozenTrial]:
    """Complete trials, best first: those that meet the constraints before those that do not, then
    those that none beats in every aim, then by score. Infeasible ones by how much they break."""

    def broken(trial: FrozenTrial) -> float:
        return sum(max(0.0, excess) for excess in trial.constraints.values())

    fronts = {trial.number for trial in pareto_front(trials, aims)}
    return sorted(trials, key=lambda t: (broken(t), t.number not in fronts, -t.values[0], t.number))


def told(trial: FrozenTrial) -> Sequence[float]:
    """What Optuna was told of a complete trial: a value for each aim."""
    return list(trial.values)


def pareto_front(
    trials: Sequence[FrozenTrial],
    aims: Sequence[Aim],
    values_of: Callable[[FrozenTrial], Sequence[float]] = told,
) -> list[FrozenTrial]:
    """The feasible complete trials that no other one equals or beats in all aims at once.

    Args:
        values_of: a trial's value for each aim.
    """
    signs = [1 if direction(aim) == "maximize" else -1 for aim in aims]
    kept = [trial for trial in trials if feasible(trial)]
    points = {
        t.number: tuple(sign * v for sign, v in zip(signs, values_of(t), strict=True)) for t in kept
    }

    def beaten(own: tuple[float, ...]) -> bool:
        return any(
            other != own and all(o >= v for o, v in zip(other, own, strict=True))
            for other in points.values()
        )

    return [trial for trial in kept if not beaten(points[trial.number])]
