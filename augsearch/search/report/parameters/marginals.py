"""How the score goes along each parameter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from optuna.distributions import BaseDistribution

from augsearch.report.sections.trials.parameter_findings import Marginal
from augsearch.search.report.parameters.axes import Numbers, choices, is_log, scaled
from augsearch.search.report.parameters.trials import Axes, Scored, enough, values_of
from augsearch.stats.corrections import holm
from augsearch.stats.regression import Fit, f_test

GRID = 25
"""Values at which a curve is drawn."""


def marginals_of(scored: Scored, axes: Axes) -> tuple[Marginal, ...]:
    """Every parameter's, those first that chance explains least."""
    found = [_marginal(name, scored, axes) for name in axes]
    kept = [marginal for marginal in found if marginal is not None]
    adjusted = holm([marginal.p_value for marginal in kept])
    corrected = [replace(m, p_value=p) for m, p in zip(kept, adjusted, strict=True)]
    return tuple(sorted(corrected, key=lambda m: (m.p_value, min(m.score) - max(m.score))))


def _marginal(name: str, scored: Scored, axes: Axes) -> Marginal | None:
    """Mean score along one parameter: a parabola, or a mean for each choice. The other parameters
    are held at their means where there are trials enough to do so."""
    acting = scored.where([name])
    used, score = acting.trials, acting.scores
    axis, values = axes[name], values_of(name, used)
    if not enough("marginal effects", len(used)) or np.ptp(values) == 0:
        return None
    few = bool(choices(axis))
    at = np.unique(values) if few else _grid(axis, values)
    own, on_grid = _shape(axis, values, at)
    others = acting.others(axes, {name}, own.shape[1] + 1)
    without = Fit.of(others, score)
    fit = Fit.of(np.hstack([others, own]), score)
    if fit.degrees < 1 or fit.rank == without.rank:
        return None
    flat = np.zeros((len(at), others.shape[1]))
    flat[:, 0] = 1
    mean, error = fit.at(np.hstack([flat, on_grid]))
    reach = fit.reach(error)
    return Marginal(
        name=name,
        at=tuple(at.tolist()),
        score=tuple(mean.tolist()),
        low=tuple((mean - reach).tolist()),
        high=tuple((mean + reach).tolist()),
        trials=len(used),
        p_value=f_test(without, fit),
        choices=few,
        log=is_log(axis),
        points=tuple(zip(values.tolist(), score.tolist(), strict=True)),
    )


def _grid(axis: BaseDistribution, values: Numbers) -> Numbers:
    """Values from the lowest to the highest that was tried: nothing is known beyond."""
    low, high = float(values.min()), float(values.max())
    spaced = np.geomspace if is_log(axis) else np.linspace
    grid = np.asarray(spaced(low, high, GRID), dtype=float)
    grid[[0, -1]] = low, high  # which rounding may miss
    return grid


def _shape(axis: BaseDistribution, values: Numbers, at: Numbers) -> tuple[Numbers, Numbers]:
    """Columns of a parameter's own effect, for the trials and for the values `at`."""
    if choices(axis):
        first, second = (np.equal.outer(v, at[1:]).astype(float) for v in (values, at))
        return first, second
    first, second = (np.column_stack([u, u**2]) for u in (scaled(axis, values), scaled(axis, at)))
    return first, second
