"""Calibration, threshold, and the worth of it all on sealed images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from augsearch.data.imageset import ImageSet
from augsearch.finetuning.combine import Held, said
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.members import Logits, State
from augsearch.finetuning.prepare import Prepared
from augsearch.finetuning.result import Limit, Part, Sealed
from augsearch.stats.calibration import expected_calibration_error, fit_temperature, tempered
from augsearch.stats.proportions import Share, miss_limit, share_of


@dataclass(frozen=True)
class Calibration:
    """The temperature by held-out folds, None without any; the threshold, if one is found."""

    temperature: float | None
    limit: Limit | None


def calibrate(prepared: Prepared, held: Held | None, networks: Sequence[State]) -> Calibration:
    """The temperature, and the threshold if images are set apart for it.

    Args:
        networks: that will answer; none has learnt from the images set apart, so that what they
            say of these is what they say of new ones.
    """
    temperature = (
        None
        if held is None
        else fit_temperature(held.log_probabilities, prepared.pool.images.labels[held.rows])
    )
    return Calibration(temperature, find_limit(prepared, networks, temperature or 1.0))


def find_limit(prepared: Prepared, networks: Sequence[State], temperature: float) -> Limit | None:
    """The threshold at a temperature; None if no images are set apart for it, or too few."""
    images, rows = prepared.pool.images, prepared.for_threshold
    good, rate = prepared.wanted.good, prepared.wanted.miss_rate
    if good is None or not len(rows):
        return None
    rows, log_probabilities = said(prepared, networks, images, rows)
    place = images.classes.index(good)
    defect = images.labels[rows] != place
    scores = defect_scores(log_probabilities, temperature, place)[defect]
    found = miss_limit(lowest_of_each(scores, images.groups[rows][defect]), rate)
    return None if found is None else Limit(good=good, miss_rate=rate, **asdict(found))


def lowest_of_each(scores: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """`[parts]` the score of the defect of each part that is missed first: images of one part are
    no independent ones."""
    _, member = np.unique(groups, return_inverse=True)
    lowest = np.full(int(member.max()) + 1 if len(member) else 0, np.inf)
    np.minimum.at(lowest, member, scores)
    return lowest


def defect_scores(log_probabilities: Logits, temperature: float, good: int) -> NDArray[np.float64]:
    """`[n]` one less the probability of the good class."""
    scores: NDArray[np.float64] = 1 - tempered(log_probabilities, temperature)[:, good]
    return scores


def worth(
    prepared: Prepared,
    images: ImageSet,
    rows: Rows,
    log_probabilities: Logits,
    calibration: Calibration,
) -> Sealed:
    """What the classifier is worth on sealed pictures.

    Args:
        rows: `[n]` of `images`, one for each picture.
    """
    labels, groups = images.labels[rows], images.groups[rows]
    guessed = log_probabilities.argmax(axis=1)
    right = guessed == labels
    temperature = calibration.temperature or 1.0
    before = expected_calibration_error(tempered(log_probabilities, 1.0), labels)
    after = expected_calibration_error(tempered(log_probabilities, temperature), labels)
    recall = {
        name: part
        for place, name in enumerate(images.classes)
        if (part := _part(share_of(right[labels == place], groups[labels == place]))) is not None
    }
    accuracy = _part(share_of(right, groups))
    assert accuracy is not None
    table = confusion_matrix(labels, guessed, labels=np.arange(len(images.classes)))
    found = Sealed(
        images=len(rows),
        accuracy=accuracy,
        balanced_accuracy=float(np.mean([part.value for part in recall.values()])),
        recall=recall,
        confusion=tuple(tuple(row) for row in table.tolist()),
        calibration_error_before=before,
        calibration_error=after,
    )
    good = prepared.wanted.good
    if good is None:
        return found
    place = images.classes.index(good)
    defect = labels != place
    called_good = guessed == place
    more = {
        "missed_by_class": _part(share_of(called_good[defect], groups[defect])),
        "false_alarms_by_class": _part(share_of(~called_good[~defect], groups[~defect])),
    }
    if calibration.limit is not None:
        scores = defect_scores(log_probabilities, temperature, place)
        stopped = scores >= calibration.limit.threshold
        parts = lowest_of_each(scores[defect], groups[defect])
        more["missed_parts"] = _part(
            share_of(parts < calibration.limit.threshold, np.arange(len(parts)))
        )
        more["missed"] = _part(share_of(~stopped[defect], groups[defect]))
        more["false_alarms"] = _part(share_of(stopped[~defect], groups[~defect]))
    return found.model_copy(update=more)


def _part(share: Share | None) -> Part | None:
    return (
        None
        if share is None
        else Part(value=share.value, low=share.low, high=share.high, of=share.of)
    )
