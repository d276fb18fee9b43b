"""With two aims: what can be had of both."""

from __future__ import annotations

from augsearch.report.sections.trials.front import Front, FrontPoint
from augsearch.search.result.outputs import AXES, front_note, front_points
from augsearch.store.study_store import Store
from augsearch.study_file import StudyConfig


def front(store: Store, config: StudyConfig, channels: int) -> Front | None:
    """Every trial and baseline in both aims; None where there is one aim."""
    if len(store.aims) == 1:
        return None
    points = tuple(
        FrontPoint(p.label if p.kind == "baseline" else f"trial {p.label}", p.x, p.y, p.kind)
        for p in front_points(store, config, channels)
    )
    return Front(AXES[store.aims[1]][0], points, front_note(config))
