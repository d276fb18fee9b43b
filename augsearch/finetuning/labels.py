"""Which labelled images are learnt from, and in which parts they are held out."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import label_draws
from augsearch.errors import DataError

Rows = NDArray[np.int64]


def labelled_rows(pool: ImageSet, wanted: int | str, seed: int) -> Rows:
    """Sorted rows of the pool that are learnt from: as many of each class, or all.

    Raises:
        DataError: fewer than two classes have labels.
    """
    known = np.flatnonzero(pool.labels >= 0)
    present = np.unique(pool.labels[known])
    if len(present) < 2:
        raise DataError(
            f"a classifier needs labels of at least two classes, found {len(present)}; sort some "
            "images into a folder for each class, or list them in labels.csv"
        )
    if wanted == "all":
        return known
    each = int(wanted) if isinstance(wanted, int) else _on_average(pool, float(wanted[:-1]) / 100)
    (draw,) = label_draws(
        pool.labels,
        pool.groups,
        np.arange(len(pool)),
        labels_per_class=each,
        draws=1,
        seed=seed,
        score_on=known,
        pictures=pool.pictures,
        classes=pool.classes,
    )
    return draw.fit


def _on_average(pool: ImageSet, share: float) -> int:
    counts = np.bincount(pool.labelled_pictures, minlength=len(pool.classes))
    return max(1, round(share * float(counts[counts > 0].mean())))


def set_apart(pool: ImageSet, rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """The rows in two parts, whole groups in each: what is learnt from, of every class, and about
    this share of them, of about the same classes; none if a class has a single group."""
    labels = pool.labels[rows]
    for part in folds_of(pool, rows, round(1 / share), seed):
        rest = rows[~np.isin(rows, part)]
        if np.isin(labels, pool.labels[rest]).all():
            return rest, part
    return rows, rows[:0]


def folds_of(pool: ImageSet, rows: Rows, folds: int, seed: int) -> tuple[Rows, ...]:
    """The rows in parts of about the same classes, whole groups in each; none if a class has a
    single group, which cannot be held out and learnt from."""
    labels, groups = pool.labels[rows], pool.groups[rows]
    least = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    if least < 2:
        return ()
    parts = StratifiedGroupKFold(min(folds, least), shuffle=True, random_state=seed)
    with warnings.catch_warnings(action="ignore"):  # of classes that some part lacks
        return tuple(rows[held] for _, held in parts.split(rows, labels, groups))
