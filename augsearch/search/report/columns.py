"""The parameters of a study's trials that are worth a column in a list."""

from __future__ import annotations

from augsearch.search.report.parameters.understand import understand
from augsearch.space.space import Space
from augsearch.space.strengths import by_strength
from augsearch.store.frozen_trials import trial_policy
from augsearch.store.study_store import Store

MOST = 4
ORDER = "view1.order"


def telling_columns(space: Space, store: Store) -> tuple[str, ...]:
    """Those that are shown to matter, under the names that MLflow has, the most telling first; the
    operations where there is none."""
    finished = store.finished()
    shown = {
        name for trial in finished for name in by_strength(space, trial_policy(trial).flatten())
    }
    matter = [
        next((name for name in (facts.name, f"view1.{facts.name}") if name in shown), None)
        for facts in understand(finished).parameters
        if facts.decides or facts.moves
    ]
    return tuple(filter(None, matter))[:MOST] or (ORDER,)
