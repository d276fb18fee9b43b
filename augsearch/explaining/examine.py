"""From a classifier and its images to all that an explanation rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.data.imageset import ImageSet
from augsearch.errors import DataError
from augsearch.explaining.choose import chosen
from augsearch.explaining.doubts import Probabilities, Suspected, least_sure, suspected
from augsearch.explaining.held_out import of_folds
from augsearch.explaining.landscape import Places, by_pca, umap_if_there
from augsearch.explaining.maps.attribution import Method, Methods, methods_for
from augsearch.explaining.maps.faithful import SHUFFLED, Tested, check_maps
from augsearch.explaining.maps.networks import Asked, Rows, features_of
from augsearch.explaining.nearest import Features, nearest
from augsearch.finetuning.classifier import Classifier, ItsImages
from augsearch.progress import Progress

NEIGHBOURS, WITNESSES = 3, 10
"""Nearest images that are shown with a decision, and that are asked about a label."""
UNSURE = 24
"""At most so many candidates for labelling are listed."""
MANY = 0.1
"""From this share on suspected labels are said to be too many."""
DRAWN = 3000
"""Points of a map."""


@dataclass(frozen=True)
class Answers:
    """What is said of some pictures.

    Attributes:
        images: where they are.
        rows: `[n]` of them.
        probabilities: `[n, K]`, calibrated.
    """

    images: ImageSet
    rows: Rows
    probabilities: Probabilities

    @property
    def labels(self) -> Rows:
        return self.images.labels[self.rows]

    @property
    def guesses(self) -> Rows:
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def wrong(self) -> NDArray[np.bool_]:
        return np.asarray(self.guesses != self.labels)


@dataclass(frozen=True)
class Decisions:
    """Some decisions with their maps.

    Attributes:
        places: of the sealed answers.
        rows: of the sealed images: of a picture of tiles the one that says the guess loudest.
        tested: the maps of each method.
        near: `[n, NEIGHBOURS]` rows of the pool, and the cosines.
    """

    places: Rows
    rows: Rows
    tested: dict[Method, Tested]
    near: tuple[Rows, NDArray[np.float32]]


@dataclass(frozen=True)
class Suspects:
    """Labels that may be wrong, among those that were judged.

    Attributes:
        answers: of the pool and of the sealed images, by networks that have not learnt the label.
        sides: `pool` or `sealed`, for each of `answers`.
        places: into all answers, one behind the other; the most doubtful first.
        instead: the class that each may be.
        alike: `[n]` of the nearest labelled images, those with its label; `of`: of how many.
    """

    answers: tuple[Answers, ...]
    sides: tuple[str, ...]
    found: Suspected
    alike: Rows
    of: Rows

    @property
    def judged(self) -> int:
        return sum(len(each.rows) for each in self.answers)

    def where(self, place: int) -> tuple[Answers, str, int]:
        """The answers that it is of, their side, and the place in them."""
        for answers, side in zip(self.answers, self.sides, strict=True):
            if place < len(answers.rows):
                return answers, side, place
            place -= len(answers.rows)
        raise IndexError(place)


@dataclass(frozen=True)
class Landed:
    """Images as points: those learnt from, then the sealed ones.

    Attributes:
        places: what made them -> `[n, 2]`.
        pool, sealed: rows of both.
        spread: share of the variance that PCA shows.
    """

    places: dict[str, Places]
    pool: Rows
    sealed: Rows
    spread: float


@dataclass(frozen=True)
class Examined:
    """All of it.

    Attributes:
        open: of the pool, what was not learnt from.
        unsure: places of `open`.
    """

    classifier: Classifier
    images: ItsImages
    methods: Methods
    sealed: Answers
    decisions: Decisions
    open: Answers
    unsure: Rows
    suspects: Suspects
    landed: Landed
    notes: tuple[str, ...]


def examine(
    classifier: Classifier,
    images: ItsImages,
    most: int,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> Examined:
    """Ask the classifier for everything.

    Args:
        most: decisions that are explained.

    Raises:
        DataError: no sealed image is there.
        ConfigError: captum cannot take the network.
    """
    if not len(images.sealed):
        raise DataError(
            f"{images.source.name}: has no labelled sealed images, whose decisions could be "
            "explained; name a folder with labels with --data"
        )
    asked = Asked.of(classifier, device)
    found = classifier.found
    methods = methods_for(asked.networks[0], (found.channels, found.image_size))
    notes = [f"no Grad-CAM, but occlusion: {methods.why_not}"] if methods.why_not else []
    sealed = _answers(classifier, images.sealed, np.arange(len(images.sealed)), device)
    pool, learnt = images.pool.images, images.learnt
    rest = np.setdiff1d(np.arange(len(pool)), learnt)
    open_ = _answers(classifier, pool, rest, device)
    if not len(rest):
        notes.append("all images of the pool were learnt from: there are no candidates to label")
    features = features_of(asked, pool), features_of(asked, images.sealed)
    progress.note("the images are answered; now the maps of some decisions")
    decisions = _decisions(asked, methods, sealed, images, features, most, seed)
    folds = of_folds(classifier, images, device)
    if folds is None:
        notes.append(
            "the networks of the folds or their images are missing, so labels that were learnt "
            "from are not checked"
        )
    held = _calibrated(classifier, pool, folds)
    suspects = _suspects((held, _labelled(open_), sealed), features)
    if len(suspects.found.places) > MANY * max(1, suspects.judged):
        notes.append(
            f"{len(suspects.found.places)} of {suspects.judged} labels are in doubt. So many are "
            "probably the classifier's own errors: look at the first ones only"
        )
    landed = _landed(features, learnt, len(images.sealed), seed)
    unsure = least_sure(open_.probabilities, pool.groups[open_.rows], UNSURE)
    return Examined(
        classifier, images, methods, sealed, decisions, open_, unsure, suspects, landed,
        tuple(notes),
    )  # fmt: skip


def _answers(classifier: Classifier, images: ImageSet, rows: Rows, device: torch.device) -> Answers:
    if not len(rows):
        return Answers(images, rows, np.zeros((0, len(classifier.found.classes))))
    rows, said = classifier.log_probabilities(images, rows, device)
    return Answers(images, rows, classifier.probabilities(said))


def _calibrated(
    classifier: Classifier, pool: ImageSet, folds: tuple[Rows, NDArray[np.float64]] | None
) -> Answers:
    if folds is None:
        return Answers(pool, np.zeros(0, np.int64), np.zeros((0, len(pool.classes))))
    rows, said = folds
    return Answers(pool, rows, classifier.probabilities(said))


def _labelled(answers: Answers) -> Answers:
    known = answers.labels >= 0
    return Answers(answers.images, answers.rows[known], answers.probabilities[known])


def _decisions(
    asked: Asked,
    methods: Methods,
    sealed: Answers,
    images: ItsImages,
    features: tuple[Features, Features],
    most: int,
    seed: int,
) -> Decisions:
    confidence = sealed.probabilities.max(axis=1)
    places = chosen(sealed.labels, sealed.guesses, confidence, most, seed)
    guesses = sealed.guesses[places]
    rows = _loudest(asked, sealed, places)
    pixels, pool = np.asarray(sealed.images.images[rows]), images.pool.images
    shuffled = [asked.shuffled(pool.images, seed + number) for number in range(SHUFFLED)]
    layer = methods.layer
    found = {
        method: check_maps(method, layer, asked, shuffled, pixels, guesses, seed)
        for method in methods.both
    }
    order, cosines = nearest(features[1][rows], features[0][images.learnt], NEIGHBOURS)
    return Decisions(places, rows, found, (images.learnt[order], cosines))


def _loudest(asked: Asked, sealed: Answers, places: Rows) -> Rows:
    """A row for each picture: of its tiles the one that says the guess loudest."""
    pictures = sealed.images.pictures
    if pictures is None:
        return sealed.rows[places]
    rows = []
    for place in places.tolist():
        tiles = np.flatnonzero(pictures == pictures[sealed.rows[place]])
        said = asked.score(
            np.asarray(sealed.images.images[tiles]), np.full(len(tiles), sealed.guesses[place])
        )
        rows.append(tiles[said.argmax()])
    return np.array(rows, dtype=np.int64)


def _suspects(
    each: tuple[Answers, Answers, Answers], features: tuple[Features, Features]
) -> Suspects:
    """Of learnt, open and sealed answers."""
    held, open_, sealed = each
    found = suspected(
        np.concatenate([answers.probabilities for answers in each]),
        np.concatenate([answers.labels for answers in each]),
    )
    pool = held.images
    seen = np.concatenate(
        [features[0][held.rows], features[0][open_.rows], features[1][sealed.rows]]
    )
    groups = np.concatenate(
        [
            pool.groups[held.rows],
            pool.groups[open_.rows],
            pool.groups.max() + 1 + sealed.images.groups[sealed.rows],
        ]
    )
    labels = np.concatenate([answers.labels for answers in each])
    near, cosines = nearest(seen[found.places], seen, WITNESSES, (groups[found.places], groups))
    there = np.isfinite(cosines)
    alike = (labels[near] == labels[found.places][:, None]) & there
    return Suspects(each, ("pool", "pool", "sealed"), found, alike.sum(axis=1), there.sum(axis=1))


def _landed(features: tuple[Features, Features], learnt: Rows, sealed: int, seed: int) -> Landed:
    rng = np.random.default_rng(seed)
    pool = np.sort(rng.permutation(learnt)[: DRAWN // 2])
    rows = np.sort(rng.permutation(sealed)[: DRAWN // 2])
    points = np.concatenate([features[0][pool], features[1][rows]])
    flat, spread = by_pca(points)
    places = {"PCA": flat}
    umap = umap_if_there(seed)
    if umap is not None and len(points) > 3:
        places["UMAP"] = umap(points)
    return Landed(places, pool, rows, spread)
