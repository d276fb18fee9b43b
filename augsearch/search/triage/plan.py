"""What a triage trains: as much as a tenth of its study's compute pays for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from augsearch.search.confirm.confirmation import race_plan
from augsearch.study_file import StudyConfig
from augsearch.study_sections import NoPrunerConfig

SHARE, SLACK = 0.1, 0.005
"""Of a study's expected steps; and what may come on top rather than do without labels."""
SUPERVISED = 0.5
"""A supervised run against one of SimCLR: one view of each image instead of two."""
MOST_TRIALS = 6


@dataclass(frozen=True)
class TriagePlan:
    """Runs of a triage; the floor's, which train nothing, come on top.

    Attributes:
        trials: the study's first ones; 0 where a tenth does not pay for any.
        supervised: whether encoders are trained with labels, without and with augmentation.
        share: of the study's expected optimiser steps, all of it counted.
    """

    trials: int
    supervised: bool
    share: float


def triage_plan(
    config: StudyConfig, baselines: Collection[str], always: str | None = None
) -> TriagePlan:
    """What a tenth of a study pays for; the baselines are in it in any case.

    Args:
        always: see `confirm`.
    """
    whole = config.pretrain.steps
    race = race_plan(config, always)
    entrants = race.top + race.baselines
    confirmed = min(entrants * race.max_seeds, max(entrants * race.seeds, race.runs))
    also = 3 * race.seeds * SUPERVISED if "supervised" in config.confirm.also else 0.0
    total = config.search_steps + (confirmed + also) * config.confirm.steps
    left = SHARE * total / whole - len(baselines)
    supervised = left + SLACK * total / whole >= 2 * SUPERVISED
    left -= 2 * SUPERVISED * supervised
    trials, cost = 0, 0.0
    # Nothing stops the first trial; of later ones half are expected to go on at each rung.
    while trials < min(MOST_TRIALS, config.search.trials):
        more = 1.0 if trials == 0 or isinstance(config.search.pruner, NoPrunerConfig) else 0.75
        if cost + more > left:
            break
        trials, cost = trials + 1, cost + more
    spent = len(baselines) + 2 * SUPERVISED * supervised + cost
    return TriagePlan(trials, supervised, spent * whole / total)
