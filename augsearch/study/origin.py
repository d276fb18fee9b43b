"""An earlier study from which a new one begins: its winner, its trials, how its images looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.data.appearance import Looks, appearance, drift, spread_rows
from augsearch.data.splits.splits import sealed_marks
from augsearch.errors import StudyError
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.frozen_trials import BaseDistribution, trial_outcome, trial_policy
from augsearch.store.ranking import CLASS_LOSS, ClassLimit, Reference, reference, values
from augsearch.store.runs import BASELINE
from augsearch.store.stored import find_study, stored_config, stored_space
from augsearch.store.study_store import Store
from augsearch.study_file import StudyConfig


@dataclass(frozen=True)
class Origin:
    """What a finished study hands on.

    Attributes:
        study: its name.
        winner: the policy that it recommended.
        space, config: what it was run with.
        trials: its complete trials: searched values, policy and outcome.
        baselines: policy and outcome of each baseline at a trial's budget.
        reference: the baseline that no class was to fall behind.
        looks: of some of its images.
        sealed: marks of its sealed images, see `data.splits.sealed_marks`.
        weights: digest of what its encoder started from; None for random numbers.
    """

    study: str
    winner: Policy
    space: Space
    config: StudyConfig
    trials: tuple[tuple[Mapping[str, Any], Policy, Outcome], ...]
    baselines: Mapping[str, tuple[Policy, Outcome]]
    reference: Reference
    looks: Looks
    sealed: tuple[str, ...]
    weights: str | None = None

    @property
    def baseline(self) -> str:
        """Under which its winner is a baseline of the new study."""
        return f"winner of {self.study}"


def find_origin(storage: str, name: str) -> Origin:
    """The finished study `name`.

    Raises:
        StudyError: there is none, it has no verdict yet, or an older version made it.
    """
    store = find_study(storage, name)
    if store.kept.is_ablation:
        raise StudyError(f"--from {name}: this holds ablations, not a search, and has no winner")
    if store.kept.winner is None:
        raise StudyError(
            f"--from {name}: this study has no verdict yet; run its command to the end first"
        )
    try:
        config, space, looks = stored_config(store), stored_space(store), store.kept.looks
    except (ValidationError, KeyError):
        raise StudyError(
            f"--from {name}: this study was made by another version of augsearch; run it again "
            "with this one"
        ) from None
    baselines = {
        run.name: (run.policy, run.outcome)
        for run in store.runs(BASELINE).values()
        if run.policy and run.outcome
    }
    return Origin(
        study=store.name,
        winner=store.kept.winner,
        space=space,
        config=config,
        trials=tuple(
            (trial.params, trial_policy(trial), outcome)
            for trial in store.best_trials(10**6)
            if (outcome := trial_outcome(trial))
        ),
        baselines=baselines,
        reference=reference((name, outcome) for name, (_, outcome) in baselines.items()),
        looks=looks,
        sealed=store.kept.sealed,
        weights=store.kept.settings.get("weights"),
    )


def looks_of(bench: Bench, side: int | None = None) -> Looks:
    """How the images of a study's pool look, for later studies to be compared with."""
    return appearance(bench.image_set, spread_rows(bench.split.pool), side)


def compared(origin: Origin, bench: Bench) -> str:
    """What a new study's images have to do with those of its origin, in words."""
    marks = sealed_marks(bench.image_set, bench.split.test)
    known = len(set(marks) & set(origin.sealed)) / max(1, len(marks))
    if known == 1:
        return "These are the same images, or nearly: the sealed ones have been used before."
    old, size = origin.looks, bench.image_set.image_size
    if size < old.side:
        found = f"Images of {size} pixels are not compared with its own of {old.side}."
    else:
        found = drift(old, looks_of(bench, old.side)).sentence
    if known > 0:
        found += f" About {100 * known:.0f} % of the sealed images have been used before."
    return found


def hand_on_trials(
    origin: Origin, store: Store, bench: Bench, axes: Mapping[str, BaseDistribution]
) -> int:
    """Give the origin's trials to the new study's sampler as a prior; how many fitted it.

    What was seen on other images lies on another level. In each aim it is moved by the mean
    difference of the baselines that both studies tried, so that the sampler's ranking of old and
    new is fair. How far a trial broke a limit on classes is taken from the origin's own images.
    A trial does not fit that lies outside the space or was scored by something else. Does nothing
    if it was done before.
    """
    if store.prior():
        return len(store.prior())
    if origin.config.evaluate.measured != bench.config.evaluate.measured:
        return 0
    gaps = [
        np.subtract(values(bench, run.policy, run.outcome), values(bench, *origin.baselines[name]))
        for (name, _), run in store.runs(BASELINE).items()
        if run.policy and run.outcome and name in origin.baselines
    ]
    shift = np.mean(gaps, axis=0) if gaps else 0.0
    limit = bench.config.search.class_loss
    classes = None if limit is None else ClassLimit(origin.reference, limit)
    return sum(
        store.add_prior(
            params,
            dict(axes),
            list(np.add(values(bench, policy, outcome), shift)),
            {} if classes is None else {CLASS_LOSS: classes.excess(outcome)},
            origin.study,
        )
        for params, policy, outcome in origin.trials
    )
