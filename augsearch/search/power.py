"""What a confirmation will be able to see, before anything has run."""

from __future__ import annotations

import math

import numpy as np

from augsearch.search.bench import Bench
from augsearch.search.confirm import race_plan, scored_images
from augsearch.search.crossed import MeanEstimate, Parts, ScoredImages
from augsearch.search.race import ALPHA

SEEDS_SD, IMAGES_SD, REST_SD = 0.019, 0.06, 0.091
"""Standard deviations of the difference of two policies, as measured on the embedded surfaces
(benchmarks/verdict.py, "difference of real policies"): of the effects of seeds, of groups of
images, and of what neither explains."""
USUAL_DRAWS = 20
"""Label draws in that measurement."""


def smallest_gain(images: ScoredImages, seeds: int, candidates: int) -> float:
    """The gain that a confirmation sees with 80 % power, in [0, 1].

    Args:
        images: the sealed test images.
        seeds: of each policy.
        candidates: policies that are confirmed, among which errors are shared.
    """
    # What neither explains is for the most part that of the label draws.
    rest = REST_SD**2 * images.concentration * max(1.0, USUAL_DRAWS / images.draws) / seeds
    parts = Parts(
        by_seed=SEEDS_SD**2 / seeds + rest,
        by_image=IMAGES_SD**2 * images.concentration + rest,
        rest=rest,
    )
    if images.degrees < 1:  # too few groups for an interval that allows for other images
        alone = MeanEstimate(0.0, math.sqrt(parts.by_seed), seeds - 1, images=False)
        return alone.detectable(ALPHA / candidates)
    return parts.estimate(0.0, seeds, images).detectable(ALPHA / candidates)


def power_sentences(bench: Bench) -> tuple[str, ...]:
    """What the study will not see, and why no seeds will be added if none can be."""
    plan, config = race_plan(bench.config), bench.config.confirm
    racing = plan.top + plan.baselines
    reach = min(plan.max_seeds, max(plan.seeds, plan.runs // racing))
    seeds = f"{plan.seeds} to {reach}" if reach > plan.seeds else str(plan.seeds)
    sentences = []
    if images := scored_images(bench):
        fewest = int(np.bincount(images.labels).min())
        one_image = 1 / (fewest * len(np.unique(images.labels))) if fewest else 1.0
        gain = max(smallest_gain(images, reach, plan.top), one_image)
        sentences.append(
            f"with {len(images.labels)} sealed test images (the rarest class has {fewest}), "
            f"{images.draws} draws of {bench.config.evaluate.labels_per_class} labels a class and "
            f"{seeds} fresh seeds, gains below about {100 * gain:.1f} points may well be missed "
            "(if policies vary as on the embedded surfaces: docs/verdict.md)"
        )
    first = racing * plan.seeds * config.steps
    share = first / (first + bench.config.search_steps)
    if share > config.share:
        sentences.append(
            f"the confirmation's first {plan.seeds} seeds take {100 * share:.0f} % of all expected "
            f"steps, more than confirm.share ({100 * config.share:.0f} %): they are run all the "
            "same, and no seeds are added; more trials or fewer confirm.steps leave room"
        )
    return tuple(sentences)
