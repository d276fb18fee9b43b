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
from augsearch.stats.scored_images import ScoredImages
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
    confirmed = sorted(store.outcomes(CONFIRMATION).items())
    judged = [
        Judged.of(one.name, [outcome for (of, _), outcome in confirmed if of == one.name], images)
        for one in (ours, theirs)
    ]
    if judged[0] is None or judged[1] is None:
        return None
    return _section(setup, images, judged[0], judged[1])


def _section(setup: Setup, images: ScoredImages, ours: Judged, theirs: Judged) -> Mistakes:
    matrices = ours.confused(images), theirs.confused(images)
    known = matrices[0] is not None and matrices[1] is not None
    return Mistakes(
        ours=ours.name,
        theirs=theirs.name,
        images=len(images.labels),
        right=(int(ours.right.sum()), int(theirs.right.sum())),
        chance=(ours.chance + theirs.chance) / 2,
        guessing=1 / len(images.classes),
        classes=tuple(_classes(images, ours, setup.image_set.classes)),
        shares=(_rows(matrices[0]), _rows(matrices[1])) if known else None,
        galleries=tuple(_galleries(setup, ours, theirs)),
    )


def _rows(matrix: NDArray[np.float64] | None) -> Shares:
    return () if matrix is None else tuple(tuple(row) for row in matrix.tolist())


def _classes(images: ScoredImages, ours: Judged, names: Sequence[str]) -> Iterator[ClassScore]:
    """Every class with the lower end of its interval over seeds, labels and images."""
    level = level_of_each(len(images.classes))
    least = usual_unit_variance(ours.shares, images)
    for label, own_images in images.classes.items():
        own = ours.shares[:, images.labels == label]
        recall = float(own.mean())
        parts = variance_parts(own.mean(axis=1), own, own_images, least=least)
        yield ClassScore(names[label], recall, parts.estimate(recall).interval(level)[0])


def _galleries(setup: Setup, ours: Judged, theirs: Judged) -> Iterator[Gallery]:
    gap = ours.often - theirs.often
    never = np.concatenate([ours.shares, theirs.shares]).max(axis=0) <= 0.5
    kinds: Mapping[Kind, tuple[NDArray[np.bool_], NDArray[np.float64], Judged]] = {
        "gained": (ours.right & ~theirs.right, -gap, theirs),
        "lost": (theirs.right & ~ours.right, gap, ours),
        "never": (never, ours.often, ours),
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
    buffer = io.BytesIO()
    enlarged(np.asarray(image_set.images[row]), SIDE).save(buffer, format="PNG")
    return MistakenImage(
        path=image_set.paths[row],
        png=buffer.getvalue(),
        truth=image_set.classes[image_set.labels[row]],
        guess="" if wrong.mistaken is None else image_set.classes[wrong.mistaken[at]],
    )
