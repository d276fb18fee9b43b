"""From confirmed scores to a verdict in words. Pure statistics on numbers, no training.

All comparisons are paired by seed: two policies of one seed share initial weights, batches and
label draws. Intervals are t-based over seeds (a percentile bootstrap over so few seeds is far too
narrow). A candidate is better than every baseline if it is better than each; over the candidates
Holm's procedure holds the error rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import stats

LEVEL = 0.95
MARGIN = 0.02
"""Differences below two points count as equal for `as_good`."""

UNTRAINED = "untrained encoder"

Code = Literal["better", "as_good", "indistinguishable", "worse", "measures_nothing"]


class Difference(BaseModel):
    """A seed-paired difference of scores: `mean` with a 95 % interval, one-sided p for `> 0`."""

    model_config = ConfigDict(frozen=True)

    of: str
    against: str
    mean: float
    low: float
    high: float
    p_value: float
    detectable: float
    """Smallest true gain that this many seeds would have shown with 80 % power."""


class Verdict(BaseModel):
    """The answer of a study.

    Attributes:
        code: for programs.
        sentence: for people, one or two sentences.
        advice: what to do next.
        recommended: name of the policy to use.
        differences: every comparison behind it.
    """

    model_config = ConfigDict(frozen=True)

    code: Code
    sentence: str
    advice: str
    recommended: str
    differences: tuple[Difference, ...]


def paired_difference(
    of: str, against: str, scores: Sequence[float], reference: Sequence[float]
) -> Difference:
    """Mean of `scores - reference` over seeds with its t-based 95 % interval.

    Raises:
        ValueError: fewer than two pairs, or unequal numbers.
    """
    if len(scores) != len(reference) or len(scores) < 2:
        raise ValueError("a paired difference needs the same two or more seeds on both sides")
    gaps = np.asarray(scores, dtype=float) - np.asarray(reference, dtype=float)
    degrees = len(gaps) - 1
    error = float(gaps.std(ddof=1) / np.sqrt(len(gaps)))
    mean = float(gaps.mean())
    reach = float(stats.t.ppf((1 + LEVEL) / 2, degrees)) * error
    # Without any spread (error 0) the sign alone decides, as the limit of t does.
    statistic = mean / error if error > 0 else np.copysign(np.inf, mean) if mean else -np.inf
    return Difference(
        of=of,
        against=against,
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        p_value=float(stats.t.sf(statistic, degrees)),
        detectable=reach + float(stats.t.ppf(0.8, degrees)) * error,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (Scandinavian Journal of Statistics 6, 1979), in input order."""
    order = np.argsort(p_values)
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = worst
    return adjusted


def decide(
    candidates: Mapping[str, Sequence[float]],
    baselines: Mapping[str, Sequence[float]],
    untrained: Sequence[float],
) -> Verdict:
    """The verdict on confirmed scores, one per seed, the same seeds everywhere.

    Args:
        candidates: the search's winners by name.
        baselines: the confirmed baselines by name.
        untrained: the untrained encoder.
    """
    floor = [paired_difference(b, UNTRAINED, s, untrained) for b, s in baselines.items()]
    against = {
        c: [paired_difference(c, b, scores, baselines[b]) for b in baselines]
        for c, scores in candidates.items()
    }
    above = {c: paired_difference(c, UNTRAINED, s, untrained) for c, s in candidates.items()}
    differences = (*(d for found in against.values() for d in found), *above.values(), *floor)
    best = max(candidates, key=lambda c: float(np.mean(candidates[c])))
    rival = max(baselines, key=lambda b: float(np.mean(baselines[b])))
    gap = next(d for d in against[best] if d.against == rival)
    # Better than every baseline: the hardest of the comparisons decides for each candidate.
    hardest = {c: max(d.p_value for d in found) for c, found in against.items()}
    adjusted = dict(zip(hardest, holm(list(hardest.values())), strict=True))
    proven = [c for c, p in adjusted.items() if p <= (1 - LEVEL) / 2 and above[c].low > 0]

    def verdict(code: Code, recommended: str, sentence: str, advice: str) -> Verdict:
        return Verdict(
            code=code,
            sentence=sentence,
            advice=advice,
            recommended=recommended,
            differences=differences,
        )

    if not proven and not any(d.low > 0 for d in floor):
        return verdict(
            "measures_nothing",
            rival,
            "This budget measures nothing here: after pretraining, no baseline is better than the "
            "untrained encoder.",
            "Give trials more optimiser steps (pretrain.steps), larger images or more images; do "
            "not use these rankings.",
        )
    if proven:
        chosen = max(proven, key=lambda c: float(np.mean(candidates[c])))
        gap = min(against[chosen], key=lambda d: d.mean)
        return verdict(
            "better",
            chosen,
            f"{chosen} is better than every baseline: {_points(gap.mean)} points above "
            f"{gap.against} (95 % interval {_points(gap.low)} to {_points(gap.high)}).",
            "Use policy.yaml for full pretraining.",
        )
    if gap.high < 0:
        return verdict(
            "worse",
            rival,
            f"The search found nothing as good as the baseline {rival}: {best} is "
            f"{_points(-gap.mean, sign=False)} points below it (95 % interval {_points(gap.low)} "
            f"to {_points(gap.high)}).",
            f"Use {rival} (it is in policy.yaml), or search on with more trials.",
        )
    if gap.low > -MARGIN and gap.high < MARGIN:
        return verdict(
            "as_good",
            best,
            f"{best} is as good as the best baseline, {rival}: the difference is "
            f"{_points(gap.mean)} points (95 % interval {_points(gap.low)} to "
            f"{_points(gap.high)}).",
            "Use either; a longer search is unlikely to gain more than "
            f"{_points(gap.high, sign=False)} points with this space.",
        )
    alone = (
        f" That interval is of this one comparison; among the {len(candidates)} policies confirmed "
        "it may be chance."
        if gap.low > 0
        else ""
    )
    return verdict(
        "indistinguishable",
        best,
        f"No policy is distinguishable: {best} against {rival} is {_points(gap.mean)} points "
        f"(95 % interval {_points(gap.low)} to {_points(gap.high)}).{alone} Only a gain of about "
        f"{_points(gap.detectable, sign=False)} points or more would have been seen.",
        "Confirm with more seeds (confirm.seeds) or more labels, or search longer.",
    )


def _points(share: float, *, sign: bool = True) -> str:
    return f"{100 * share:+.1f}" if sign else f"{100 * share:.1f}"
