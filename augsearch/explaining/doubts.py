"""Images that a classifier is least sure of, and labels that may be wrong."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augsearch.explaining.maps.networks import Rows

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
    """Confident learning (Northcutt, Jiang and Chuang 2021) by cleanlab, pruned by noise rate.

    Args:
        probabilities: by networks that have not learnt the label in question.
        labels: `[n]`.
    """
    if len(np.unique(labels)) < 2:
        return Suspected(np.zeros(0, np.int64), np.zeros(0, np.int64))
    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings(action="ignore"):  # of classes with few labels
        places = find_label_issues(
            labels, probabilities, return_indices_ranked_by="normalized_margin", n_jobs=1
        )
    places = np.asarray(places, dtype=np.int64)
    return Suspected(places, np.asarray(probabilities[places].argmax(axis=1)))
