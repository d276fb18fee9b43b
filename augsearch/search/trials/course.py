"""The course of a search: which point is asked when, what is known then, what is stopped.

Trials may run side by side, and which ends first on a busy machine is chance. So the course has a
clock of its own, which counts optimiser steps, and everything happens in its order: a trial that
began at 600 reaches its rung of step 300 at 900, whatever the time. What the sampler and the pruner
know therefore follows from the study alone, and so does the answer.

They know it from a study in memory. The database is written as the course goes, and never asked: a
study that goes on is run through once more from its first trial, whose stored trials are played
back, and comes to the state in which it was left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from augsearch.bench.bench import Bench
from augsearch.errors import StudyError
from augsearch.search.trials.sampler import SeededPerTrial, build_pruner, distributions
from augsearch.search.trials.trial import Asked, Ended
from augsearch.space.space import Space
from augsearch.store.frozen_trials import PRICE
from augsearch.store.ranking import CLASS_LOSS, ClassLimit, values
from augsearch.store.study_store import Store

HEARD_AT = "failure heard at"
"""User attribute: the step at which a trial that failed would have been heard of next."""


@dataclass
class UnderWay:
    """A trial that was asked and has not ended.

    Attributes:
        place: its number in the course, without trials that died with their process.
        began: by the course's clock.
        ahead: steps at which something will be heard of it: rungs, then its end.
        stored: what an earlier process kept of it, if it ended there.
        record: its number in the database, if it is run now.
        heard: the last rung and the score there.
    """

    place: int
    asked: Asked
    began: int
    ahead: list[int]
    trial: Trial
    stored: FrozenTrial | None = None
    record: int = -1
    heard: tuple[int, float] = (0, 0.0)

    @property
    def due(self) -> tuple[int, int]:
        """When it is heard of next, by the course's clock; the earlier trial comes first."""
        return self.began + self.ahead[0], self.place


class Course:
    """Asks, hears rungs and ends, and keeps each in the study's database.

    Args:
        wanted: trials to be complete or pruned in the end.
        allowed: failed ones that are replaced.
        limit: on what a trial may cost a class.
    """

    def __init__(
        self,
        store: Store,
        bench: Bench,
        space: Space,
        sampler: SeededPerTrial,
        *,
        wanted: int,
        allowed: int,
        limit: ClassLimit | None,
    ) -> None:
        self._store, self._bench, self._space, self._limit = store, bench, space, limit
        self._wanted, self._allowed = wanted, allowed
        self._axes = distributions(space)
        self._one_aim = len(bench.config.search.aims) == 1
        self._study = optuna.create_study(
            directions=store.trials_study.directions,
            sampler=sampler,
            pruner=build_pruner(bench.config.search.pruner),
        )
        self._study.add_trials(store.prior())
        self._prior, self._first = len(store.prior()), store.number_at(0)
        self._stored = store.placed()
        self._killed = store.killed_points()
        self._finished = 0
        self._failures: list[str] = []

    def wants(self, under_way: int) -> bool:
        """Whether another trial is to be asked while so many are under way.

        Raises:
            StudyError: more trials failed than are replaced.
        """
        if self._finished + under_way >= self._wanted:
            return False
        if len(self._failures) > self._allowed:
            raise StudyError(
                f"{len(self._failures)} trials failed, more than the {self._allowed} that are "
                f"replaced; the last: {self._failures[-1]}"
            )
        return True

    def ask(self, clock: int) -> UnderWay:
        """The next trial of the course. One that is to be run now is kept in the database, with
        its policy, before it runs."""
        place = len(self._study.get_trials(deepcopy=False)) - self._prior
        stored = self._stored.get(place)
        if known := stored or self._killed.get(place):
            self._study.add_trial(
                optuna.create_trial(
                    state=TrialState.RUNNING,
                    params=known.params,
                    distributions=known.distributions,
                )
            )
            added = self._study.get_trials(deepcopy=False)[-1]
            trial = Trial(self._study, added._trial_id)
        else:
            trial = self._study.ask(fixed_distributions=dict(self._axes))
        number = self._first + place
        name = f"trial {number}"
        policy = self._space.policy(trial.params, name=name)
        asked = Asked(name, policy, self._bench.price(policy))
        steps = [*self._bench.config.rungs, self._bench.config.pretrain.steps]
        live = UnderWay(place, asked, clock, steps, trial, stored)
        if stored is None:
            attributes: dict[str, object] = {"policy": policy.model_dump_json(exclude_none=True)}
            if asked.price:
                attributes[PRICE] = asked.price
            live.record = self._store.begin_trial(
                number, trial.params, trial.distributions, attributes
            )
        return live

    def rung(self, live: UnderWay, step: int, score: float) -> bool:
        """A trial reached a rung; whether it goes on."""
        live.ahead.remove(step)
        live.heard = step, score
        if not self._one_aim:
            return True  # Optuna takes no reports of trials that have several values
        value = score - live.asked.price
        live.trial.report(value, step)
        self._store.report(live.record, step, value)
        return not live.trial.should_prune()

    def end(self, live: UnderWay, ended: Ended) -> tuple[float | None, str]:
        """Keep how a trial ended; its score, None if it failed, and what is to be said of it."""
        if ended.failure:
            self._store.end_trial(
                live.record,
                TrialState.FAIL,
                attributes={"failure": ended.failure, HEARD_AT: live.ahead[0]},
            )
            self._tell(live, TrialState.FAIL, failure=ended.failure)
            return None, f"failed: {ended.failure}"
        if ended.outcome is None:
            self._store.end_trial(live.record, TrialState.PRUNED)
            self._tell(live, TrialState.PRUNED)
            step, score = live.heard
            return score, f"stopped at step {step}"
        found = values(self._bench, live.asked.policy, ended.outcome)
        limits = {} if self._limit is None else {CLASS_LOSS: self._limit.excess(ended.outcome)}
        self._store.end_trial(
            live.record,
            TrialState.COMPLETE,
            values=found,
            attributes={"outcome": ended.outcome.model_dump_json()},
            constraints=limits,
        )
        self._tell(live, TrialState.COMPLETE, values=found, constraints=limits)
        return ended.outcome.score, ""

    def play(self, live: UnderWay) -> bool:
        """What is next of a stored trial happens again; whether it ended with that.

        How it went on is what it did, whatever the pruner would say today: the degree of
        parallelism may have been another.
        """
        stored, step = live.stored, live.ahead.pop(0)
        assert stored is not None
        if step in stored.intermediate_values:
            live.trial.report(stored.intermediate_values[step], step)
            live.trial.should_prune()  # the pruner keeps what it has seen
        stopped_here = stored.state == TrialState.PRUNED and step >= max(stored.intermediate_values)
        # Trials of older versions, which ran one by one, do not say when they failed.
        passed = step in stored.intermediate_values
        heard_at = stored.user_attrs.get(HEARD_AT)
        failed_here = stored.state == TrialState.FAIL and (
            step == heard_at if heard_at is not None else not passed
        )
        if live.ahead and not stopped_here and not failed_here:
            return False
        self._tell(
            live,
            stored.state,
            values=stored.values if stored.state == TrialState.COMPLETE else None,
            constraints=stored.constraints,
            failure=stored.user_attrs.get("failure", "unknown reason"),
        )
        return True

    def _tell(
        self,
        live: UnderWay,
        state: TrialState,
        *,
        values: list[float] | tuple[float, ...] | None = None,
        constraints: Mapping[str, float] | None = None,
        failure: str = "",
    ) -> None:
        for name, excess in (constraints or {}).items():
            live.trial.set_constraint(name, excess)
        if state == TrialState.FAIL:
            self._failures.append(failure)
        else:
            self._finished += 1
        self._study.tell(live.trial, values, state=state)
