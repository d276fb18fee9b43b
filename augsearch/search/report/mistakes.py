"""Which sealed images two confirmed policies have wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from augsearch.pictures.figures import enlarged
from augsearch.report.sections.mistakes import (
    MOST_SHOWN,
    ClassScore,
    Gallery,
    Kind,
    MistakenImage,
    Mistakes,
    Shares,
)
from augsearch.search.confirm.confirmation import sealed_images
from augsearch.search.confirm.failures import Judged
from augsearch.search.report.results import Contender
from augsearch.stats.classes import level_of_each
from augsearch.stats.crossed import usual_unit_variance, variance_parts
from augsearch.stats.proportions import least_share
from augsearch.stats.scored_images import FEW_UNITS, ScoredImages
from augsearch.store.runs import CONFIRMATION
from augsearch.store.study_store import Store
from augsearch.study.setup import Setup

SIDE = 96
"""Pixels of a picture's side."""


def mistakes(
    store: Store, setup: Setup | None, ours: Contender | None, theirs: Contender | None
) -> Mistakes | None:
    """What is wrong under two confirmed policies; None where that is not known."""
    images = sealed_images(setup.bench) if setup else None
    if setup is None or images is None or ours is None or theirs is None:
        return None
    first, second = (
        Judged.of(one.name, store.outcomes_of(CONFIRMATION, one.name), images)
        for one in (ours, theirs)
    )
    return _section(setup, images, first, second) if first and second else None


def _section(setup: Setup, images: ScoredImages, ours: Judged, theirs: Judged) -> Mistakes:
    first, second = ours.confused(images), theirs.confused(images)
    guessing = 1 / len(images.classes)
    return Mistakes(
        ours=ours.name,
        theirs=theirs.name,
        images=len(images.labels),
        right=(int(ours.right.sum()), int(theirs.right.sum())),
        chance=(ours.chance + theirs.chance) / 2,
        guessing=guessing,
        classes=tuple(_classes(images, ours, setup.image_set.classes)),
        shares=None if first is None or second is None else (_rows(first), _rows(second)),
        galleries=tuple(_galleries(setup, ours, theirs, guessing)),
    )


def _rows(matrix: NDArray[np.float64]) -> Shares:
    return tuple(tuple(row) for row in matrix.tolist())


def _classes(images: ScoredImages, ours: Judged, names: Sequence[str]) -> Iterator[ClassScore]:
    """Every class with the lower end of its interval. Of few images the exact one is taken: seeds
    add little to what they leave open, and a t-interval of them holds nearly everything."""
    level = level_of_each(len(images.classes))
    shares = ours.hits / ours.draws
    least = usual_unit_variance(shares, images)
    for label, own_images in images.classes.items():
        own = shares[:, images.labels == label]
        recall, units = float(own.mean()), float(own_images.effective_units[0])
        if units <= FEW_UNITS:
            low = least_share(recall, units, (1 - level) / 2)
        else:
            parts = variance_parts(own.mean(axis=1), own, own_images, least=least)
            low = parts.estimate(recall).interval(level)[0]
        yield ClassScore(names[label], recall, low)


def _galleries(setup: Setup, ours: Judged, theirs: Judged, guessing: float) -> Iterator[Gallery]:
    gap = ours.often - theirs.often
    hopeless = np.concatenate([ours.hits, theirs.hits]).max(axis=0) <= guessing * ours.draws
    kinds: Mapping[Kind, tuple[NDArray[np.bool_], NDArray[np.float64], Judged]] = {
        "gained": (ours.right & ~theirs.right, -gap, theirs),
        "lost": (theirs.right & ~ours.right, gap, ours),
        "never": (hopeless, ours.often, ours),
    }
    rows = setup.bench.scored_rows(setup.bench.split.test)
    for kind, (chosen, order, wrong) in kinds.items():
        found = np.flatnonzero(chosen)
        ranked = found[np.argsort(order[found], kind="stable")][:MOST_SHOWN]
        shown = tuple(_image(setup, int(rows[at]), wrong, at) for at in ranked)
        yield Gallery(kind, len(found), shown)


def _image(setup: Setup, row: int, wrong: Judged, at: int) -> MistakenImage:
    """The image `row` of the set, `at` among the sealed ones, which `wrong` has wrong."""
    image_set = setup.image_set
    png = b""
    if image_set.pictures is None:  # else the row is a tile, which may show nothing of its class
        buffer = io.BytesIO()
        enlarged(np.asarray(image_set.images[row]), SIDE).save(buffer, format="PNG")
        png = buffer.getvalue()
    return MistakenImage(
        path=image_set.picture_path(row),
        png=png,
        truth=image_set.classes[image_set.labels[row]],
        guess="" if wrong.mistaken is None else image_set.classes[wrong.mistaken[at]],
    )
