"""What may spoil a study on these images, said before hours are spent on them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augsearch.data.config import DataConfig
from augsearch.data.detail import detail_warning
from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import TEST_FRACTION

FEW_LABELS = 5
UNBALANCED = 20
SHOWN = 5
FEW_LEVELS, OFTEN = 16, 0.1  # grey levels, and the share of pictures from which on it is said
LOOKED_AT = 400
CLASSES_SHOWN = 30


def data_warnings(
    image_set: ImageSet, config: DataConfig, labels_per_class: int, *, root: Path | None = None
) -> tuple[str, ...]:
    """Sentences on labels, pictures and image size; `root` is where the files lie, if anywhere."""
    detail = None if root is None else detail_warning(root, image_set.paths, config)
    return (
        *label_warnings(image_set, labels_per_class),
        *filter(None, (levels_warning(image_set), detail)),
    )


def levels_warning(image_set: ImageSet) -> str | None:
    """A sentence if many pictures hold hardly any grey levels, else None; asks `LOOKED_AT`."""
    count = len(image_set)
    rows = np.unique(np.linspace(0, count - 1, min(LOOKED_AT, count)).astype(int)).tolist()
    few = [row for row in rows if len(np.unique(image_set.images[row])) < FEW_LEVELS]
    if not few or len(few) < OFTEN * len(rows):
        return None
    return (
        f"{len(few) / len(rows):.0%} of the pictures hold fewer than {FEW_LEVELS} grey levels "
        f"(such as {image_set.paths[few[0]]}): features can hardly tell them apart; for files of "
        "more than 8 bits set data.window, else look at the files"
    )


def pool_warnings(pool: int, batch_size: int, steps: int) -> tuple[str, ...]:
    """Sentences on a batch or a training that does not fit the `pool` images to train on."""
    warnings = []
    if batch_size > pool:
        warnings.append(
            f"pretrain.batch_size {batch_size} is larger than the {pool} images to train on: every "
            f"step takes all {pool}, so there are fewer negatives"
        )
    if steps * batch_size < pool:
        warnings.append(
            f"pretrain.steps {steps} of {batch_size} images see {steps * batch_size} of the {pool} "
            f"images to train on; {-(-pool // batch_size)} steps see each once"
        )
    return tuple(warnings)


def classes_in_words(image_set: ImageSet, sealed: NDArray[np.int64]) -> str:
    """The classes with their numbers of pictures, and how many of all are in the rows `sealed`."""
    test = len(image_set.one_each(sealed))
    counts = np.bincount(image_set.labelled_pictures, minlength=len(image_set.classes)).tolist()
    named = dict(zip(image_set.classes, counts, strict=True))
    parts = [f"classes: {_listed(named, CLASSES_SHOWN)}"] if named else []
    if len(named) > CLASSES_SHOWN:
        parts[0] += f" ({len(named)} in all)"
    without = len(image_set.one_each(np.flatnonzero(image_set.labels < 0)))
    if without:
        parts.append(f"without a label: {without}")
    own = "as the files say" if "test" in image_set.fixed_split else "drawn"
    cut = "" if image_set.pictures is None else f", cut into {len(image_set)} tiles"
    return "; ".join([*parts, f"sealed test: {test} images, {own}{cut}"])


def label_warnings(image_set: ImageSet, labels_per_class: int) -> tuple[str, ...]:
    """Sentences on classes with few labels and on very unequal classes; empty if all is well.

    Of a class, `labels_per_class` and as many to score them by must be left when the test is
    sealed.
    """
    counts = np.bincount(image_set.labelled_pictures, minlength=len(image_set.classes)).tolist()
    if not counts:
        return ("no image has a label: only label-free scores can be computed",)
    named = dict(zip(image_set.classes, counts, strict=True))
    warnings = []
    scarce = {name: count for name, count in named.items() if count < FEW_LABELS}
    own = np.asarray(image_set.fixed_split) == "test"
    least = math.ceil(2 * labels_per_class / (1 if own.any() else 1 - TEST_FRACTION))
    outside = image_set.one_each(np.flatnonzero((image_set.labels >= 0) & ~own))
    left = np.bincount(image_set.labels[outside], minlength=len(image_set.classes)).tolist()
    short = {
        name: count
        for name, count in zip(image_set.classes, left, strict=True)
        if named[name] >= FEW_LABELS and count < least
    }
    if scarce:
        warnings.append(
            f"classes with fewer than {FEW_LABELS} labelled images, too few for a useful score: "
            f"{_listed(scarce)}"
        )
    if short:
        which = (
            "that you did not put into the test" if own.any() else "of which a quarter is sealed"
        )
        warnings.append(
            f"classes with fewer than {least} labelled images {which}, too few to train a probe on "
            f"{labels_per_class} and score it on as many, so it learns from half: {_listed(short)}"
        )
    most, fewest = max(counts), min(counts)
    if most > UNBALANCED * fewest:
        largest, smallest = (
            image_set.classes[counts.index(most)],
            image_set.classes[counts.index(fewest)],
        )
        warnings.append(
            f"classes are very unequal: {largest} has {most} labelled images, {smallest} {fewest}; "
            "prefer balanced accuracy and look at each class"
        )
    return tuple(warnings)


def _listed(counts: dict[str, int], most: int = SHOWN) -> str:
    shown = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:most])
    return shown + (", …" if len(counts) > most else "")
