"""What a policy gives to each class, or takes from it, and how sure that is. Pure numbers.

A class has fewer images than the test, and there are many classes: the one that seems to lose most
is chosen by chance as well. So each interval is over seeds and over that class's images, and all
of them hold together (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from augsearch.search.crossed import (
    MeanEstimate,
    Reading,
    ScoredImages,
    usual_unit_variance,
    variance_parts,
)
from augsearch.search.moderated import moderated_means

TOGETHER = 0.95
"""Share of studies in which the intervals of all classes hold."""


def class_differences(
    readings: Sequence[Reading], reference: Sequence[Reading], images: ScoredImages
) -> dict[int, MeanEstimate]:
    """Differences of recall by class number, paired by seed and by image; empty if hits are
    unknown, if there are fewer than two seeds, or if no class has two images.

    The variance over seeds of one class learns from the others (`moderated`).
    """
    ours, theirs = images.shares(readings), images.shares(reference)
    if ours is None or theirs is None or len(ours) < 2 or len(ours) != len(theirs):
        return {}
    values = ours - theirs
    classes = images.classes
    if not any(own.measurable for own in classes.values()):
        return {}
    least = usual_unit_variance(values, images)
    rows = np.stack([values[:, images.labels == label].mean(axis=1) for label in classes])
    return {
        label: variance_parts(
            row,
            values[:, images.labels == label],
            own,
            seed_part=(over_seeds.error**2, over_seeds.degrees),
            least=least,
        ).estimate(over_seeds.mean)
        for (label, own), row, over_seeds in zip(
            classes.items(), rows, moderated_means(rows), strict=True
        )
    }


def level_of_each(classes: int, choices: int = 1) -> float:
    """The level of one class's interval, so that those of all hold together.

    Args:
        choices: policies of which the best was taken for either side of the comparison.
    """
    return 1 - (1 - TOGETHER) / (max(classes, 1) * max(choices, 1))
