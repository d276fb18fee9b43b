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
    split = _Split(image_set, fraction)
    order = _by_mark(image_set, np.intersect1d(list(split.members), image_set.groups[free]))
    for _ in range(PASSES):
        moving = 0
        for group in order:
            if split.gain(group) > ROUNDING and split.can_move(group):
                split.move(group)
                moving += 1
        if not moving:
            break
    for label in np.argsort(split.outside, kind="stable").tolist():
        if split.in_test[label] == 0:
            spare = [
                (split.size(group), position, group)
                for position, group in enumerate(order)
                if split.could_give(group, label)
            ]
            if spare:
                split.move(min(spare)[2])
    chosen = np.fromiter(sorted(split.taken), dtype=np.int64)
    in_chosen: NDArray[np.bool_] = np.isin(image_set.groups, chosen) & (image_set.labels >= 0)
    return in_chosen


class _Split:
    """A test that whole groups move into and out of.

    Attributes:
        members: of each group the classes of its labelled images, and how many it has of each.
        in_test: images of each class in the test.
        inside, outside: groups of each class in the test, and outside of it.
        taken: the groups in the test.
    """

    def __init__(self, image_set: ImageSet, fraction: float) -> None:
        rows = np.flatnonzero(image_set.labels >= 0)
        pairs, counts = np.unique(
            np.stack([image_set.groups[rows], image_set.labels[rows]]), axis=1, return_counts=True
        )
        self.members: dict[int, list[tuple[int, int]]] = {}
        for (group, label), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            self.members.setdefault(group, []).append((label, count))
        sizes = np.bincount(image_set.labels[rows], minlength=len(image_set.classes))
        self._target: list[float] = np.maximum(1.0, sizes * fraction).tolist()
        self.in_test = [0] * len(sizes)
        self.inside = [0] * len(sizes)
        self.outside: list[int] = np.bincount(pairs[1], minlength=len(sizes)).tolist()
        self.taken: set[int] = set()

    def size(self, group: int) -> int:
        """Labelled images of the group."""
        return sum(count for _, count in self.members[group])

    def can_move(self, group: int) -> bool:
        """Whether each of its classes has another group on the side that it would leave."""
        source = self.inside if group in self.taken else self.outside
        return all(source[label] >= 2 for label, _ in self.members[group])

    def could_give(self, group: int, label: int) -> bool:
        """Whether it is outside, has images of that class, and can be spared."""
        return (
            group not in self.taken
            and any(own == label for own, _ in self.members[group])
            and self.can_move(group)
        )

    def gain(self, group: int) -> float:
        """How much closer its move brings the classes, together, to their share."""
        sign = -1 if group in self.taken else 1
        total = 0.0
        for label, count in self.members[group]:
            missing = self._target[label] - self.in_test[label]
            total += (abs(missing) - abs(missing - sign * count)) / self._target[label]
        return total

    def move(self, group: int) -> None:
        """Into the test, or out again."""
        sign = -1 if group in self.taken else 1
        self.taken.symmetric_difference_update({group})
        for label, count in self.members[group]:
            self.in_test[label] += sign * count
            self.inside[label] += sign
            self.outside[label] -= sign


def mark(key: str) -> str:
    """A random-looking name, always the same for the same key."""
    return hashlib.blake2b(key.encode(), digest_size=6).hexdigest()


def _by_mark(image_set: ImageSet, groups: NDArray[np.int64]) -> list[int]:
    """The groups in the order of the marks of their first images (by key)."""
    first: dict[int, str] = {}
    for group, key in zip(image_set.groups.tolist(), image_set.known_by, strict=True):
        first[group] = min(key, first.get(group, key))
    return sorted(groups.tolist(), key=lambda group: (mark(first[group]), group))
