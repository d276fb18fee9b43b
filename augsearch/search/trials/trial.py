"""One trial in three steps: asked of the sampler, run anywhere, told to the store.

Only asking and telling touch Optuna. Running needs the bench alone; its rungs go out and the word
to stop comes back through a function, which may as well be a message to another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from optuna.distributions import BaseDistribution
from optuna.trial import Trial, TrialState

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.errors import TrialFailure
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.frozen_trials import PRICE, trial_curve, trial_name
from augsearch.store.ranking import CLASS_LOSS, ClassLimit, values
from augsearch.store.study_store import Store

Rung = Callable[[int, float], bool]
"""Told the step and the score there; says whether the trial goes on."""


@dataclass(frozen=True)
class Asked:
    """A trial that is to be run.

    Attributes:
        name: for people.
        price: what the search takes off its scores for the cost of its views.
    """

    name: str
    policy: Policy
    price: float


@dataclass(frozen=True)
class Ended:
    """How a trial ended: with an outcome, stopped at a rung, or failed.

    Attributes:
        outcome: of one that ran to its end.
        failure: why it failed, or empty.
    """

    outcome: Outcome | None = None
    failure: str = ""


class _Stop(Exception):
    pass


def ask(
    store: Store, bench: Bench, space: Space, axes: Mapping[str, BaseDistribution]
) -> tuple[Trial, Asked]:
    """The sampler's next point as a policy; it is kept with the trial before that runs."""
    trial = store.trials_study.ask(fixed_distributions=dict(axes))
    name = trial_name(trial)
    policy = space.policy(trial.params, name=name)
    trial.set_user_attr("policy", policy.model_dump_json(exclude_none=True))
    price = bench.price(policy)
    if price:
        trial.set_user_attr(PRICE, price)
    return trial, Asked(name, policy, price)


def run(
    bench: Bench,
    asked: Asked,
    on_rung: Rung,
    on_step: Callable[[int, float], None] | None = None,
) -> Ended:
    """Train and score a policy as far as `on_rung` lets it."""

    def listen(step: int, score: float) -> None:
        if not on_rung(step, score):
            raise _Stop

    try:
        outcome = bench.try_policy(
            asked.policy,
            replicate=0,
            steps=bench.config.pretrain.steps,
            rungs=bench.config.rungs,
            on_rung=listen,
            on_step=on_step,
        )
    except _Stop:
        return Ended()
    except TrialFailure as failure:
        return Ended(failure=str(failure))
    return Ended(outcome)


def pruned_by(trial: Trial, asked: Asked, aims: int) -> Rung:
    """Reports rungs to Optuna, less the price, and asks its pruner."""

    def on_rung(step: int, score: float) -> bool:
        if aims > 1:
            return True  # Optuna takes no reports of trials that have several values
        trial.report(score - asked.price, step)
        return not trial.should_prune()

    return on_rung


def tell(
    store: Store, bench: Bench, trial: Trial, asked: Asked, ended: Ended, limit: ClassLimit | None
) -> tuple[float | None, str]:
    """Keep how a trial ended; its score, None if it failed, and what is to be said of it."""
    if ended.failure:
        trial.set_user_attr("failure", ended.failure)
        store.trials_study.tell(trial, state=TrialState.FAIL)
        return None, f"failed: {ended.failure}"
    if ended.outcome is None:
        frozen = store.trials_study.tell(trial, state=TrialState.PRUNED)
        step, score = trial_curve(frozen)[-1]
        return score, f"stopped at step {step}"
    trial.set_user_attr("outcome", ended.outcome.model_dump_json())
    if limit is not None:
        trial.set_constraint(CLASS_LOSS, limit.excess(ended.outcome))
    store.trials_study.tell(trial, values(bench, asked.policy, ended.outcome))
    return ended.outcome.score, ""
