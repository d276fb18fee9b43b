"""What is known of a space before its search: the baselines' scores, at their nearest points."""

from __future__ import annotations

from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial

from augsearch.augment.baselines import for_channels
from augsearch.bench.bench import Bench
from augsearch.search.trials.sampler import distributions
from augsearch.space.nearest import nearest_point
from augsearch.space.space import Space
from augsearch.store.ranking import CLASS_LOSS, ClassLimit, values
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store
from augsearch.words import listed


@dataclass(frozen=True)
class Known:
    """Baselines as the sampler sees them.

    Attributes:
        trials: points of the space with scores, never counted as trials of the study.
        names: of the baselines behind them.
        apart: names of those that the space cannot express, with their distance.
    """

    trials: tuple[FrozenTrial, ...]
    names: tuple[str, ...]
    apart: dict[str, float]

    @property
    def sentence(self) -> str:
        """For people; empty if there are no baselines."""
        said = []
        if self.names:
            said.append(f"the sampler knows the scores of {listed(self.names)}")
        if self.apart:
            verb = "lies" if len(self.apart) == 1 else "lie"
            said.append(f"{listed(list(self.apart))} {verb} too far from this space")
        return "; ".join(said)


def known_baselines(store: Store, bench: Bench, space: Space, limit: ClassLimit | None) -> Known:
    """The baselines that have been run, as trials of the space where it can express them."""
    axes, trials, names, apart = distributions(space), [], [], {}
    for (name, _), run in store.runs(BASELINE).items():
        if run.policy is None or run.outcome is None:
            continue
        near = nearest_point(space, for_channels(run.policy, bench.image_set.channels))
        if not near.stands_for_it:
            apart[name] = near.distance
            continue
        names.append(name)
        trials.append(
            optuna.trial.create_trial(
                params=near.point,
                distributions=axes,
                values=list(values(bench, space.policy(near.point), run.outcome)),
                constraints={} if limit is None else {CLASS_LOSS: limit.excess(run.outcome)},
            )
        )
    return Known(tuple(trials), tuple(names), apart)
