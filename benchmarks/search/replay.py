"""A whole search with Optuna, in which scores are looked up instead of trained."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import TrialState
from threadpoolctl import threadpool_limits

from augsearch.search.trials.sampler import SeededPerTrial
from augsearch.study_sections import GpConfig, TpeConfig
from benchmarks.search.grid_scores import CONFIRMED, Table, read_table

TOP = 2
"""Trials that a study confirms (`confirm.top`)."""

BUDGET = 48
"""Trials of full length: the full compute."""
SUSPICION = 0.2
"""A raced trial stops below this p-value: worse on each of three seeds is the least that can do it
(p = 1/8); with Optuna's 0.1 it takes four."""
STARTUP = 8
SAMPLERS = ("random", "qmc", "tpe", "gp", "cmaes")
Variant = Literal["plain", "pruned", "carried", "raced"]
VARIANTS: tuple[Variant, ...] = ("plain", "pruned", "carried", "raced")
OWN: dict[str, type[TpeConfig | GpConfig]] = {"tpe": TpeConfig, "gp": GpConfig}
"""Samplers that augsearch has, which can learn from stopped trials as if they had finished."""


AT_ONCE = (2, 4, 6)
"""Trials side by side that the default is also replayed with."""


@dataclass(frozen=True)
class Strategy:
    """`at_once`: trials that are under way at the same time."""

    sampler: str
    variant: Variant
    at_once: int = 1

    @property
    def name(self) -> str:
        beside = f", {self.at_once} at once" if self.at_once > 1 else ""
        return f"{self.sampler}, {self.variant}{beside}"


STRATEGIES = (
    *(
        Strategy(sampler, variant)
        for sampler in SAMPLERS
        for variant in VARIANTS
        if variant != "carried" or sampler in OWN
    ),
    *(Strategy("tpe", "carried", at_once) for at_once in AT_ONCE),
)


def sampler_of(name: str, seed: int, variant: Variant) -> optuna.samplers.BaseSampler:
    if name in OWN and variant in ("pruned", "carried"):
        config = OWN[name](startup_trials=STARTUP)
        return SeededPerTrial(config, seed, carry=variant == "carried")
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name == "qmc":
        return optuna.samplers.QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
    if name == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTUP)
    if name == "cmaes":
        return optuna.samplers.CmaEsSampler(
            seed=seed, n_startup_trials=STARTUP, warn_independent_sampling=False
        )
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True)


def pruner_of(variant: Variant) -> optuna.pruners.BasePruner:
    if variant in ("pruned", "carried"):
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2)
    if variant == "raced":
        return optuna.pruners.WilcoxonPruner(p_threshold=SUSPICION, n_startup_steps=2)
    return optuna.pruners.NopPruner()


@dataclass(frozen=True)
class Replay:
    """One search.

    Attributes:
        regret: `[BUDGET + 1]` after so much compute, of the best trial; entry 0 is of a random
            policy.
        confirmed: the same of the better of the two best, as two more seeds say.
        stopped: share of trials that did not run to their end.
    """

    regret: NDArray[np.float64]
    confirmed: NDArray[np.float64]
    stopped: float


def seed_order(number: int, seeds: int) -> tuple[np.random.Generator, NDArray[np.int64]]:
    """A replay's random numbers and the order of its training seeds, the study's own first."""
    rng = np.random.default_rng([number, 1])
    return rng, rng.permutation(seeds)


def replay(table: Table, strategy: Strategy, number: int) -> Replay:
    """A search by `strategy` in which scores are looked up; the same number, the same seeds."""
    rng, order = seed_order(number, table.seeds)
    study = optuna.create_study(
        direction="maximize",
        sampler=sampler_of(strategy.sampler, number, strategy.variant),
        pruner=pruner_of(strategy.variant),
    )
    axes: dict[str, BaseDistribution] = {
        name: IntDistribution(0, table.levels - 1) for name in table.axes
    }
    raced = strategy.variant == "raced"
    regrets = table.best - table.ends[..., order[-1:] if raced else order[1:]].mean(axis=-1)
    regret = np.full(BUDGET + 1, rng.choice(regrets.ravel()))
    confirmed = regret.copy()
    spent = 0.0
    for cost in trials(study, axes, table, order, strategy):
        spent += cost
        begin = int(np.ceil(spent - 1e-9))
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if begin <= BUDGET and complete:
            complete.sort(key=lambda trial: (-float(trial.value or 0.0), trial.number))
            ranked = list(dict.fromkeys(tuple(t.params[a] for a in table.axes) for t in complete))
            regret[begin:] = confirmed[begin:] = regrets[ranked[0]]
            if not raced:  # a race has confirmed by itself
                confirmed[begin:] = confirmed_regret(table, order[1:], ranked[:TOP])
        if spent >= BUDGET:
            break
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return Replay(regret, confirmed, states.count(TrialState.PRUNED) / len(states))


def trials(
    study: optuna.Study,
    axes: dict[str, BaseDistribution],
    table: Table,
    order: NDArray[np.int64],
    strategy: Strategy,
) -> Iterator[float]:
    """Trials without end, as many at once as the strategy says; gives the cost of each that has
    ended. What happens first is what needs less compute, as in `search.trials.course`."""
    live: list[UnderWay] = []
    clock = 0.0
    while True:
        while len(live) < strategy.at_once:
            trial = study.ask(fixed_distributions=axes)
            scores = table.scores[tuple(trial.params[name] for name in table.axes)][order]
            live.append(UnderWay(trial, clock, run_trial(trial, scores, table.shares, strategy)))
        first = min(live, key=lambda one: (one.began + one.ahead.cost, one.trial.number))
        clock = first.began + first.ahead.cost
        if first.ahead.state is None:
            first.ahead = next(first.stages)
            continue
        live.remove(first)
        value = first.ahead.value if first.ahead.state == TrialState.COMPLETE else None
        study.tell(first.trial, value, state=first.ahead.state)
        yield first.ahead.cost


def confirmed_regret(
    table: Table, unseen: NDArray[np.int64], policies: Sequence[tuple[int, ...]]
) -> float:
    """Regret of the policy that is best on `CONFIRMED` unseen seeds, judged on the others.

    The mean over all choices of the seeds.
    """
    ends = np.stack([table.ends[levels] for levels in policies])
    left = []
    for fresh in combinations(unseen, CONFIRMED):
        others = [seed for seed in unseen if seed not in fresh]
        chosen = ends[:, list(fresh)].mean(axis=1).argmax()
        left.append(table.best - ends[chosen, others].mean())
    return float(np.mean(left))


@dataclass(frozen=True)
class Stage:
    """What a trial has cost so far; once it has ended, its state and its value."""

    cost: float
    state: TrialState | None = None
    value: float = float("nan")


class UnderWay:
    """A trial that runs: when it began and what is next of it."""

    def __init__(self, trial: optuna.Trial, began: float, stages: Iterator[Stage]) -> None:
        self.trial, self.began, self.stages = trial, began, stages
        self.ahead = next(stages)


def run_trial(
    trial: optuna.Trial, scores: NDArray[np.float64], shares: Sequence[float], strategy: Strategy
) -> Iterator[Stage]:
    """A trial's stages from `[seeds, rungs]`; each is reported when the one after it is asked
    for."""
    variant = strategy.variant
    if variant == "raced":
        seeds = len(scores) - 1
        for place in range(seeds):
            trial.report(scores[place, -1], place)
            if place + 1 < seeds and trial.should_prune():
                yield Stage(place + 1, TrialState.PRUNED)
                return
        yield Stage(seeds, TrialState.COMPLETE, float(scores[:seeds, -1].mean()))
        return
    if variant in ("pruned", "carried"):
        for rung, share in enumerate(shares[:-1], 1):
            yield Stage(share)
            trial.report(scores[0, rung - 1], rung)
            if trial.should_prune():
                yield Stage(share, TrialState.PRUNED)
                return
    yield Stage(1.0, TrialState.COMPLETE, float(scores[0, -1]))


def work(_: None, job: tuple[str, Strategy, int]) -> Replay:
    prepare()
    table, strategy, number = job
    return replay(read_table(table), strategy, number)


def prepare() -> None:
    threadpool_limits(1)  # the process's matrices are small: two threads take twice the time
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
