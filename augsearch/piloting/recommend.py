"""What a pilot recommends, in words; it may be to do without a pretraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from augsearch.piloting.result import (
    BASELINE,
    BEST,
    Curve,
    Estimated,
    Gain,
    Recommendation,
    SameScore,
)
from augsearch.words import counted, listed, percent, points

WORTH = 0.01
"""A gain below it is none."""


def recommend(
    curves: Sequence[Curve], gains: Sequence[Gain], *, policy: str, seeds: int, classes: int
) -> Recommendation:
    """The recommendation.

    Args:
        classes: among which chance is right once in so many times.
        policy: what the found policy is called.
        seeds: replicates that it rests on.
    """
    by_key = {curve.way: curve for curve in curves}
    best = _simplest_of_the_best([curve for curve in curves if curve.simclr is None])
    over = [gain for gain in gains if gain.against == BEST]
    shown = [gain for gain in over if gain.shown]
    findings = (*_policy(by_key, gains, policy), *_harm(over, by_key))
    if all(point.score.low <= 1 / classes for curve in curves for point in curve.points):
        return Recommendation(
            answer="measures_nothing",
            way=best.way,
            title="Nothing is measured here",
            reason="No way is shown to be right more often than chance "
            f"({percent(1 / classes)} %), so they cannot be compared: use more labels, more steps "
            "or larger images.",
            findings=(),
        )
    if shown:
        way = by_key[_most(shown)]
        return Recommendation(
            answer="pretrain",
            way=way.way,
            title=f"Pretrain: {way.title}",
            reason=_why(way, best, [gain for gain in over if gain.way == way.way]),
            findings=findings,
        )
    if all(gain.gained.high < WORTH for gain in over):
        return Recommendation(
            answer="do_not_pretrain",
            way=best.way,
            title=f"Do not pretrain: {best.title}",
            reason="SimCLR on these images gains less than a point over the best way without it, "
            f"with every number of labels. {_heights(best)}",
            findings=findings,
        )
    lead = max(over, key=lambda gain: gain.gained.mean)
    return Recommendation(
        answer="not_shown",
        way=best.way,
        title=f"No gain is shown: begin with {best.title}",
        reason="SimCLR on these images is not shown to gain over the best way without it, with all "
        f"ways and numbers of labels taken together. The largest gain is {_gained(lead.gained)} "
        f"with {_labels(lead.labels)} ({by_key[lead.way].title}). {_heights(best)} This rests on "
        f"{counted(seeds, 'seed')} and on these sealed images; more of either (--seeds, more "
        "labels) would show smaller gains.",
        findings=findings,
    )


def _simplest_of_the_best(alone: Sequence[Curve]) -> Curve:
    """The first, in the order of what they take, that is on average within a point of the best."""
    highest = max(map(_height, alone))
    return next(curve for curve in alone if _height(curve) > highest - WORTH)


def _height(curve: Curve) -> float:
    return float(np.mean([point.score.mean for point in curve.points]))


def _most(shown: Sequence[Gain]) -> str:
    """The way with the most shown gains; of several the one that gains most."""
    ways = sorted({gain.way for gain in shown})
    return max(
        ways,
        key=lambda way: (
            sum(gain.way == way for gain in shown),
            sum(gain.gained.mean for gain in shown if gain.way == way),
        ),
    )


def _why(way: Curve, best: Curve, over: Sequence[Gain]) -> str:
    shown = [gain for gain in over if gain.shown]
    scores = {point.labels: point.score for point in way.points}
    tried = [point.labels for point in way.points]
    said = [
        f"With {_labels(gain.labels)} it reaches {percent(scores[gain.labels].mean)} %, "
        f"{_gained(gain.gained)} above the best way without a pretraining, which needs "
        f"{needed(gain.same, tried)} for the same."
        for gain in shown
    ]
    rest = [str(gain.labels) for gain in over if not gain.shown]
    if rest:
        said.append(f"With {listed(rest)} labels of each class no gain is shown.")
    said.append(f"Without a pretraining: {best.title}, within a point of the best.")
    return " ".join(said)


def _heights(best: Curve) -> str:
    first, last = best.points[0], best.points[-1]
    reached = f"{best.title}: {percent(first.score.mean)} % with {_labels(first.labels)}"
    if first is not last:
        reached += f" and {percent(last.score.mean)} % with {last.labels}"
    return f"{reached[0].upper()}{reached[1:]}."


def _policy(by_key: Mapping[str, Curve], gains: Sequence[Gain], policy: str) -> list[str]:
    """What the found policy did for the pretraining, beside the published one."""
    over = [gain for gain in gains if gain.against == BASELINE]
    if not over:
        return []
    gaps = [f"{gain.labels}: {_gained(gain.gained)}" for gain in over]
    return [
        f"{policy} against {by_key['simclr_baseline'].simclr}, both pretrained from nothing and "
        f"fine-tuned, by labels of each class: {', '.join(gaps)}."
    ]


def _harm(over: Sequence[Gain], by_key: Mapping[str, Curve]) -> list[str]:
    """Where a pretraining takes from the score."""
    ways = sorted({gain.way for gain in over if gain.gained.high < 0})
    return [
        f"{by_key[way].title} is worse than the best way without a pretraining, with "
        f"{listed([str(g.labels) for g in over if g.way == way and g.gained.high < 0])} labels of "
        "each class."
        for way in ways
    ]


def needed(same: SameScore, tried: Sequence[int]) -> str:
    """Labels with their interval; what lies beyond the numbers that were tried says so."""
    middle, *ends = (_number(labels, tried) for labels in (same.labels, same.low, same.high))
    return f"{middle} ({' to '.join(ends)})" if ends[0] != ends[1] else middle


def _number(labels: float | None, tried: Sequence[int]) -> str:
    if labels is None:
        return f"over {tried[-1]}"
    return f"{labels:.0f}" if labels else f"under {tried[0]}"


def _labels(count: int) -> str:
    return f"{counted(count, 'label')} of each class"


def _gained(gained: Estimated) -> str:
    return f"{points(100 * gained.mean)} points ({between(gained)})"


def between(gained: Estimated) -> str:
    """The interval of a difference, in points."""
    return f"{points(100 * gained.low)} to {points(100 * gained.high)}"
