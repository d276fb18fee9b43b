"""What is lost when another classifier, or another form of one, takes a classifier's place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from augsearch.finetuning.labels import Rows
from augsearch.finetuning.result import Loss
from augsearch.stats.paired import loss_of


def losses(
    before: Rows, after: Rows, labels: Rows, groups: Rows, classes: Sequence[str]
) -> tuple[Loss | None, dict[str, Loss]]:
    """Of right guesses: overall, and of each class that has a picture.

    Args:
        before, after: `[n]` the guesses of the one and of the other.
        labels, groups: `[n]` of the pictures.
    """
    was, is_now = before == labels, after == labels

    def of(chosen: NDArray[np.bool_]) -> Loss | None:
        found = loss_of(was[chosen], is_now[chosen], groups[chosen])
        return None if found is None else Loss(value=found.value, high=found.high, of=found.of)

    each = {name: of(labels == place) for place, name in enumerate(classes)}
    return of(labels >= 0), {name: loss for name, loss in each.items() if loss is not None}
