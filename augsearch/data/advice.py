"""What may spoil a study on these images, said before hours are spent on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from augsearch.data.config import DataConfig
from augsearch.data.detail import detail_warning
from augsearch.data.imageset import ImageSet

FEW_LABELS = 5
UNBALANCED = 20
SHOWN = 5


def data_warnings(
    image_set: ImageSet, config: DataConfig, labels_per_class: int, *, root: Path | None = None
) -> tuple[str, ...]:
    """Sentences on labels and on image size; `root` is where the files lie, if anywhere."""
    detail = None if root is None else detail_warning(root, image_set.paths, config)
    return (*label_warnings(image_set, labels_per_class), *([detail] if detail else []))


def label_warnings(image_set: ImageSet, labels_per_class: int) -> tuple[str, ...]:
    """Sentences on classes with few labels and on very unequal classes; empty if all is well."""
    counts = np.bincount(
        image_set.labels[image_set.labels >= 0], minlength=len(image_set.classes)
    ).tolist()
    if not counts:
        return ("no image has a label: only label-free scores can be computed",)
    named = dict(zip(image_set.classes, counts, strict=True))
    warnings = []
    scarce = {name: count for name, count in named.items() if count < FEW_LABELS}
    short = {
        name: count for name, count in named.items() if FEW_LABELS <= count < 2 * labels_per_class
    }
    if scarce:
        warnings.append(
            f"classes with fewer than {FEW_LABELS} labelled images, on which scores hardly say "
            f"anything: {_listed(scarce)}"
        )
    if short:
        warnings.append(
            f"classes with fewer than {2 * labels_per_class} labelled images cannot give "
            f"{labels_per_class} to a draw and as many to its score: {_listed(short)}"
        )
    most, least = max(counts), min(counts)
    if most > UNBALANCED * least:
        largest, smallest = (
            image_set.classes[counts.index(most)],
            image_set.classes[counts.index(least)],
        )
        warnings.append(
            f"classes are very unequal: {largest} has {most} labelled images, {smallest} {least}; "
            "prefer balanced accuracy and look at each class"
        )
    return tuple(warnings)


def _listed(counts: dict[str, int]) -> str:
    shown = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:SHOWN])
    return shown + (", …" if len(counts) > SHOWN else "")
