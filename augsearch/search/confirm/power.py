"""What a confirmation will be able to see, before anything has run."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augsearch.bench.bench import Bench
from augsearch.search.confirm.confirmation import scored_images
from augsearch.search.confirm.race import RacePlan, Wanted, run_race
from augsearch.stats.scored_images import FEW_UNITS, Reading, ScoredImages

SEEDS_SD, IMAGES_SD, REST_SD = 0.020, 0.06, 0.091
"""Standard deviations of the difference of two policies, as measured on the embedded surfaces
(benchmarks/claims/verdict.py, "difference of real policies"): of the effects of seeds (1.9 points,
and 0.6 for the labels that each draws anew), of groups of images, and of what neither explains."""
USUAL_DRAWS = 20
"""Label draws in that measurement."""
POWER = 0.8
RACES = 200  # simulated for each gain that is tried
MOST_UNITS = 300  # images that are simulated; more of them are taken for so many steadier ones
MOST_SEEDS = 30
HALVINGS = 8


def smallest_gain(images: ScoredImages, plan: RacePlan) -> float:
    """The gain that a confirmation finds with a probability of `POWER`, in [0, 1].

    Found: the race proves a policy that is better by it. All baselines are taken to be equally
    good, which is hardest, and the other candidates to be as good as these. Races are simulated.
    """
    units = tuple(max(1, round(count)) for count in images.effective_units.tolist())
    rest_sd = REST_SD * math.sqrt(max(1.0, USUAL_DRAWS / images.draws))
    return _smallest_gain(units, images.measurable, rest_sd, plan)


@lru_cache
def _smallest_gain(
    units: tuple[int, ...], allow_for_images: bool, rest_sd: float, plan: RacePlan
) -> float:
    """`units` are those of each class."""
    plan = replace(plan, max_seeds=max(plan.seeds, min(plan.max_seeds, MOST_SEEDS)))
    most = max(FEW_UNITS + 1, MOST_UNITS // len(units))
    simulated = [min(count, most) for count in units]
    labels = np.repeat(np.arange(len(units)), simulated)
    scale = np.sqrt(np.divide(simulated, units))[labels].astype(np.float32)
    shape = (1 + plan.top + plan.baselines, plan.max_seeds, len(labels))
    # Two policies share a difference's variance between them. All gains meet the same noise.
    noise = [
        _effects(np.random.default_rng([0, number]), shape, scale, rest_sd) / math.sqrt(2)
        for number in range(RACES)
    ]
    sample = ScoredImages(
        labels=labels,
        groups=np.arange(len(labels)),
        draws=1,
        by_class=True,
    )
    weight = 1 / (len(units) * np.array(simulated)[labels])

    def is_found_often(gain: float) -> bool:
        missed = 0
        for some in noise:
            known = sample if allow_for_images else None
            missed += not _is_found(gain, some, weight, plan, known)
            if missed > (1 - POWER) * RACES:
                return False
        return True

    low, high = 0.0, 0.5
    for _ in range(HALVINGS):
        gain = (low + high) / 2
        low, high = (low, gain) if is_found_often(gain) else (gain, high)
    return (low + high) / 2


class _Run(NamedTuple):
    score: float
    hits: Any
    seen: tuple[int, ...] = ()


def _is_found(
    gain: float,
    noise: NDArray[np.float32],
    weight: NDArray[np.float64],
    plan: RacePlan,
    sample: ScoredImages | None,
) -> bool:
    """Whether a race proves its first candidate, which is better by `gain` than all others.

    Args:
        noise: `[policies, seeds, images]`: the untrained encoder, candidates, baselines.
        weight: `[images]` of each in the score.
    """
    candidates = [f"candidate {k}" for k in range(plan.top)]
    baselines = [f"baseline {k}" for k in range(plan.baselines)]
    levels = [-1.0, gain, *[0.0] * (len(noise) - 2)]
    tables = dict(
        zip(("floor", *candidates, *baselines), zip(levels, noise, strict=True), strict=True)
    )

    def fetch(wanted: Wanted) -> dict[tuple[str, int], Reading | None]:
        found: dict[tuple[str, int], Reading | None] = {}
        for name, seed in wanted:
            level, rows = tables[name]
            hits = level + rows[seed - 1]
            found[name, seed] = _Run(float(hits @ weight), hits)
        return found

    race = run_race(candidates, baselines, "floor", plan, sample, fetch)
    return race is not None and candidates[0] in race.proven


def _effects(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    scale: NDArray[np.float32],
    rest_sd: float,
) -> NDArray[np.float32]:
    """`[policies, seeds, images]` deviations of differences from their means; `scale` `[images]`
    makes a simulated image as steady as those that it stands for."""
    policies, seeds, images = shape
    by_seed = SEEDS_SD * rng.standard_normal((policies, seeds, 1), dtype=np.float32)
    by_image = IMAGES_SD * scale * rng.standard_normal((policies, 1, images), dtype=np.float32)
    rest = rest_sd * scale * rng.standard_normal(shape, dtype=np.float32)
    return np.asarray(by_seed + by_image + rest)


def detectable_gain(bench: Bench, plan: RacePlan) -> float | None:
    """The gain that a confirmation of this study finds in four cases of five, and not less than
    what one image of the rarest class is worth; None where the score is no mean over images."""
    images = scored_images(bench)
    if images is None:
        return None
    fewest = int(np.bincount(images.labels).min())
    one_image = 1 / (fewest * len(np.unique(images.labels))) if fewest else 1.0
    return max(smallest_gain(images, plan), one_image)


def power_sentences(bench: Bench, plan: RacePlan) -> tuple[str, ...]:
    """What the study will not see, and why no seeds will be added if none can be."""
    config = bench.config.confirm
    racing = plan.top + plan.baselines
    more = min(plan.runs, plan.max_seeds * racing) - racing * plan.seeds
    seeds = f"{plan.seeds} fresh seeds" + (
        f", plus {more} runs where the answer is open" if more > 0 else ""
    )
    rivals = "the baseline" if plan.baselines == 1 else f"all {plan.baselines} baselines"
    sentences = []
    if images := scored_images(bench):
        one_each = bench.image_set.one_each(bench.draws["test"][0].fit)
        fitted = np.bincount(bench.image_set.labels[one_each])
        least, most = int(fitted.min()), int(fitted.max())
        labels = f"{least} to {most}" if least < most else str(most)
        fewest = int(np.bincount(images.labels).min())
        gain = detectable_gain(bench, plan) or 0.0
        sentences.append(
            f"gains of less than about {100 * gain:.1f} points over {rivals} may go unnoticed, "
            f"with {len(images.labels)} sealed test images (the rarest class has {fewest}), "
            f"{images.draws} draws of {labels} labels per class and {seeds} (if policies vary as "
            "on the embedded surfaces: docs/verdict.md)"
        )
    first = racing * plan.seeds * config.steps
    share = first / (first + bench.config.search_steps)
    if share > config.share:
        sentences.append(
            f"the confirmation's first {plan.seeds} seeds take {100 * share:.0f} % of all expected "
            f"steps, more than confirm.share ({100 * config.share:.0f} %): they are run anyway, "
            "but no seeds can be added. More trials or fewer confirm.steps leave room for some"
        )
    return tuple(sentences)
