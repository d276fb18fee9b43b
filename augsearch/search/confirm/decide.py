"""From a finished race to a verdict. No training, no stores."""

from __future__ import annotations

from collections.abc import Mapping

from augsearch.search.confirm.judgement import judge, of_gap
from augsearch.search.confirm.race import Race
from augsearch.search.confirm.verdict import Looked, Verdict
from augsearch.search.confirm.words import in_words
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
    words = in_words(found, race, images)
    allowed = len(images.labels) if images is not None and found.gap.estimate.images else 0
    return Verdict(
        code=found.code,
        sentence=words.sentence,
        advice=words.advice,
        basis=words.basis,
        recommended=found.recommended,
        detectable=found.detectable,
        seeds={name: len(readings) for name, readings in race.readings.items()},
        looks=tuple(Looked(seeds=look.seeds, alpha=look.alpha) for look in race.looks),
        test_images=allowed,
        differences=(*(of_gap(gap) for gap in race.gaps.values()), *found.floor),
    )
