"""Optuna's samplers and pruners for a space: static, resumable, the same for the same seed."""

from __future__ import annotations

import hashlib
import statistics
import warnings
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import threadpool_limits

from augsearch.space.searched import Range
from augsearch.space.space import Space
from augsearch.store.frozen_trials import KILLED
from augsearch.study_file import (
    GpConfig,
    NoPrunerConfig,
    PrunerConfig,
    RandomConfig,
    SamplerConfig,
)


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

    A restarted process therefore repeats no point, and a study that was killed and resumed
    suggests what an undisturbed one would have: trials that died with their process are not
    counted.

    Args:
        config: which sampler.
        seed: the study's seed.
        carry: let its model learn from trials that were stopped early as if they had finished, see
            `stopped_finished`.
    """

    def __init__(self, config: SamplerConfig, seed: int, *, carry: bool = True) -> None:
        self._config = config
        self._seed = seed
        self._carry = carry
        self._index = 0
        self._sampler = self._fresh(self._index)

    def _fresh(self, index: int) -> BaseSampler:
        text = f"augsearch sampler {self._seed} {index}"
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())
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
        earlier = study.get_trials(deepcopy=False)[: trial.number]
        killed = sum(KILLED in t.user_attrs for t in earlier)
        self._index = trial.number - killed
        self._sampler = self._fresh(self._index)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
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
        stopped = any(t.state == TrialState.PRUNED for t in trials)
        # Whether a stopped trial would have met a constraint, nobody knows.
        if not self._carry or not stopped or any(t.constraints for t in trials):
            return self._sampler.sample_relative(study, trial, search_space)
        seen = stopped_finished(study)
        seen.sampler = self._fresh(self._index)  # one sampler serves one study
        return seen.ask(search_space).params

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


def stopped_finished(study: optuna.Study) -> optuna.Study:
    """The study in memory, as if trials that were stopped early had finished.

    Each has its last score, and on top the median of what finished trials gained from that step
    on. By themselves Optuna's models see little of a stopped trial: the Gaussian process nothing,
    TPE that it is worse than every finished one.
    """
    trials = study.get_trials(deepcopy=False)
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]

    def carried(trial: FrozenTrial) -> FrozenTrial:
        if trial.state != TrialState.PRUNED or not trial.intermediate_values:
            return trial
        step = max(trial.intermediate_values)
        gains = [
            t.values[0] - t.intermediate_values[step]
            for t in finished
            if step in t.intermediate_values
        ]
        return optuna.trial.create_trial(
            value=trial.intermediate_values[step] + (statistics.median(gains) if gains else 0.0),
            params=trial.params,
            distributions=trial.distributions,
        )

    seen = optuna.create_study(direction=study.direction)
    seen.add_trials([carried(trial) for trial in trials])
    return seen


def build_pruner(config: PrunerConfig) -> optuna.pruners.BasePruner:
    """The pruner that `config` names."""
    if isinstance(config, NoPrunerConfig):
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(
        min_resource=config.first_rung, reduction_factor=config.reduction_factor
    )
