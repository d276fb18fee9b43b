"""Calibration and threshold from held-out folds, and the worth of it all on sealed images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from augsearch.data.imageset import ImageSet
from augsearch.finetuning.combine import Held
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.members import Logits
from augsearch.finetuning.prepare import Prepared
from augsearch.finetuning.result import Limit, Part, Sealed
from augsearch.progress import Progress
from augsearch.stats.calibration import expected_calibration_error, fit_temperature, tempered
from augsearch.stats.proportions import Share, fewest_defects, miss_limit, share_of


@dataclass(frozen=True)
class Calibration:
    """What held-out folds say of probabilities; `temperature` is None without any."""

    temperature: float | None
    limit: Limit | None


def calibrate(prepared: Prepared, held: Held | None, progress: Progress) -> Calibration:
    """The temperature, and the threshold if a good class is named."""
    if held is None:
        return Calibration(None, None)
    labels = prepared.pool.images.labels[held.rows]
    temperature = fit_temperature(held.log_probabilities, labels)
    good, rate = prepared.wanted.good, prepared.wanted.miss_rate
    if good is None:
        return Calibration(temperature, None)
    place = prepared.pool.images.classes.index(good)
    defect = labels != place
    scores = lowest_of_each(
        defect_scores(held.log_probabilities, temperature, place)[defect],
        prepared.pool.images.groups[held.rows][defect],
    )
    if prepared.wanted.labels != "all":
        progress.warn(
            "the threshold is for defects that are mixed as the labels are, as many of each class; "
            "with --labels all they are mixed as in the pool"
        )
    found = miss_limit(scores, rate)
    if found is None:
        progress.warn(
            f"--miss-rate {rate:g}: {len(scores)} labelled defects can promise no rate below "
            f"{1 / (len(scores) + 1):.3f}; label at least {fewest_defects(rate)} of them, or ask "
            "for a higher rate"
        )
        return Calibration(temperature, None)
    return Calibration(
        temperature,
        Limit(
            good=good,
            miss_rate=rate,
            threshold=found.threshold,
            expected=found.expected,
            low=found.low,
            high=found.high,
            defects=found.defects,
        ),
    )


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
        more["missed"] = _part(share_of(~stopped[defect], groups[defect]))
        more["false_alarms"] = _part(share_of(stopped[~defect], groups[~defect]))
    return found.model_copy(update=more)


def _part(share: Share | None) -> Part | None:
    return (
        None
        if share is None
        else Part(value=share.value, low=share.low, high=share.high, of=share.of)
    )
