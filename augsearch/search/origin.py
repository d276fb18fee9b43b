"""An earlier study from which a new one begins: its winner, its trials, how its images looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from optuna.distributions import BaseDistribution
from pydantic import ValidationError

from augsearch.data.appearance import Drift, Numbers, appearance, drift, spread_rows
from augsearch.data.splits import sealed_marks
from augsearch.errors import StudyError
from augsearch.search.bench import Bench
from augsearch.search.beside import BASELINE
from augsearch.search.config import StudyConfig
from augsearch.search.store import Store
from augsearch.search.stored import find_study, stored_config, stored_space
from augsearch.search.verdict import UNTRAINED
from augsearch.space.policy import Policy
from augsearch.space.space import Space


@dataclass(frozen=True)
class Origin:
    """What a finished study hands on.

    Attributes:
        study: its name.
        winner: the policy that it recommended.
        space, config: what it was run with.
        trials: the searched values of its complete trials, with their scores.
        baselines: score of each baseline at a trial's budget.
        looks: `[n, 12]`, see `data.appearance`, of some of its images.
        sealed: marks of its sealed images, see `data.splits.sealed_marks`.
    """

    study: str
    winner: Policy
    space: Space
    config: StudyConfig
    trials: tuple[tuple[Mapping[str, float], float], ...]
    baselines: Mapping[str, float]
    looks: Numbers
    sealed: tuple[str, ...]

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
    if store.is_ablation:
        raise StudyError(f"--from {name}: this holds ablations, not a search, and has no winner")
    if store.winner is None:
        raise StudyError(
            f"--from {name}: this study has no verdict yet; run its command to the end first"
        )
    try:
        config, space = stored_config(store), stored_space(store)
    except (ValidationError, KeyError):
        raise StudyError(
            f"--from {name}: this study was made by another version of augsearch; run it again "
            "with this one"
        ) from None
    complete = store.best_trials(10**6)
    return Origin(
        study=name,
        winner=store.winner,
        space=space,
        config=config,
        trials=tuple((trial.params, trial.values[0]) for trial in complete),
        baselines={
            baseline: outcome.score for (baseline, _), outcome in store.outcomes(BASELINE).items()
        },
        looks=store.looks,
        sealed=store.sealed,
    )


def looks_of(bench: Bench) -> Numbers:
    """How the images of a study's pool look, for later studies to be compared with."""
    return appearance(bench.image_set, spread_rows(bench.split.pool))


def compared(origin: Origin, bench: Bench) -> str:
    """What a new study's images have to do with those of its origin, in words."""
    marks = sealed_marks(bench.image_set, bench.split.test)
    known = len(set(marks) & set(origin.sealed)) / max(1, len(marks))
    if known == 1:
        return "These are the same images, so the sealed split has been looked at before."
    found = drift_since(origin, bench).sentence
    if known > 0:
        found += f" About {100 * known:.0f} % of the sealed images have been looked at before."
    return found


def drift_since(origin: Origin, bench: Bench) -> Drift:
    """How the images of a new study differ from those of its origin."""
    groups = bench.image_set.groups[spread_rows(bench.split.pool)]
    return drift(origin.looks, looks_of(bench), groups.tolist())


def hand_on_trials(origin: Origin, store: Store, axes: Mapping[str, BaseDistribution]) -> int:
    """Give the origin's trials to the new study's sampler as a prior; how many fitted its space.

    Scores of other images lie on another level. They are moved by the mean difference of the
    baselines that both studies tried, so that the sampler's ranking of old and new is fair.
    Does nothing if it was done before.
    """
    if store.prior():
        return len(store.prior())
    here = {name: outcome.score for (name, _), outcome in store.outcomes(BASELINE).items()}
    both = (here.keys() & origin.baselines.keys()) - {UNTRAINED}
    shift = float(np.mean([here[name] - origin.baselines[name] for name in both])) if both else 0.0
    return sum(
        store.add_prior(params, dict(axes), score + shift, origin.study)
        for params, score in origin.trials
    )
