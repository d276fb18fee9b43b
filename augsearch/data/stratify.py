"""Choosing whole groups so that every class gets its share of a test split."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from augsearch.data.imageset import ImageSet

PASSES = 10  # the second or third usually finds nothing left to move
ROUNDING = 1e-9


def draw_test(image_set: ImageSet, free: NDArray[np.bool_], fraction: float) -> NDArray[np.bool_]:
    """`[N]` bool: the labelled images of the groups that are drawn from the `free` images.

    Groups come in the order of their marks and move into the test, or out again, if that brings
    the classes, together, closer to their share; then every class that got nothing gets its
    smallest group that can be spared. A group's mark does not change when others are added, so
    that those that came first mostly stay.
    """
    labelled = image_set.labels >= 0
    # Each group as a row of class counts, kept sparse: `members[g]` are its classes.
    rows = np.flatnonzero(labelled)
    pairs, counts = np.unique(
        np.stack([image_set.groups[rows], image_set.labels[rows]]), axis=1, return_counts=True
    )
    members: dict[int, list[tuple[int, int]]] = {}
    for (group, label), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
        members.setdefault(group, []).append((label, count))
    sizes = np.bincount(image_set.labels[rows], minlength=len(image_set.classes))
    target: list[float] = np.maximum(1.0, sizes * fraction).tolist()
    in_test = [0] * len(sizes)  # images of each class
    inside = [0] * len(sizes)  # groups of each class in the test, and outside of it
    outside: list[int] = np.bincount(pairs[1], minlength=len(sizes)).tolist()
    taken: set[int] = set()

    def can_move(group: int) -> bool:
        source = inside if group in taken else outside
        return all(source[label] >= 2 for label, _ in members[group])

    def gain(group: int) -> float:
        sign = -1 if group in taken else 1
        total = 0.0
        for label, count in members[group]:
            missing = target[label] - in_test[label]
            total += (abs(missing) - abs(missing - sign * count)) / target[label]
        return total

    def move(group: int) -> None:
        sign = -1 if group in taken else 1
        taken.symmetric_difference_update({group})
        for label, count in members[group]:
            in_test[label] += sign * count
            inside[label] += sign
            outside[label] -= sign

    order = _by_mark(image_set, np.intersect1d(pairs[0], image_set.groups[free]))
    for _ in range(PASSES):
        moving = 0
        for group in order:
            if gain(group) > ROUNDING and can_move(group):
                move(group)
                moving += 1
        if not moving:
            break
    for label in np.argsort(outside, kind="stable").tolist():
        if in_test[label] == 0:
            spare = [
                (sum(count for _, count in members[group]), position, group)
                for position, group in enumerate(order)
                if group not in taken
                and any(k == label for k, _ in members[group])
                and can_move(group)
            ]
            if spare:
                move(min(spare)[2])
    chosen = np.fromiter(sorted(taken), dtype=np.int64)
    in_chosen: NDArray[np.bool_] = np.isin(image_set.groups, chosen) & labelled
    return in_chosen


def mark(key: str) -> str:
    """A random-looking name, always the same for the same key."""
    return hashlib.blake2b(key.encode(), digest_size=6).hexdigest()


def _by_mark(image_set: ImageSet, groups: NDArray[np.int64]) -> list[int]:
    """The groups in the order of the marks of their first images (by key)."""
    first: dict[int, str] = {}
    for group, key in zip(image_set.groups.tolist(), image_set.known_by, strict=True):
        first[group] = min(key, first.get(group, key))
    return sorted(groups.tolist(), key=lambda group: (mark(first[group]), group))
