"""A judgement in words: what was found, what to do, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from augsearch.augment.baselines import BASELINES
from augsearch.search.confirm.judgement import Judgement
from augsearch.search.confirm.race import Gap, Race
from augsearch.search.confirm.verdict import Code
from augsearch.stats.scored_images import ScoredImages
from augsearch.words import counted, listed, percent, points

OTHER_SEEDS = "other seeds, each with its own labels"
"""What every interval covers; without labels seeds alone."""
NAMED = {
    "SimCLR s=0.5": "SimCLR at colour strength 0.5",
    "SimCLR s=1": "SimCLR at colour strength 1",
}
"""Baselines whose short names say little to who has not read the paper."""


@dataclass(frozen=True)
class Words:
    """A verdict for people; `Verdict` says what each is."""

    sentence: str
    advice: str
    basis: str


def in_words(found: Judgement, race: Race, images: ScoredImages | None) -> Words:
    """A judgement on a race.

    Args:
        images: the test images where scores are means over them.
    """
    sentence, advice = _said(found, race, images)
    if found.chosen not in found.barred:
        advice += "".join(f" {name} is left out: {why}" for name, why in found.barred.items())
    allowed = images if images is not None and found.gap.estimate.images else None
    basis = " ".join(filter(None, [_others(found), _basis(race, found, allowed)]))
    return Words(sentence, advice, basis)


def _said(found: Judgement, race: Race, images: ScoredImages | None) -> tuple[str, str]:
    """What was found, and what to do next."""
    gap = found.gap
    rival, (low, high) = plain(gap.against), gap.interval
    difference = f"{points(100 * gap.estimate.mean)} points ({_interval(low, high)})"
    reach = _reach(found, race, images)
    code: Code = found.code
    match code:
        case "measures_nothing" | "as_they_are":
            return _nothing_gained(found, race, difference)
        case "breaks_limit":
            return (
                f"{reach} The difference is {difference}, but no policy was found that spares "
                f"every class. {found.barred[found.chosen]}",
                f"Use {rival}, which is in policy.yaml. Or search on with more trials, or raise "
                "search.class_loss if that class may lose more.",
            )
        case "better":
            return (
                f"{reach} The gain is {percent(gap.estimate.mean)} points "
                f"({_interval(low, high, sign=False)}).",
                "Use the policy found here, which is in policy.yaml.",
            )
        case "worse":
            return (
                f"{reach} The search found nothing as good: the difference is {difference}.",
                f"Use {rival}, which is in policy.yaml, or search on with more trials.",
            )
        case "as_good":
            return (
                f"{reach} They are equally good: the difference is {difference}.",
                f"Use either. The policy found here is in policy.yaml; it gains {percent(high)} "
                "points at most.",
            )
        case "indistinguishable":
            higher = "the policy found here" if found.recommended == found.chosen else rival
            return (
                f"{reach} Which is better is still open: the difference is {difference}.",
                "Confirm with more seeds (confirm.max_seeds, confirm.share) or more labelled "
                f"images, or search longer. Until then policy.yaml is {higher}, which has the "
                "higher mean.",
            )


def _nothing_gained(found: Judgement, race: Race, difference: str) -> tuple[str, str]:
    """The same where no policy is worth using."""
    if found.code == "measures_nothing":
        return (
            "At this budget nothing can be told: after pretraining, no baseline is shown to be "
            "better than an encoder without any training.",
            "Give trials more optimiser steps (pretrain.steps), larger images or more images. Do "
            "not use these rankings.",
        )
    ours, theirs = _paired(race, found.gap)
    return (
        f"The pretrained weights as they are reach {percent(theirs)} %. Trained further under the "
        f"policy found here, they reach {percent(ours)} %: the difference is {difference}. Under "
        "no baseline is further training shown to help.",
        "Use the pretrained features as they are, or spend the effort on labels. To search on, "
        "adapt otherwise first (pretrain.learning_rate, encoder.frozen_stages, pretrain.steps).",
    )


def plain(name: str) -> str:
    """A policy's name for who has not read the paper."""
    return NAMED.get(name, name)


def _reach(found: Judgement, race: Race, images: ScoredImages | None) -> str:
    """What both reach on the seeds that they share, and what guessing gives."""
    ours, theirs = _paired(race, found.gap)
    kind = "published" if set(race.baselines) <= set(BASELINES) else "baseline"
    many = len(race.baselines)
    what = {
        ("published", True): f"the best of {many} published policies confirmed",
        ("published", False): "the published policy confirmed",
        ("baseline", True): f"the best of {many} baselines confirmed",
        ("baseline", False): "the baseline confirmed",
    }[kind, many > 1]
    guess = "" if images is None else f", guessing {percent(guessing(images))} %"
    return (
        f"The policy found here reaches {percent(ours)} %, {plain(found.gap.against)} ({what}) "
        f"{percent(theirs)} %{guess}."
    )


def guessing(images: ScoredImages) -> float:
    """The score of who always says the same class, the most frequent one."""
    _, counts = np.unique(images.labels, return_counts=True)
    return 1 / len(counts) if images.by_class else float(counts.max() / counts.sum())


def _paired(race: Race, gap: Gap) -> tuple[float, float]:
    """Mean scores of both sides of a comparison, over the seeds that it is made of."""
    ours, theirs = (
        float(np.mean([reading.score for reading in race.readings[name][: gap.seeds]]))
        for name in (gap.of, gap.against)
    )
    return ours, theirs


def _interval(low: float, high: float, *, sign: bool = True) -> str:
    ends = [points(100 * end) if sign else percent(end) for end in (low, high)]
    return f"95 % interval {ends[0]} to {ends[1]}"


def _others(found: Judgement) -> str:
    """Which policy it is, and the comparisons that the sentence leaves out."""
    others = [
        f"{points(100 * one.estimate.mean)} points against {plain(one.against)}"
        for one in found.others
        if one.against != found.gap.against
    ]
    more = f": {listed(others)}" if others else ""
    return f"The policy found here is {found.chosen}{more}."


def _basis(race: Race, found: Judgement, images: ScoredImages | None) -> str:
    """What the intervals hold for; `images` if they allow for others."""
    looks = listed([str(look.seeds) for look in race.looks])
    sample = (
        f"{OTHER_SEEDS}, and other test images (here {len(images.labels)})"
        if images
        else f"{OTHER_SEEDS}, on these same test images; with other images the difference may lie "
        "outside it"
    )
    single = int((images.units == 1).sum()) if images else 0
    alone = (
        f" {counted(single, 'class has', 'classes have')} a single sealed image or group. It "
        "cannot show how far images differ, so the spread of the other classes is used."
        if single
        else ""
    )
    candidates = len(race.candidates)
    taken = (
        f", with {counted(candidates, 'candidate')} and {counted(len(race.looks), 'look')} taken "
        "into account"
        if len(race.looks) * candidates > 1
        else ""
    )
    # Without any spread there is no saying what would have been seen.
    seen = (
        f" A true gain of {percent(found.detectable)} points over one policy would have been seen "
        "4 times in 5."
        if found.detectable > 0
        else ""
    )
    return f"Judged after {looks} fresh seeds. The interval covers {sample}{taken}.{alone}{seen}"
