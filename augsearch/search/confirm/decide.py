"""From a finished race to a verdict in words. No training, no stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from augsearch.search.confirm.judgement import Judgement, judge, of_gap
from augsearch.search.confirm.race import Race
from augsearch.search.confirm.verdict import Looked, Verdict
from augsearch.stats.scored_images import ScoredImages


def decide(
    race: Race,
    images: ScoredImages | None,
    barred: Mapping[str, str] | None = None,
    *,
    frozen: bool = False,
) -> Verdict:
    """The verdict on a race; see `judge`."""
    found = judge(race, images, barred or {}, frozen=frozen)
    sentence, advice = _in_words(found)
    if found.chosen not in found.barred:
        advice += "".join(f" {name} is left out: {why}" for name, why in found.barred.items())
    allowed = len(images.labels) if images is not None and found.gap.estimate.images else 0
    return Verdict(
        code=found.code,
        sentence=sentence,
        advice=advice,
        basis=_basis(race, found.detectable, images if allowed else None),
        recommended=found.recommended,
        detectable=found.detectable,
        seeds={name: len(readings) for name, readings in race.readings.items()},
        looks=tuple(Looked(seeds=look.seeds, alpha=look.alpha) for look in race.looks),
        test_images=allowed,
        differences=(*(of_gap(gap) for gap in race.gaps.values()), *found.floor),
    )


def _in_words(found: Judgement) -> tuple[str, str]:
    """What was found, and what to do next."""
    chosen, rival, mean = found.chosen, found.gap.against, found.gap.estimate.mean
    low, high = found.gap.interval
    between = f"95 % interval {_points(low)} to {_points(high)}"
    match found.code:
        case "measures_nothing" | "as_they_are":
            return _nothing_gained(found)
        case "breaks_limit":
            return (
                f"The search found no policy that spares every class: {chosen} is {_points(mean)} "
                f"points against the baseline {rival} ({between}). {found.barred[chosen]}",
                f"Use {rival} (it is in policy.yaml), search on with more trials, or raise "
                "search.class_loss if that class may lose more.",
            )
        case "better":
            others = "".join(
                f", {_points(other.estimate.mean)} above {other.against}" for other in found.others
            )
            return (
                f"{chosen} is better than every baseline confirmed: {_points(mean)} points above "
                f"{rival} ({between}){others}.",
                "Use policy.yaml for full pretraining.",
            )
        case "worse":
            return (
                f"The search found nothing as good as the baseline {rival}: {chosen} is "
                f"{_points(-mean, sign=False)} points below it ({between}).",
                f"Use {rival} (it is in policy.yaml), or search on with more trials.",
            )
        case "as_good":
            return (
                f"{chosen} is as good as the best baseline, {rival}: the difference is "
                f"{_points(mean)} points ({between}).",
                f"Use either: {chosen} gains {_points(high, sign=False)} points at most.",
            )
        case "indistinguishable":
            return (
                f"No policy is distinguishable: {chosen} against {rival} is {_points(mean)} points "
                f"({between}).",
                "Confirm with more seeds (confirm.max_seeds, confirm.share) or more labelled "
                "images, or search longer. Until then policy.yaml is "
                f"{found.recommended}, which has the higher mean.",
            )


def _nothing_gained(found: Judgement) -> tuple[str, str]:
    """The same where no policy is worth using."""
    if found.code == "measures_nothing":
        return (
            "This budget measures nothing here: after pretraining, no baseline is shown to be "
            "better than the untrained encoder.",
            "Give trials more optimiser steps (pretrain.steps), larger images or more images; "
            "do not use these rankings.",
        )
    low, high = found.gap.interval
    return (
        f"Adapting does not beat the weights as they are: {found.chosen} is "
        f"{_points(found.gap.estimate.mean)} points against the {found.gap.against} (95 % interval "
        f"{_points(low)} to {_points(high)}), and no baseline is shown to be better than that.",
        "Use the pretrained features as they are, or spend the effort on labels. To search on, "
        "adapt otherwise first (pretrain.learning_rate, encoder.frozen_stages, pretrain.steps).",
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


def _points(share: float, *, sign: bool = True) -> str:
    return f"{100 * share:+.1f}" if sign else f"{100 * share:.1f}"
