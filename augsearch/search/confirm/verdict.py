"""From a finished race to a verdict in words. No training, no stores.

All comparisons are paired by seed and by test image: two policies of one seed share initial
weights, batches and label draws, and all are scored on the same images. `crossed` says how an
interval comes about, `race` what several looks at several candidates cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from augsearch.search.confirm.race import MARGIN, Gap, Race
from augsearch.stats.crossed import MeanEstimate, ScoredImages, estimate_difference

UNTRAINED = "untrained encoder"

Code = Literal[
    "better", "as_good", "indistinguishable", "worse", "breaks_limit", "measures_nothing"
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Difference(_Part):
    """A paired difference of scores with its interval.

    Attributes:
        mean: of the first `seeds` seeds.
        low, high: an interval at the error rates that are left to it: to the lower end by the
            other candidates and looks, to the upper end by the other baselines and looks. That of
            the verdict's sentence holds in 95 % of studies or more.
        p_value: one-sided, for a true difference above 0, of this comparison alone.
        detectable: smallest true gain that this comparison would have shown with 80 % power.
        seeds: both policies had; a policy that left the race has fewer than the others.
    """

    of: str
    against: str
    mean: float
    low: float
    high: float
    p_value: float
    detectable: float
    seeds: int


class Looked(_Part):
    """A look at the race: after how many seeds, and the error rate that it could spend."""

    seeds: int
    alpha: float


class Verdict(_Part):
    """The answer of a study.

    Attributes:
        code: for programs.
        sentence: for people, one or two sentences.
        advice: what to do next.
        basis: what the sentence rests on: seeds, images, looks, smallest gain to be seen.
        recommended: name of the policy to use.
        detectable: smallest true gain that the deciding comparison would have shown.
        seeds: fresh seeds of each policy.
        looks: when the race was looked at.
        test_images: sealed images whose choice the intervals allow for; 0 where they hold for
            other seeds only.
        differences: every comparison behind it.
    """

    code: Code
    sentence: str
    advice: str
    basis: str
    recommended: str
    detectable: float
    seeds: dict[str, int]
    looks: tuple[Looked, ...]
    test_images: int
    differences: tuple[Difference, ...]


def decide(
    race: Race, images: ScoredImages | None, barred: Mapping[str, str] | None = None
) -> Verdict:
    """The verdict on a race.

    Args:
        images: what the race was given.
        barred: candidates that break `search.class_loss`, each with a sentence that says how.
            They are recommended in no case, and spoken of where there is no other.
    """
    barred = barred or {}
    floor = [_above_floor(race, images, baseline) for baseline in race.baselines]
    against = {c: [race.gaps[c, b] for b in race.baselines] for c in race.candidates}
    hardest = {c: min(gaps, key=lambda gap: gap.estimate.mean) for c, gaps in against.items()}
    eligible = [c for c in race.candidates if c not in barred] or race.candidates
    proven = [c for c in race.proven if c in eligible]
    best = max(eligible, key=lambda c: hardest[c].estimate.mean)
    chosen = max(proven, key=lambda c: hardest[c].estimate.mean, default=best)
    gap = hardest[chosen]
    behind = [rival for rival in against[chosen] if rival.interval[1] < 0]
    if behind:
        gap = min(behind, key=lambda rival: rival.estimate.mean)
    mean, (low, high), rival = gap.estimate.mean, gap.interval, gap.against
    between = f"95 % interval {_points(low)} to {_points(high)}"
    equal = high < MARGIN and all(rival.interval[0] > -MARGIN for rival in against[chosen])
    code: Code
    if not proven and not any(difference.low > 0 for difference in floor):
        code = "measures_nothing"
        recommended = max(race.baselines, key=lambda b: _mean_score(race, b))
        sentence = (
            "This budget measures nothing here: after pretraining, no baseline is shown to be "
            "better than the untrained encoder."
        )
        advice = (
            "Give trials more optimiser steps (pretrain.steps), larger images or more images; do "
            "not use these rankings."
        )
    elif chosen in barred and high >= 0:
        code, recommended = "breaks_limit", rival
        sentence = (
            f"The search found no policy that spares every class: {chosen} is {_points(mean)} "
            f"points against the baseline {rival} ({between}). {barred[chosen]}"
        )
        advice = (
            f"Use {rival} (it is in policy.yaml), search on with more trials, or raise "
            "search.class_loss if that class may lose more."
        )
    elif proven:
        code, recommended = "better", chosen
        others = [
            f"{_points(other.estimate.mean)} above {other.against}"
            for other in sorted(against[chosen], key=lambda gap: gap.estimate.mean)[1:]
        ]
        sentence = (
            f"{chosen} is better than every baseline confirmed: {_points(mean)} points above "
            f"{rival} ({between})" + "".join(f", {other}" for other in others) + "."
        )
        advice = "Use policy.yaml for full pretraining."
    elif high < 0:
        code, recommended = "worse", rival
        sentence = (
            f"The search found nothing as good as the baseline {rival}: {chosen} is "
            f"{_points(-mean, sign=False)} points below it ({between})."
        )
        advice = f"Use {rival} (it is in policy.yaml), or search on with more trials."
    elif equal:
        code, recommended = "as_good", chosen
        sentence = (
            f"{chosen} is as good as the best baseline, {rival}: the difference is "
            f"{_points(mean)} points ({between})."
        )
        advice = f"Use either: {chosen} gains {_points(high, sign=False)} points at most."
    else:
        code, recommended = "indistinguishable", chosen if mean >= 0 else rival
        sentence = (
            f"No policy is distinguishable: {chosen} against {rival} is {_points(mean)} points "
            f"({between})."
        )
        advice = (
            "Confirm with more seeds (confirm.max_seeds, confirm.share) or more labelled images, "
            f"or search longer. Until then policy.yaml is {recommended}, which has the higher mean."
        )
    if chosen not in barred:
        advice += "".join(f" {name} is left out: {why}" for name, why in barred.items())
    detectable = gap.estimate.detectable(gap.alpha)
    allowed = len(images.labels) if images is not None and gap.estimate.images else 0
    return Verdict(
        code=code,
        sentence=sentence,
        advice=advice,
        basis=_basis(race, detectable, images if allowed else None),
        recommended=recommended,
        detectable=detectable,
        seeds={name: len(readings) for name, readings in race.readings.items()},
        looks=tuple(Looked(seeds=look.seeds, alpha=look.alpha) for look in race.looks),
        test_images=allowed,
        differences=(*(_of_gap(gap) for gap in race.gaps.values()), *floor),
    )


def _basis(race: Race, detectable: float, images: ScoredImages | None) -> str:
    """In words; `images` if the intervals allow for others."""
    looks = _listed([str(look.seeds) for look in race.looks])
    sample = (
        f"for other seeds, each with labels of its own, and other test images (there are "
        f"{len(images.labels)})"
        if images
        else "for other seeds, each with labels of its own, on these same test images; with other "
        "images the difference may lie outside it"
    )
    single = int((images.units == 1).sum()) if images else 0
    alone = (
        f" {single} class{'es have' if single > 1 else ' has'} a single sealed image or group, "
        "which does not show how far images differ; what the other classes show is taken for it."
        if single
        else ""
    )
    several = len(race.looks) * len(race.candidates) > 1
    counted = (
        f", with {len(race.candidates)} candidates and {len(race.looks)} "
        f"look{'s' if len(race.looks) > 1 else ''} taken into account"
        if several
        else ""
    )
    # Without any spread there is no saying what would have been seen.
    seen = (
        " In this comparison of two policies a true gain of "
        f"{_points(detectable, sign=False)} points would have been seen 4 times in 5."
        if detectable > 0
        else ""
    )
    return f"Judged after {looks} fresh seeds. The interval holds {sample}{counted}.{alone}{seen}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _above_floor(race: Race, images: ScoredImages | None, baseline: str) -> Difference:
    ours = race.readings[baseline]
    estimate = estimate_difference(ours, race.readings[race.floor][: len(ours)], images)
    # Something is measured if some baseline is better, at whichever look the race ends: each
    # baseline has its share of what that look may spend.
    alpha = race.looks[-1].alpha / len(race.baselines)
    ends = estimate.interval(1 - 2 * alpha)
    return _difference(baseline, race.floor, estimate, ends, alpha, len(ours))


def _of_gap(gap: Gap) -> Difference:
    return _difference(gap.of, gap.against, gap.estimate, gap.interval, gap.alpha, gap.seeds)


def _difference(
    of: str,
    against: str,
    estimate: MeanEstimate,
    ends: tuple[float, float],
    alpha: float,
    seeds: int,
) -> Difference:
    low, high = ends
    return Difference(
        of=of,
        against=against,
        mean=estimate.mean,
        low=low,
        high=high,
        p_value=estimate.p_value,
        detectable=estimate.detectable(alpha),
        seeds=seeds,
    )


def _mean_score(race: Race, name: str) -> float:
    return float(np.mean([reading.score for reading in race.readings[name]]))


def _points(share: float, *, sign: bool = True) -> str:
    return f"{100 * share:+.1f}" if sign else f"{100 * share:.1f}"
