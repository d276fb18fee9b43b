"""What follows from a finished race: which policy to use, and why. Numbers in, no words out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from augsearch.search.confirm.race import MARGIN, Gap, Race
from augsearch.search.confirm.verdict import Code, Difference
from augsearch.stats.crossed import MeanEstimate, estimate_difference
from augsearch.stats.scored_images import ScoredImages


@dataclass(frozen=True)
class Judgement:
    """The decision on a race.

    Attributes:
        chosen: the candidate that stands for the search.
        gap: the comparison that decides: `chosen` against the baseline that is hardest for it, or
            against the floor where nothing is shown to be above a frozen encoder.
        others: its comparisons with the other baselines, the smallest gain first, and with a
            frozen encoder.
        recommended: the policy to use.
        barred: candidates that break the limit on classes, each with a sentence that says how.
        floor: every baseline against the encoder without training.
    """

    code: Code
    chosen: str
    gap: Gap
    others: tuple[Gap, ...]
    recommended: str
    barred: Mapping[str, str]
    floor: tuple[Difference, ...]

    @property
    def detectable(self) -> float:
        """Smallest true gain that the deciding comparison would have shown."""
        return self.gap.estimate.detectable(self.gap.alpha)


def judge(
    race: Race, images: ScoredImages | None, barred: Mapping[str, str], *, frozen: bool = False
) -> Judgement:
    """The decision on a race.

    Args:
        images: what the race was given.
        barred: candidates that break the limit on classes; they are recommended in no case, and
            spoken of where there is no other.
        frozen: the floor is an encoder of pretrained weights, which can be used as it is.
    """
    floor = tuple(_above_floor(race, images, baseline) for baseline in race.baselines)
    against = {c: [race.gaps[c, b] for b in race.baselines] for c in race.candidates}
    hardest = {c: min(gaps, key=lambda gap: gap.estimate.mean) for c, gaps in against.items()}
    eligible = [c for c in race.candidates if c not in barred] or race.candidates
    proven = [c for c in race.proven if c in eligible]
    best = max(eligible, key=lambda c: hardest[c].estimate.mean)
    chosen = max(proven, key=lambda c: hardest[c].estimate.mean, default=best)
    behind = [rival for rival in against[chosen] if rival.interval[1] < 0]
    gap = min(behind, key=lambda rival: rival.estimate.mean) if behind else hardest[chosen]
    high, rival = gap.interval[1], gap.against
    equal = high < MARGIN and all(rival.interval[0] > -MARGIN for rival in against[chosen])
    code: Code
    if not proven and not any(difference.low > 0 for difference in floor):
        code = "as_they_are" if frozen else "measures_nothing"
        recommended = max(race.baselines, key=lambda b: _mean_score(race, b))
        if frozen:
            gap = race.gaps[chosen, race.floor]
    elif chosen in barred and high >= 0:
        code, recommended = "breaks_limit", rival
    elif proven:
        code, recommended = "better", chosen
    elif high < 0:
        code, recommended = "worse", rival
    elif equal:
        code, recommended = "as_good", chosen
    else:
        code = "indistinguishable"
        recommended = chosen if gap.estimate.mean >= 0 else rival
    others = sorted(against[chosen], key=lambda gap: gap.estimate.mean)[1:]
    return Judgement(
        code=code,
        chosen=chosen,
        gap=gap,
        others=(*others, race.gaps[chosen, race.floor]) if frozen else tuple(others),
        recommended=recommended,
        barred=barred,
        floor=floor,
    )


def _above_floor(race: Race, images: ScoredImages | None, baseline: str) -> Difference:
    ours = race.readings[baseline]
    estimate = estimate_difference(ours, race.readings[race.floor][: len(ours)], images)
    # Something is measured if some baseline is better, at whichever look the race ends: each
    # baseline has its share of what that look may spend.
    alpha = race.looks[-1].alpha / len(race.baselines)
    ends = estimate.interval(1 - 2 * alpha)
    return _difference(baseline, race.floor, estimate, ends, alpha, len(ours))


def of_gap(gap: Gap) -> Difference:
    """A comparison as it is kept."""
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
