"""The search itself: ask for a point, run its policy, tell the score; exactly as many as wanted."""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.trial import Trial, TrialState

from augsearch.bench.bench import Bench
from augsearch.errors import StudyError, TrialFailure
from augsearch.progress import Progress, step_listener
from augsearch.search.confirm.verdict import UNTRAINED
from augsearch.search.trials.sampler import distributions
from augsearch.space.space import Space
from augsearch.store.frozen_trials import PRICE, trial_curve
from augsearch.store.ranking import CLASS_LOSS, ClassLimit, Reference, feasible, reference, values
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store


def run_trials(
    store: Store,
    bench: Bench,
    space: Space,
    wanted: int,
    progress: Progress,
    after_each: Callable[[], None],
) -> None:
    """Run trials until `wanted` are complete or pruned; failed ones are replaced.

    Args:
        after_each: called when a trial has ended and is stored.

    Raises:
        StudyError: more than a quarter of `wanted` trials failed.
    """
    allowed = max(1, wanted // 4)
    axes = distributions(space)
    limit = bench.config.search.class_loss
    classes = None if limit is None else ClassLimit(_reference(store), limit)
    progress.phase("trials", len(store.finished()), wanted)
    while len(store.finished()) < wanted:
        failed = store.failed()
        if len(failed) > allowed:
            reason = failed[-1].user_attrs.get("failure", "unknown reason")
            raise StudyError(
                f"{len(failed)} trials failed, more than the {allowed} that are replaced; the "
                f"last: {reason}"
            )
        trial = store.trials_study.ask(fixed_distributions=axes)
        _run_trial(store, bench, space, classes, trial, progress)
        after_each()


def classes_in_words(store: Store, class_loss: float | None) -> str:
    """Whether trials kept every class within the limit; empty if there is none."""
    if class_loss is None:
        return ""
    complete = [trial for trial in store.trials() if trial.state == TrialState.COMPLETE]
    kept = sum(feasible(trial) for trial in complete)
    limit = f"no class loses more than {class_loss:g} points against {_reference(store).name}"
    if kept == 0:
        return (
            f"in the search, of one seed each, it is true of none of the {len(complete)} complete "
            f"trials that {limit}; those that break it least are confirmed, which decides"
        )
    return (
        f"in the search, of one seed each, it is true of {kept} of the {len(complete)} complete "
        f"trials that {limit}; the confirmation decides"
    )


def _reference(store: Store) -> Reference:
    return reference(
        (name, outcome)
        for (name, _), outcome in store.outcomes(BASELINE).items()
        if name != UNTRAINED
    )


def _run_trial(
    store: Store,
    bench: Bench,
    space: Space,
    classes: ClassLimit | None,
    trial: Trial,
    progress: Progress,
) -> None:
    name = f"trial {trial.number}"
    policy = space.policy(trial.params, name=name)
    trial.set_user_attr("policy", policy.model_dump_json(exclude_none=True))
    steps = bench.config.pretrain.steps
    price = bench.price(policy)
    if price:
        trial.set_user_attr(PRICE, price)

    def on_rung(step: int, score: float) -> None:
        if len(bench.config.search.aims) > 1:
            return  # Optuna takes no reports of trials that have several values
        trial.report(score - price, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        outcome = bench.try_policy(
            policy,
            replicate=0,
            steps=steps,
            rungs=bench.config.rungs,
            on_rung=on_rung,
            on_step=step_listener(progress, name, steps),
        )
    except optuna.TrialPruned:
        frozen = store.trials_study.tell(trial, state=TrialState.PRUNED)
        step, score = trial_curve(frozen)[-1]
        progress.run_ended(name, score, f"stopped at step {step}")
    except TrialFailure as failure:
        trial.set_user_attr("failure", str(failure))
        store.trials_study.tell(trial, state=TrialState.FAIL)
        progress.run_ended(name, None, f"failed: {failure}")
    else:
        trial.set_user_attr("outcome", outcome.model_dump_json())
        if classes is not None:
            trial.set_constraint(CLASS_LOSS, classes.excess(outcome))
        store.trials_study.tell(trial, values(bench, policy, outcome))
        progress.run_ended(name, outcome.score, "")
