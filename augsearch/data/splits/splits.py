"""Which images decide a verdict and are never trained on, and which ones a probe may learn from."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from augsearch.data.imageset import UNLABELLED, ImageSet
from augsearch.data.splits.stratify import draw_test, mark
from augsearch.errors import DataError

TEST_FRACTION = 0.25
TRIES = 100  # at a draw, before no choice of groups is thought to serve all classes
MARKS = 100  # 14 bytes each in the study's database


@dataclass(frozen=True)
class Split:
    """Sorted int64 indices of the images for pretraining and probing, and of the sealed test."""

    pool: NDArray[np.int64]
    test: NDArray[np.int64]


def sealed_split(
    image_set: ImageSet, test_fraction: float = TEST_FRACTION, *, unlabelled: bool = False
) -> Split:
    """Stratified, group-aware split that follows from the images themselves.

    How they are decoded does not matter, and most of the test stays when images are added.

    What the user's file says wins: "test" goes to the test, "train" to the pool, and where it
    names a test, every other image goes to the pool. Otherwise `test_fraction` of each class is
    drawn in whole groups, and a class of at least two groups has one on either side as far as
    groups that it shares with other classes allow.

    The test holds labelled images only. Unlabelled images go to the pool; those that share a group
    with the test, or that the user put into the test, are left out of both.

    Args:
        unlabelled: for scores that need no label: the test also holds the unlabelled images that
            the user put there or, where the test is drawn, `test_fraction` of those whose group
            has no labelled image. Its labelled images are the same either way.
    """
    fixed = np.asarray(image_set.fixed_split)
    labelled = image_set.labels >= 0
    if (fixed == "test").any():
        chosen = fixed == "test"
    else:
        bound = np.isin(image_set.groups, image_set.groups[fixed == "train"])
        chosen = draw_test(image_set, ~bound, test_fraction)
        if unlabelled:
            free = ~bound & ~np.isin(image_set.groups, image_set.groups[labelled])
            as_one_class = replace(
                image_set, labels=np.where(labelled, UNLABELLED, 0), classes=("",)
            )
            chosen |= draw_test(as_one_class, free, test_fraction)
    test_groups = np.unique(image_set.groups[chosen])
    near_test = np.isin(image_set.groups, test_groups) & (fixed != "train")
    scored = chosen if unlabelled else chosen & labelled
    return Split(pool=np.flatnonzero(~chosen & ~near_test), test=np.flatnonzero(scored))


def content_marks(image_set: ImageSet) -> list[str]:
    """`[N]` what each image's file is known by, whatever its name; empty texts where images were
    not read from files."""
    return [mark(key) for key in image_set.keys] or [""] * len(image_set)


def sealed_marks(image_set: ImageSet, test: NDArray[np.int64]) -> tuple[str, ...]:
    """What the sealed images `test` are recognised by later: a sample of their marks.

    The sample holds the smallest marks. So two tests that share images share marks, in about the
    same part, and a test of other images shares none.
    """
    keys = image_set.known_by
    return tuple(sorted({mark(keys[row]) for row in test.tolist()})[:MARKS])


@dataclass(frozen=True)
class LabelDraw:
    """Sorted int64 indices of the images that a probe is fitted and scored on."""

    fit: NDArray[np.int64]
    score: NDArray[np.int64]


# A draw is of the whole set, and all that decides it comes in here.
def label_draws(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    pool: NDArray[np.int64],
    *,
    classes: Sequence[str],
    labels_per_class: int,
    draws: int,
    seed: int,
    score_on: NDArray[np.int64] | None = None,
    pictures: NDArray[np.int64] | None = None,
) -> tuple[LabelDraw, ...]:
    """Stratified, group-aware draws; draw `i` depends on `seed` and `i`, not on their number.

    In each class, random groups give an image each until there are `labels_per_class`, and
    further images if the groups are too few. Without `score_on`, at most half of a class's groups
    serve for fitting, and the score is taken on all labelled pool images of the other groups.

    Args:
        labels, groups: `[N]` of the whole image set (see `ImageSet`).
        pool: indices that may be drawn.
        classes: the names of the classes, all of which must be in the pool.
        labels_per_class: most images of a class in `fit`; a large number means half of them, or
            all of them with `score_on`.
        score_on: score on the labelled ones of these instead, such as the sealed test; the
            caller sees to it that they share no group with the pool.
        pictures: `[N]`, see `ImageSet`: whole pictures are drawn, of which a label is worth one,
            and each with all of its tiles.

    Raises:
        DataError: fewer than two classes, or a class with too few labelled groups in the pool
            or with nothing to score.
    """
    labelled = tiles = np.sort(pool[labels[pool] >= 0])
    if pictures is not None:
        labelled = tiles[np.sort(np.unique(pictures[tiles], return_index=True)[1])]
    members = [labelled[labels[labelled] == index] for index in range(len(classes))]
    class_groups = [np.unique(groups[images]) for images in members]
    _check(classes, class_groups, least=2 if score_on is None else 1)
    scored = None if score_on is None else np.sort(score_on[labels[score_on] >= 0])
    if scored is not None:
        absent = np.setdiff1d(np.arange(len(classes)), labels[scored]).tolist()
        if absent:
            names = ", ".join(classes[index] for index in absent)
            raise DataError(f"no labelled image to score these classes on: {names}")
    share = 2 if score_on is None else 1
    plan = _Plan(
        members=members,
        class_groups=class_groups,
        limits=[len(own) // share for own in class_groups],
        shared=_shared_groups(class_groups),
        groups=groups,
        labels_per_class=labels_per_class,
        classes=classes,
    )
    result = []
    for draw in range(draws):
        fit = plan.draw(np.random.default_rng([seed, draw]))
        rest = tiles[~np.isin(groups[tiles], groups[fit])] if scored is None else scored
        if pictures is not None:
            fit = tiles[np.isin(pictures[tiles], pictures[fit])]
        result.append(LabelDraw(fit=fit, score=rest))
    return tuple(result)


def _check(classes: Sequence[str], class_groups: Sequence[NDArray[np.int64]], least: int) -> None:
    if len(classes) < 2:
        names = ", ".join(classes) or "none"
        raise DataError(f"at least two classes are needed to score features, found: {names}")
    poor = [
        f"{name} has {len(own)}"
        for name, own in zip(classes, class_groups, strict=True)
        if len(own) < least
    ]
    if poor:
        raise DataError(
            f"every class needs labelled images of at least {least} "
            f"{'group' if least == 1 else 'groups'} (an image without a group counts as one) "
            f"outside the sealed test: {', '.join(poor)}; label more or leave the class out"
        )


@dataclass(frozen=True)
class _Plan:
    """What all draws share; lists are by class.

    Attributes:
        members: the images of a class.
        class_groups: the groups in which a class appears.
        limits: how many of these groups may serve for fitting.
        shared: the classes of every group that has more than one.
        groups: `[N]`, of the whole image set.
        labels_per_class: most images of a class in a draw.
        classes: names, for messages.
    """

    members: list[NDArray[np.int64]]
    class_groups: list[NDArray[np.int64]]
    limits: list[int]
    shared: dict[int, list[int]]
    groups: NDArray[np.int64]
    labels_per_class: int
    classes: Sequence[str]

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Sorted indices of one fit set, the classes with the fewest groups served first.

        Where classes share groups, a choice can leave none for a class; then it is made anew.
        """
        for _ in range(TRIES - 1):
            with contextlib.suppress(DataError):
                return self._draw_once(rng)
        return self._draw_once(rng)

    def _draw_once(self, rng: np.random.Generator) -> NDArray[np.int64]:
        used: set[int] = set()
        spent = [0] * len(self.members)
        fit = []
        for index in np.argsort([len(own) for own in self.class_groups], kind="stable").tolist():
            chosen = self._choose_groups(index, rng, used, spent)
            images = rng.permutation(self.members[index])
            images = images[np.isin(self.groups[images], chosen)]
            turn = _occurrence(self.groups[images])
            fit.append(images[np.argsort(turn, kind="stable")][: self.labels_per_class])
        return np.sort(np.concatenate(fit))

    def _choose_groups(
        self, index: int, rng: np.random.Generator, used: set[int], spent: list[int]
    ) -> list[int]:
        """Random groups for class `index`, none of which takes another class over its limit."""
        wanted = min(self.labels_per_class, self.limits[index])
        chosen: list[int] = []
        for group in rng.permutation(self.class_groups[index]).tolist():
            if len(chosen) == wanted:
                break
            if group not in used:
                sharing = self.shared.get(group, [index])
                if any(spent[k] >= self.limits[k] for k in sharing):
                    continue
                used.add(group)
                for k in sharing:
                    spent[k] += 1
            chosen.append(group)
        if not chosen:
            raise DataError(
                f"class {self.classes[index]} shares all its groups with other classes, so none "
                "is left to fit on; give it groups of its own"
            )
        return chosen


def _shared_groups(class_groups: Sequence[NDArray[np.int64]]) -> dict[int, list[int]]:
    """The classes of every group that appears in more than one."""
    names, counts = np.unique(np.concatenate(class_groups), return_counts=True)
    several = names[counts > 1]
    shared: dict[int, list[int]] = {}
    for index, own in enumerate(class_groups):
        for group in np.intersect1d(own, several).tolist():
            shared.setdefault(group, []).append(index)
    return shared


def _occurrence(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """`[n]`: how many equal values came before each, as in 5 7 5 5 → 0 0 1 2."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    runs = np.diff(np.r_[starts, len(ordered)])
    result = np.empty(len(values), dtype=np.int64)
    result[order] = np.arange(len(values)) - np.repeat(starts, runs)
    return result
