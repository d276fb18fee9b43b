"""What a study's trials say about its parameters, without any new training.

Four questions: which parameters decide whether a policy is among the best (PED-ANOVA), how the
score goes along each (a regression), whether the effect of one depends on another (an interaction
term), and what the best quarter has in common (rank-sum tests). Each is asked only where there are
enough trials, and each says of a finding how often chance would bring one like it.

All four look at the same trials: every finished one in which the operation did something. A trial
that was stopped early has no score at its end. It was not among the best, so it counts where the
best are told from the others; regressions give it its last score and the median of what complete
trials gained from there on. Scores are shown in full: what a search takes off for cost
(`search.cost_weight`) is not taken off here.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState
from scipy import stats

from augsearch.report.content import (
    Common,
    Interaction,
    Marginal,
    ParameterFacts,
    Place,
    Understanding,
    Weight,
)
from augsearch.stats.corrections import holm
from augsearch.store.frozen_trials import PRICE, trial_curve, trial_score

FEWEST = {"importance": 20, "marginal effects": 16, "interactions": 40, "the best quarter": 20}
"""Trials that each part asks for. A quarter of 20 is five, the least that Optuna advises for
PED-ANOVA; the others leave ten degrees of freedom or more."""
QUARTER = 0.25
SHUFFLES = 200
PER_CHOICE = 8
"""Trials that each choice of a parameter must have had, for it to be asked about interactions."""
PER_TERM = 3
"""Trials for each term of a regression, below which other parameters are left out of it."""
GRID = 25
AT_END = 0.1
"""How near to an end of its range the best value counts as lying there; the range has length 2."""

Numbers = NDArray[np.float64]


def understand(
    trials: Sequence[FrozenTrial],
    seed: int = 0,
    limits: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> Understanding:
    """What finished trials say.

    Args:
        trials: complete and pruned; the first of their values is the score, higher is better.
        seed: of the shuffles that say what chance would bring.
        limits: of parameters beyond which no space can search.
    """
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    finished = [
        t
        for t in trials
        if t.state == TrialState.COMPLETE
        or (t.state == TrialState.PRUNED and t.intermediate_values)
    ]
    axes = _searched(finished)
    many = len(finished)
    scored = _Scored(finished, _end_scores(finished, complete))
    weights = _weights(finished, axes, seed) if _enough("importance", many) else None
    marginals = _marginals(scored, axes) if _enough("marginal effects", many) else None
    return Understanding(
        finished=many,
        complete=len(complete),
        quarter=math.ceil(QUARTER * many),
        needed=FEWEST,
        priced=any(PRICE in trial.user_attrs for trial in finished),
        parameters=_parameters(scored, axes, limits, weights or (), marginals or ()),
        weights=weights,
        marginals=marginals,
        interactions=_interactions(scored, axes) if _enough("interactions", many) else None,
        common=_common(finished, axes) if _enough("the best quarter", many) else None,
    )


def _enough(part: str, trials: int) -> bool:
    return trials >= FEWEST[part]


@dataclass(frozen=True)
class _Scored:
    """Trials with the scores that a regression goes by."""

    trials: Sequence[FrozenTrial]
    scores: Numbers

    def where(self, names: Sequence[str]) -> _Scored:
        """Only the trials in which all of these parameters did something."""
        acting = [all(_acts(name, trial) for name in names) for trial in self.trials]
        kept = [trial for trial, acts in zip(self.trials, acting, strict=True) if acts]
        return _Scored(kept, self.scores[acting])


def _end_scores(finished: Sequence[FrozenTrial], complete: Sequence[FrozenTrial]) -> Numbers:
    """`[n]` scores at the end; of a stopped trial its last one and the median of what complete
    trials gained from that step on, as the sampler's model has it."""
    curves = [(dict(trial_curve(trial)), trial_score(trial)) for trial in complete]

    def at_end(trial: FrozenTrial) -> float:
        if trial.state == TrialState.COMPLETE:
            return trial_score(trial)
        step, score = trial_curve(trial)[-1]
        gains = [end - curve[step] for curve, end in curves if step in curve]
        return score + (statistics.median(gains) if gains else 0.0)

    return np.array([at_end(trial) for trial in finished], dtype=float)


def _searched(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """The axes that took more than one value."""
    axes = trials[0].distributions if trials else {}
    return {name: axis for name, axis in axes.items() if len({t.params[name] for t in trials}) > 1}


def goodness(trials: Sequence[FrozenTrial]) -> Numbers:
    """`[n]` places from 0, higher is better: stopped trials below complete ones, those that were
    stopped earlier below those that came farther."""

    def key(trial: FrozenTrial) -> tuple[float, float]:
        if trial.state == TrialState.COMPLETE:
            return math.inf, trial_score(trial)
        return max(trial_curve(trial), default=(-1.0, -math.inf))

    order = sorted({key(trial) for trial in trials})
    return np.array([order.index(key(trial)) for trial in trials], dtype=float)


def _weights(
    trials: Sequence[FrozenTrial], axes: Mapping[str, BaseDistribution], seed: int
) -> tuple[Weight, ...]:
    """PED-ANOVA (Watanabe et al., IJCAI 2023) of being in the best quarter, and what it finds in
    trials whose places were shuffled. As the divergence of two densities it is a weighted sum of
    squares, whose distribution a gamma of the same mean and variance resembles (Satterthwaite).
    How far into its tail the luckiest parameter comes in 19 of 20 shuffles is the limit for all
    (the minimum-p method of Westfall and Young, Resampling-Based Multiple Testing, 1993). Half of
    the shuffles give the gamma, the other half the limit: those that it was fitted to would seem
    less lucky than they are."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    groups = _acting_together(trials, axes)
    names = [name for _, together, _ in groups for name in together]
    if not names:
        return ()
    evaluator = PedAnovaImportanceEvaluator(target_quantile=QUARTER)

    def importance(places: Numbers) -> Numbers:
        found: dict[str, float] = {}
        for rows, together, study in groups:
            own = places[list(rows)]

            def place(trial: FrozenTrial, own: Numbers = own) -> float:
                return -float(own[trial.number])

            with warnings.catch_warnings():  # a target is minimised, which is why it is negative
                warnings.simplefilter("ignore")
                found |= evaluator.evaluate(study, list(together), target=place)
        return np.array([found[name] for name in names])

    places, rng = goodness(trials), np.random.default_rng(seed)
    own = importance(places)
    if own.sum() == 0:
        return ()
    shuffled = np.array([importance(rng.permutation(places)) for _ in range(SHUFFLES)])
    fitted, judged = shuffled[::2], shuffled[1::2]
    mean, variance = fitted.mean(axis=0), np.maximum(fitted.var(axis=0), 1e-24)
    by_chance = stats.gamma(mean**2 / variance, scale=variance / mean)
    luckiest = by_chance.sf(judged).min(axis=1)
    chance = by_chance.isf(np.quantile(luckiest, 0.05))
    found = [
        Weight(name, float(share), float(ratio))
        for name, share, ratio in zip(names, own / own.sum(), own / chance, strict=True)
    ]
    return tuple(sorted(found, key=lambda weight: -weight.over_chance))


def _acting_together(
    trials: Sequence[FrozenTrial], axes: Mapping[str, BaseDistribution]
) -> list[tuple[tuple[int, ...], tuple[str, ...], optuna.Study]]:
    """Parameters that did something in the same trials, these trials' rows, and a study of them."""
    found = defaultdict(list)
    for name in axes:
        rows = tuple(row for row, trial in enumerate(trials) if _acts(name, trial))
        if _enough("importance", len(rows)) and np.ptp(_values(name, [trials[r] for r in rows])):
            found[rows].append(name)
    groups = []
    for rows, names in found.items():
        study = optuna.create_study()
        study.add_trials(
            [
                optuna.create_trial(
                    params={name: trials[row].params[name] for name in names},
                    distributions={name: axes[name] for name in names},
                    value=0.0,
                )
                for row in rows
            ]
        )
        groups.append((rows, tuple(names), study))
    return groups


def _parameters(
    scored: _Scored,
    axes: Mapping[str, BaseDistribution],
    limits: Mapping[str, tuple[float, float]],
    weights: Sequence[Weight],
    marginals: Sequence[Marginal],
) -> tuple[ParameterFacts, ...]:
    """All that is said of each parameter, in one place."""
    importance = {weight.name: weight.over_chance for weight in weights}
    effects = {marginal.name: marginal for marginal in marginals}
    found = []
    for name, axis in axes.items():
        values = _values(name, scored.where([name]).trials)
        if not values.size:
            continue
        along = effects.get(name)
        best = along.at[int(np.argmax(along.score))] if along else None
        found.append(
            ParameterFacts(
                name=name,
                trials=len(values),
                searched=bounds(axis),
                tried=(float(values.min()), float(values.max())),
                importance=importance.get(name),
                effect=100 * (max(along.score) - min(along.score)) if along else None,
                p_value=along.p_value if along else None,
                best=best,
                worst=along.at[int(np.argmin(along.score))] if along else None,
                place="inside" if best is None else _place(axis, best, values, limits.get(name)),
            )
        )
    return tuple(
        sorted(found, key=lambda f: (not (f.decides or f.moves), -(f.importance or 0.0), f.name))
    )


def _place(
    axis: BaseDistribution, best: float, values: Numbers, limits: tuple[float, float] | None
) -> Place:
    """Where the best value lies among those that could have been tried."""
    if len(choices(axis)) == 2 or best not in (values.min(), values.max()):
        return "inside"
    end = bounds(axis)[0 if best == values.min() else 1]
    scaled = _scaled(axis, np.array([best, end]))
    if abs(scaled[0] - scaled[1]) > AT_END:
        return "end of what was tried"
    if limits and end in limits:
        return "as far as it goes"
    return "end of the range"


def _marginals(scored: _Scored, axes: Mapping[str, BaseDistribution]) -> tuple[Marginal, ...]:
    found = [_marginal(name, scored, axes) for name in axes]
    kept = [marginal for marginal in found if marginal is not None]
    adjusted = holm([marginal.p_value for marginal in kept])
    corrected = [replace(m, p_value=p) for m, p in zip(kept, adjusted, strict=True)]
    return tuple(sorted(corrected, key=lambda m: (m.p_value, min(m.score) - max(m.score))))


def _marginal(name: str, scored: _Scored, axes: Mapping[str, BaseDistribution]) -> Marginal | None:
    """Mean score along one parameter: a parabola, or a mean for each choice. The other parameters
    are held at their means where there are trials enough to do so."""
    acting = scored.where([name])
    used, score = acting.trials, acting.scores
    axis, values = axes[name], _values(name, used)
    if not _enough("marginal effects", len(used)) or np.ptp(values) == 0:
        return None
    few = bool(choices(axis))
    at = np.unique(values) if few else _grid(axis, values)
    own, on_grid = _shape(axis, values, at)
    others = _others(used, axes, {name}, own.shape[1] + 1)
    without = _Fit.of(others, score)
    fit = _Fit.of(np.hstack([others, own]), score)
    if fit.degrees < 1 or fit.rank == without.rank:
        return None
    flat = np.zeros((len(at), others.shape[1]))
    flat[:, 0] = 1
    mean, error = fit.at(np.hstack([flat, on_grid]))
    reach = stats.t.ppf(0.975, fit.degrees) * error
    return Marginal(
        name=name,
        at=tuple(at.tolist()),
        score=tuple(mean.tolist()),
        low=tuple((mean - reach).tolist()),
        high=tuple((mean + reach).tolist()),
        trials=len(used),
        p_value=_f_test(without, fit),
        choices=few,
        log=bool(getattr(axis, "log", False)),
        points=tuple(zip(values.tolist(), score.tolist(), strict=True)),
    )


def _interactions(scored: _Scored, axes: Mapping[str, BaseDistribution]) -> tuple[Interaction, ...]:
    found = [_interaction(pair, scored, axes) for pair in combinations(axes, 2)]
    kept = [interaction for interaction in found if interaction is not None]
    adjusted = holm([interaction.p_value for interaction in kept])
    corrected = [replace(i, p_value=p) for i, p in zip(kept, adjusted, strict=True)]
    return tuple(sorted(corrected, key=lambda i: (i.p_value, -abs(i.difference))))


def _interaction(
    pair: tuple[str, str], scored: _Scored, axes: Mapping[str, BaseDistribution]
) -> Interaction | None:
    """The product of two parameters in a regression that holds a parabola of either."""
    acting = scored.where(pair)
    used, score = acting.trials, acting.scores
    if not _enough("interactions", len(used)):
        return None
    values = [_values(name, used) for name in pair]
    ends = [(float(np.quantile(v, 0.1)), float(np.quantile(v, 0.9))) for v in values]
    rare = any(
        (v == choice).sum() < PER_CHOICE
        for name, v in zip(pair, values, strict=True)
        for choice in choices(axes[name])
    )
    if rare or any(low == high for low, high in ends):
        return None
    first, second = (_scaled(axes[n], v) for n, v in zip(pair, values, strict=True))
    (low1, high1), (low2, high2) = (
        _scaled(axes[n], np.array(e)) for n, e in zip(pair, ends, strict=True)
    )
    terms = np.column_stack([first, first**2, second, second**2, first * second])
    others = _others(used, axes, set(pair), terms.shape[1] + 1)
    fit = _Fit.of(np.hstack([others, terms]), score)
    if fit.degrees < 1 or fit.rank == _Fit.of(np.hstack([others, terms[:, :-1]]), score).rank:
        return None
    product, error = fit.weights[-1], math.sqrt(fit.covariance[-1, -1])
    scale = 100 * (high1 - low1) * (high2 - low2)
    reach = abs(scale) * float(stats.t.ppf(0.975, fit.degrees)) * error
    along, bend = fit.weights[-5], fit.weights[-4]

    def effect(at: float) -> float:
        rise = along * (high1 - low1) + bend * (high1**2 - low1**2)
        return 100 * float(rise + product * (high1 - low1) * at)

    difference = float(scale * product)
    return Interaction(
        first=pair[0],
        second=pair[1],
        first_at=ends[0],
        second_at=ends[1],
        effects=(effect(low2), effect(high2)),
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        p_value=2 * float(stats.t.sf(abs(product) / max(error, 1e-12), fit.degrees)),
        trials=len(used),
    )


def _common(
    trials: Sequence[FrozenTrial], axes: Mapping[str, BaseDistribution]
) -> tuple[Common, ...]:
    """How the best quarter's values differ from the others'; the rank-sum test of Mann and
    Whitney."""
    order = np.argsort(-goodness(trials), kind="stable")
    best = set(order[: math.ceil(QUARTER * len(trials))].tolist())
    found = []
    for name, axis in axes.items():
        inside, outside = (
            _values(
                name, [t for i, t in enumerate(trials) if (i in best) == own and _acts(name, t)]
            )
            for own in (True, False)
        )
        if min(len(inside), len(outside)) < 3:
            continue
        few = choices(axis)
        found.append(
            Common(
                name=name,
                best=_spread(inside),
                rest=_spread(outside),
                choices=few,
                best_shares=tuple(float(np.mean(inside == c)) for c in few),
                rest_shares=tuple(float(np.mean(outside == c)) for c in few),
                p_value=float(stats.mannwhitneyu(inside, outside).pvalue),
            )
        )
    adjusted = holm([common.p_value for common in found])
    corrected = [replace(c, p_value=p) for c, p in zip(found, adjusted, strict=True)]
    return tuple(sorted(corrected, key=lambda common: common.p_value))


def _spread(values: Numbers) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9)).tolist()
    return low, middle, high


def _acts(name: str, trial: FrozenTrial) -> bool:
    """Whether the parameter did anything: not where its operation's gate was closed."""
    gate = f"{name.rpartition('.')[0]}.p"
    return name == gate or trial.params.get(gate) != 0


def _values(name: str, trials: Sequence[FrozenTrial]) -> Numbers:
    return np.array([trial.params[name] for trial in trials], dtype=float)


def choices(axis: BaseDistribution) -> tuple[float, ...]:
    """All values of an axis that has few of them; else none."""
    if isinstance(axis, CategoricalDistribution):
        return tuple(sorted(float(choice) for choice in axis.choices))  # type: ignore[arg-type]
    if isinstance(axis, IntDistribution) and axis.high - axis.low < 5:
        return tuple(map(float, range(axis.low, axis.high + 1)))
    return ()


def _scaled(axis: BaseDistribution, values: Numbers) -> Numbers:
    """Values as the sampler sees them, from -1 to 1 over the axis."""
    low, high = bounds(axis)
    if getattr(axis, "log", False):
        values, low, high = np.log(values), math.log(low), math.log(high)
    return 2 * (values - low) / (high - low) - 1


def bounds(axis: BaseDistribution) -> tuple[float, float]:
    """The lowest and the highest value of an axis."""
    if isinstance(axis, (FloatDistribution, IntDistribution)):
        return float(axis.low), float(axis.high)
    few = choices(axis)
    return few[0], few[-1]


def _grid(axis: BaseDistribution, values: Numbers) -> Numbers:
    """Values from the lowest to the highest that was tried: nothing is known beyond."""
    low, high = float(values.min()), float(values.max())
    spaced = np.geomspace if getattr(axis, "log", False) else np.linspace
    grid = np.asarray(spaced(low, high, GRID), dtype=float)
    grid[[0, -1]] = low, high  # which rounding may miss
    return grid


def _shape(axis: BaseDistribution, values: Numbers, at: Numbers) -> tuple[Numbers, Numbers]:
    """Columns of a parameter's own effect, for the trials and for the values `at`."""
    if choices(axis):
        first, second = (np.equal.outer(v, at[1:]).astype(float) for v in (values, at))
        return first, second
    first, second = (np.column_stack([u, u**2]) for u in (_scaled(axis, values), _scaled(axis, at)))
    return first, second


def _others(
    trials: Sequence[FrozenTrial],
    axes: Mapping[str, BaseDistribution],
    without: set[str],
    terms: int,
) -> Numbers:
    """A column of ones and one for each other parameter, with mean 0; only the ones if there are
    too few trials for so many terms."""
    names = [name for name in axes if name not in without]
    columns = [np.ones(len(trials))]
    if len(trials) >= PER_TERM * (terms + len(names)):
        scaled = [_scaled(axes[name], _values(name, trials)) for name in names]
        columns += [column - column.mean() for column in scaled]
    return np.column_stack(columns)


@dataclass(frozen=True)
class _Fit:
    """Least squares: weights, their covariance, and what is left."""

    weights: Numbers
    covariance: Numbers
    residual: float
    degrees: int
    rank: int

    @classmethod
    def of(cls, columns: Numbers, values: Numbers) -> _Fit:
        """`columns` `[n, k]`, `values` `[n]`; columns that others make up are shared out."""
        rank = int(np.linalg.matrix_rank(columns))
        inverse = np.linalg.pinv(columns)
        weights = inverse @ values
        residual = float(((values - columns @ weights) ** 2).sum())
        degrees = len(values) - rank
        spread = residual / degrees if degrees > 0 else math.inf
        return cls(weights, spread * inverse @ inverse.T, residual, degrees, rank)

    def at(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Mean and standard error at each row of columns."""
        return rows @ self.weights, np.sqrt(np.einsum("ij,jk,ik->i", rows, self.covariance, rows))


def _f_test(without: _Fit, fit: _Fit) -> float:
    """Probability that the added columns explain as much by chance."""
    if fit.residual <= 0:
        return 0.0 if without.residual > 0 else 1.0
    added = fit.rank - without.rank
    ratio = (without.residual - fit.residual) / added / (fit.residual / fit.degrees)
    return float(stats.f.sf(ratio, added, fit.degrees))
