"""What one training run showed, and means of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

Scored = Literal["validation", "test"]

MOST_MISTAKES = 50_000
"""That are kept of a run: about 600 kB in the database."""


class Outcome(BaseModel):
    """What one training run showed. Scores lie in [0, 1], times are seconds.

    Attributes:
        score: the number a trial reports: `probe`, or the label-free score that the study names.
        draw_scores: the metric of a few-label probe for each label draw; empty without labels.
        full_probe: the metric of a probe with all labels; None without labels.
        knn: the metric of k nearest neighbours; None without labels.
        class_recall: mean recall of each class over the label draws; empty without labels.
        label_free: scores that need no label by name, higher is better, on images of the same
            side; empty if these are too few.
        hits: how often each labelled image of the side that was scored, in order, was classified
            rightly over the label draws; empty in the search.
        seen: how often each of them was scored; empty if by every draw.
        mistakes: (place of an image, number of another class that it was taken for, how often),
            sorted; only of test images, and None if there are more than `MOST_MISTAKES`.
        curve: (optimiser step, score) at each rung and at the end.
        losses: (optimiser step, NT-Xent loss), thinned.
        steps: optimiser steps trained; 0 for the untrained encoder.
        images_per_second: source images through a training step, two views each.
        seconds: where the time went (`training`, `views`, `probe`, `total`).
        peak_memory_mb: largest resident (CPU) or allocated (CUDA) memory.
    """

    model_config = ConfigDict(frozen=True)

    score: float
    draw_scores: tuple[float, ...]
    full_probe: float | None
    knn: float | None
    class_recall: dict[str, float]
    curve: tuple[tuple[int, float], ...]
    losses: tuple[tuple[int, float], ...]
    steps: int
    images_per_second: float
    seconds: dict[str, float]
    peak_memory_mb: float
    label_free: dict[str, float] = {}
    hits: tuple[int, ...] = ()
    seen: tuple[int, ...] = ()
    mistakes: tuple[tuple[int, int, int], ...] | None = None

    @property
    def probe(self) -> float | None:
        """Mean of `draw_scores`; None without labels."""
        return float(np.mean(self.draw_scores)) if self.draw_scores else None


def mean_recall(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Mean over runs of one policy, without classes that were never scored."""
    labels = outcomes[0].class_recall if outcomes else {}
    found = {
        label: float(np.mean([outcome.class_recall[label] for outcome in outcomes]))
        for label in labels
    }
    return {label: recall for label, recall in found.items() if math.isfinite(recall)}
