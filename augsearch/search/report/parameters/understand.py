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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from optuna.trial import FrozenTrial, TrialState

from augsearch.report.sections.trials.parameters import Understanding
from augsearch.search.report.parameters.common import common_values
from augsearch.search.report.parameters.facts import parameter_facts
from augsearch.search.report.parameters.importance import importance_weights
from augsearch.search.report.parameters.interactions import interactions_of
from augsearch.search.report.parameters.marginals import marginals_of
from augsearch.search.report.parameters.trials import (
    FEWEST,
    QUARTER,
    Scored,
    enough,
    searched_axes,
)
from augsearch.store.frozen_trials import PRICE
from augsearch.words import PLAIN, Unit


def understand(
    trials: Sequence[FrozenTrial],
    seed: int = 0,
    limits: Mapping[str, tuple[float, float]] = MappingProxyType({}),
    units: Mapping[str, Unit] = MappingProxyType({}),
) -> Understanding:
    """What finished trials say.

    Args:
        trials: complete and pruned; the first of their values is the score, higher is better.
        seed: of the shuffles that say what chance would bring.
        limits: of parameters beyond which no space can search.
        units: how the values of parameters are written.
    """
    finished = [
        t
        for t in trials
        if t.state == TrialState.COMPLETE
        or (t.state == TrialState.PRUNED and t.intermediate_values)
    ]
    axes, many = searched_axes(finished), len(finished)
    scored = Scored.at_end(finished)
    weights = importance_weights(finished, axes, seed) if enough("importance", many) else None
    marginals = marginals_of(scored, axes) if enough("marginal effects", many) else None
    interactions = interactions_of(scored, axes) if enough("interactions", many) else None
    common = common_values(finished, axes) if enough("the best quarter", many) else None

    def unit(name: str) -> Unit:
        return units.get(name, PLAIN)

    return Understanding(
        finished=many,
        complete=sum(t.state == TrialState.COMPLETE for t in finished),
        quarter=math.ceil(QUARTER * many),
        needed=FEWEST,
        priced=any(PRICE in trial.user_attrs for trial in finished),
        parameters=parameter_facts(
            scored, axes, limits, weights or (), marginals or (), common or (), units
        ),
        weights=weights,
        marginals=None
        if marginals is None
        else tuple(replace(one, unit=unit(one.name)) for one in marginals),
        interactions=None
        if interactions is None
        else tuple(replace(i, units=(unit(i.first), unit(i.second))) for i in interactions),
        common=None
        if common is None
        else tuple(replace(one, unit=unit(one.name)) for one in common),
    )
