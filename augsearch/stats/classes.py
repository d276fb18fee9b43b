"""What a policy gives to each class, or takes from it, and how sure that is. Pure numbers.

A class has fewer images than the test, and there are many classes: the one that seems to lose most
is chosen by chance as well. So each interval is over seeds and over that class's images, and all
of them hold together (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from augsearch.stats.crossed import MeanEstimate, usual_unit_variance, variance_parts
from augsearch.stats.moderated import moderated_means
from augsearch.stats.scored_images import Reading, ScoredImages

SHARED = 2
"""Most that classes add to what is known of the noise of one: much of what a seed does it does to
all of them, so that they tell less together than as many independent rows would."""
Widen = Callable[[MeanEstimate], MeanEstimate]
TOGETHER = 0.95
"""Share of studies in which the intervals of all classes hold."""


def class_differences(
    readings: Sequence[Reading], reference: Sequence[Reading], images: ScoredImages
) -> dict[int, MeanEstimate]:
    """Differences of recall by class number, paired by seed and by image; empty if hits are
    unknown, if there are fewer than two seeds, or if no class has two images.

    The variance over seeds of one class learns from the others (`moderated`).
    """
    widen = over_images_of_class(readings, reference, images)
    if not widen:
        return {}
    ours, theirs = images.shares(readings), images.shares(reference)
    assert ours is not None and theirs is not None
    rows = [(ours - theirs)[:, images.labels == label].mean(axis=1) for label in widen]
    most = SHARED * (len(ours) - 1)
    return {
        label: wide(replace(over_seeds, degrees=min(over_seeds.degrees, most)))
        for (label, wide), over_seeds in zip(
            widen.items(), moderated_means(np.stack(rows)), strict=True
        )
    }


def over_images_of_class(
    readings: Sequence[Reading], reference: Sequence[Reading], images: ScoredImages
) -> dict[int, Widen]:
    """By class number, what makes of the estimate of its difference over seeds one that allows for
    other images of the class; empty as in `class_differences`."""
    ours, theirs = images.shares(readings), images.shares(reference)
    if ours is None or theirs is None or len(ours) < 2 or len(ours) != len(theirs):
        return {}
    if not any(own.measurable for own in images.classes.values()):
        return {}
    values = ours - theirs
    least = usual_unit_variance(values, images)

    def wide(label: int, over_seeds: MeanEstimate) -> MeanEstimate:
        own = values[:, images.labels == label]
        seed_part = over_seeds.error**2, over_seeds.degrees
        parts = variance_parts(own.mean(axis=1), own, images.classes[label], seed_part, least)
        return parts.estimate(over_seeds.mean)

    return {label: partial(wide, label) for label in images.classes}


def level_of_each(classes: int, choices: int = 1) -> float:
    """The level of one class's interval, so that those of all hold together.

    Args:
        choices: policies of which the best was taken for either side of the comparison.
    """
    return 1 - (1 - TOGETHER) / (max(classes, 1) * max(choices, 1))
