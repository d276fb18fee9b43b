"""What a study's triage said of it."""

from __future__ import annotations

from augsearch.report.sections.worth import Worth
from augsearch.search.triage.answer import Triage
from augsearch.store.study_store import Store


def worth(store: Store) -> Worth | None:
    """The answer of the last triage; None if there was none."""
    if not store.kept.triage:
        return None
    found = Triage.model_validate(store.kept.triage)
    return Worth(
        answer=f"{found.title}. {found.reason}",
        next=found.next,
        told=found.findings,
        rows=tuple((way.title, way.training, way.score, way.interval) for way in found.ways),
    )
