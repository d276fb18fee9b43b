"""What each class gains or loses."""

from __future__ import annotations

from augsearch.report.figures.form import forest
from augsearch.report.forms import Plot
from augsearch.report.sections.classes import MOST_CLASSES, ClassEffects
from augsearch.words import listed, points


def effects(found: ClassEffects) -> Plot:
    """What each class gains or loses; of very many those that move most."""
    ranked = sorted(found.classes, key=lambda c: -abs(c.difference))[:MOST_CLASSES]
    ranked.sort(key=lambda c: -c.difference)
    figure = forest(
        [c.name for c in ranked],
        [c.difference for c in ranked],
        [(c.low, c.high) if c.low is not None and c.high is not None else None for c in ranked],
        [c.finding != "open" for c in ranked],
        "points of recall",
    )
    moves = listed([f"{c.name} {points(c.difference)}" for c in ranked])
    return Plot(figure, f"Recall of {found.ours} less that of {found.theirs}: {moves} points.")
