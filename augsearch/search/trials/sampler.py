"""Optuna's samplers and pruners for a space: static, resumable, the same for the same seed."""

from __future__ import annotations

import hashlib
import statistics
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import threadpool_limits

from augsearch.space.searched import Range
from augsearch.space.space import Space
from augsearch.store.frozen_trials import FINISHED, PRIOR
from augsearch.study_sections import (
    GpConfig,
    NoPrunerConfig,
    PrunerConfig,
    RandomConfig,
    SamplerConfig,
)

NEAR_EVERY = 2
CHANGED = 2
"""Every so many trials is near the best point, and so many of its values are drawn anew on the
whole. Measured on replays (docs/search.md)."""
ATTEMPTS = 20
"""To find a point that was not tried."""
MOST = 200
"""Trials that the model is fitted to; a search of more asks as fast as one of so many."""


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Every axis of `space` as an Optuna distribution; the sampler is asked for all of them."""
    found: dict[str, BaseDistribution] = {}
    for axis in space.axes():
        form = axis.form
        if not isinstance(form, Range):
            found[axis.name] = CategoricalDistribution(form.choices)
        elif axis.integer:
            found[axis.name] = IntDistribution(int(form.low), int(form.high))
        else:
            found[axis.name] = FloatDistribution(form.low, form.high, log=form.log)
    return found


class SeededPerTrial(BaseSampler):
    """A sampler whose random numbers follow from (seed, how many trials came before).

    A restarted process therefore repeats no point.

    Args:
        config: which sampler.
        seed: the study's seed.
        known: points of the space whose scores are known before the search, such as baselines. The
            model has them in its history, and every other trial is a neighbour of the best point
            so far, see `_near_the_best`. A random search has no use for them.
        identity: of points that make the same policy the same; by itself, of the same values.
        carry: let its model learn from trials that were stopped early as if they had finished, see
            `stopped_finished`.
    """

    def __init__(
        self,
        config: SamplerConfig,
        seed: int,
        *,
        known: Sequence[FrozenTrial] = (),
        identity: Callable[[Mapping[str, Any]], Hashable] | None = None,
        carry: bool = True,
    ) -> None:
        self._config = config
        self._seed = seed
        self._known = () if isinstance(config, RandomConfig) else tuple(known)
        self._identity = identity or (lambda point: tuple(sorted(point.items())))
        self._carry = carry
        self._index = 0
        self._identities: dict[int, Hashable] = {}
        self._sampler = self._fresh(self._index)

    def _seed_of(self, use: str, index: int) -> int:
        text = f"augsearch {use} {self._seed} {index}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())

    def _fresh(self, index: int) -> BaseSampler:
        seed = self._seed_of("sampler", index)
        if isinstance(self._config, RandomConfig):
            return RandomSampler(seed=seed)
        if isinstance(self._config, GpConfig):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return GPSampler(seed=seed, n_startup_trials=self._config.startup_trials)
        return TPESampler(
            n_startup_trials=self._config.startup_trials,
            multivariate=True,
            constant_liar=True,
            seed=seed,
        )

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._index = trial.number
        self._sampler = self._fresh(self._index)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        if self._known:  # before the first trial as well
            axes = self._known[0].distributions
            return {name: axis for name, axis in axes.items() if not axis.single()}
        if not isinstance(self._config, RandomConfig):
            # Every trial is asked for all axes; Optuna would look through all trials for that.
            for one in reversed(study.get_trials(deepcopy=False)):
                if one.state in FINISHED:
                    axes = dict(sorted(one.distributions.items()))
                    return {name: axis for name, axis in axes.items() if not axis.single()}
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        # Threads cost these small fits more than they save: with two, a fit takes twice as long.
        with threadpool_limits(1, user_api="blas"):
            return self._suggest(study, trial, search_space)

    def _suggest(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        trials = study.get_trials(deepcopy=False)
        if self._is_near() and search_space and len(study.directions) == 1:
            return self._near_the_best(trials, search_space)
        stopped = any(t.state == TrialState.PRUNED for t in trials)
        # Whether a stopped trial would have met a constraint, nobody knows.
        carry = self._carry and stopped and not any(t.constraints for t in trials)
        if not carry and not self._known and len(trials) <= MOST:
            return self._sampler.sample_relative(study, trial, search_space)
        seen = stopped_finished(study) if carry else copied(study)
        seen.add_trials(self._known)
        seen.sampler = self._fresh(self._index)  # one sampler serves one study
        return seen.ask(search_space).params

    def _is_near(self) -> bool:
        """Whether this trial is a neighbour of the best."""
        return bool(self._known) and self._index % NEAR_EVERY == 0

    def _near_the_best(
        self, trials: Sequence[FrozenTrial], search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The best point of all that are known, with some values drawn anew, two on the whole.

        What a published policy leaves out is a corner of the space (a dozen values at no effect),
        near which a model of the whole space comes late, and random points never.
        """
        found = [t for t in trials if t.state == TrialState.COMPLETE and PRIOR not in t.user_attrs]
        best = max((*self._known, *found), key=_merit)
        tried = {self._identity_of(t) for t in trials if t.params}
        tried |= {self._identity(t.params) for t in self._known}
        seed = self._seed_of("near", self._index)
        rng = np.random.default_rng(seed)
        values = optuna.create_study(sampler=RandomSampler(seed=seed))
        # A choice drawn anew may be what it was, and the same point need not be tried twice.
        for _ in range(ATTEMPTS):
            anew = values.ask(search_space).params
            drawn = rng.random(len(anew)) < CHANGED / len(anew)
            drawn[rng.integers(len(anew))] |= not drawn.any()
            point = {
                name: value if new else best.params[name]
                for (name, value), new in zip(anew.items(), drawn, strict=True)
            }
            if self._identity({**best.params, **point}) not in tried:
                break
        return point

    def _identity_of(self, trial: FrozenTrial) -> Hashable:
        if trial.number not in self._identities:
            self._identities[trial.number] = self._identity(trial.params)
        return self._identities[trial.number]

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Any,
    ) -> None:
        self._sampler.after_trial(study, trial, state, values)


def _merit(trial: FrozenTrial) -> tuple[float, float]:
    """What the best of some trials is the best in: the limits that it keeps, then its score."""
    broken = sum(max(0.0, excess) for excess in trial.constraints.values())
    return -broken, trial.values[0]


class _Shared(FrozenTrial):
    """A trial that a study in memory takes as it is: copying its parts took most of an ask."""

    def __deepcopy__(self, _memo: object) -> FrozenTrial:
        return copy(self)


def _shared(trial: FrozenTrial) -> FrozenTrial:
    taken = copy(trial)
    taken.__class__ = _Shared
    return taken


def stopped_finished(study: optuna.Study) -> optuna.Study:
    """The study in memory, as if trials that were stopped early had finished.

    Each has its last score, and on top the median of what finished trials gained from that step
    on. By themselves Optuna's models see little of a stopped trial: the Gaussian process nothing,
    TPE that it is worse than every finished one.
    """
    trials = study.get_trials(deepcopy=False)
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    gains: dict[int, float] = {}

    def gained_from(step: int) -> float:
        if step not in gains:
            found = [
                t.values[0] - t.intermediate_values[step]
                for t in finished
                if step in t.intermediate_values
            ]
            gains[step] = statistics.median(found) if found else 0.0
        return gains[step]

    def carried(trial: FrozenTrial) -> FrozenTrial:
        if trial.state != TrialState.PRUNED or not trial.intermediate_values:
            return trial
        step = max(trial.intermediate_values)
        ended = copy(trial)
        ended.state = TrialState.COMPLETE
        ended.values = [trial.intermediate_values[step] + gained_from(step)]
        ended.intermediate_values = {}
        return ended

    return _with_trials(study, [carried(trial) for trial in worth_learning(study, trials)])


def copied(study: optuna.Study) -> optuna.Study:
    """The study in memory, as it is."""
    return _with_trials(study, worth_learning(study, study.get_trials(deepcopy=False)))


def _with_trials(like: optuna.Study, trials: Sequence[FrozenTrial]) -> optuna.Study:
    seen = optuna.create_study(directions=like.directions)
    seen.add_trials([_shared(trial) for trial in trials])
    return seen


def worth_learning(study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that the model is fitted to, in order: all, or of more than `MOST` the best half
    of that number (by the first aim) and the newest others. A fit takes time for each."""
    if len(trials) <= MOST:
        return list(trials)
    sign = -1 if study.directions[0] == StudyDirection.MAXIMIZE else 1
    ended = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    kept = {t.number for t in sorted(ended, key=lambda t: sign * t.values[0])[: MOST // 2]}
    for trial in reversed(trials):
        if len(kept) >= MOST:
            break
        kept.add(trial.number)
    return [trial for trial in trials if trial.number in kept]


def build_pruner(config: PrunerConfig) -> optuna.pruners.BasePruner:
    """The pruner that `config` names."""
    if isinstance(config, NoPrunerConfig):
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(
        min_resource=config.first_rung, reduction_factor=config.reduction_factor
    )
