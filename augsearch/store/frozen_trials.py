"""Optuna's frozen trials: what is kept in their attributes, read back."""

from __future__ import annotations

from copy import copy

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from augsearch.bench.outcome import Outcome
from augsearch.space.policy import Policy

__all__ = [
    "FINISHED", "KILLED", "NUMBER", "PRICE", "PRIOR", "BaseDistribution", "FrozenTrial",
    "TrialState", "full_values", "numbered", "trial_curve", "trial_name", "trial_outcome",
    "trial_policy", "trial_score",
]  # fmt: skip
"""Optuna's own types among them: other rooms know them from here."""
PRIOR = "prior of"
"""User attribute of another study's trial that only the sampler sees."""


PRICE = "price"


FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def trial_policy(trial: FrozenTrial) -> Policy:
    """The policy that a trial ran."""
    return Policy.model_validate_json(trial.user_attrs["policy"])


def trial_curve(trial: FrozenTrial) -> tuple[tuple[int, float], ...]:
    """Steps and scores of the rungs that a trial reached; Optuna was told them less what the policy
    costs (`search.cost_weight`)."""
    price: float = trial.user_attrs.get(PRICE, 0.0)
    told = sorted(trial.intermediate_values.items())
    return tuple((step, score + price) for step, score in told)


def trial_outcome(trial: FrozenTrial) -> Outcome | None:
    """What a complete trial showed; None for a pruned or failed one."""
    stored = trial.user_attrs.get("outcome")
    return Outcome.model_validate_json(stored) if stored else None


def trial_score(trial: FrozenTrial) -> float:
    """The score of a complete trial; what the search takes off for cost is not in it."""
    outcome = trial_outcome(trial)
    return outcome.score if outcome else trial.values[0]


def full_values(trial: FrozenTrial) -> list[float]:
    """A complete trial's value for each aim, the score in full."""
    return [trial_score(trial), *trial.values[1:]]


KILLED = "killed"
"""User attribute of a trial whose process died: it says nothing about its policy."""


NUMBER = "number"
"""User attribute: what a trial is known by. One that died with its process hands its number on, so
that a study that was killed has the names of one that was not. Trials of older versions are known
by their number in the database."""


def numbered(trial: FrozenTrial) -> FrozenTrial:
    """The trial under the number that it is known by."""
    number = trial.user_attrs.get(NUMBER, trial.number)
    if number == trial.number:
        return trial
    renumbered = copy(trial)
    renumbered.number = number
    return renumbered


def trial_name(trial: FrozenTrial) -> str:
    """What people know a trial by. Its number is what tells it apart."""
    return f"trial {trial.number}"
