"""Recall of each class under two policies."""

from __future__ import annotations

from augsearch.report.sections.classes import ClassEffect, ClassEffects
from augsearch.search.report.results import Contender
from augsearch.search.result.result import StudyResult


def class_effects(
    result: StudyResult | None, ours: Contender | None, theirs: Contender | None
) -> ClassEffects | None:
    """As judged if there is a verdict, else in the search."""
    if ours is None or theirs is None:
        return None
    if result and (judged := result.classes):
        effects = [_effect(c.name, c.ours, c.theirs, c.interval) for c in judged.classes]
        return ClassEffects(judged.ours, judged.against, judged.seeds, tuple(effects))
    first, second = ours.class_recall, theirs.class_recall
    effects = [_effect(name, first[name], second[name], None) for name in first if name in second]
    if not effects:
        return None
    seeds = result.verdict.seeds.get(theirs.name, 0) if result else 1
    return ClassEffects(ours.name, theirs.name, seeds, tuple(effects))


def _effect(
    name: str, ours: float, theirs: float, interval: tuple[float, float] | None
) -> ClassEffect:
    low, high = (100 * interval[0], 100 * interval[1]) if interval else (None, None)
    return ClassEffect(name, ours, theirs, 100 * (ours - theirs), low, high)
