"""Images that a classifier is least sure of, and labels that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augsearch.explaining.networks import Rows

Probabilities = NDArray[np.float64]
"""`[n, K]`, calibrated."""


def entropies(probabilities: Probabilities) -> NDArray[np.float64]:
    """`[n]` in [0, 1]: 1 where all classes are as likely."""
    logarithms = np.log(np.maximum(probabilities, 1e-300))
    found = -(probabilities * logarithms).sum(axis=1) / np.log(probabilities.shape[1])
    return np.asarray(np.clip(found, 0, 1))


def least_sure(probabilities: Probabilities, groups: Rows, most: int) -> Rows:
    """Places of the least sure images, one of each group."""
    order = np.argsort(-entropies(probabilities), kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    return order[np.sort(first)][:most]


@dataclass(frozen=True)
class Suspected:
    """Places of labels that may be wrong, the most doubtful first, and the classes that they may
    be instead."""

    places: Rows
    instead: Rows


def suspected(probabilities: Probabilities, labels: Rows) -> Suspected:
    """Confident learning (Northcutt, Jiang and Chuang 2021): a label is in doubt if the image is
    as likely of another class as images with that class's label are on average, and likeliest of
    that one.

    Args:
        probabilities: by networks that have not learnt the label in question.
        labels: `[n]`.
    """
    count = len(labels)
    usual = np.full(probabilities.shape[1], np.inf)
    for label in np.unique(labels):
        usual[label] = probabilities[labels == label, label].mean()
    likely = np.where(probabilities >= usual, probabilities, -1.0)
    best = likely.argmax(axis=1)
    places = np.flatnonzero((likely.max(axis=1) >= 0) & (best != labels))
    own = probabilities[np.arange(count), labels]
    margin = own[places] - probabilities[places, best[places]]
    places = places[np.argsort(margin, kind="stable")]
    return Suspected(places, best[places])
