"""The images that are trained on, and nothing of the sealed ones.

What is made here holds no sealed image, so that nothing after it can look at one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augsearch.data.config import DataConfig
from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import content_marks, sealed_split
from augsearch.errors import DataError
from augsearch.files import as_written

SHOWN = 3
SIDES = ("pool", "test", "unused")


@dataclass(frozen=True)
class KnownSplit:
    """Which side of the seal every image of a study is on.

    Attributes:
        table: `path`, `side` and, unless an older version wrote it, `image`.
        sealed: marks of some of the sealed images, from the study's database.
        whole: whether the study saw all images of its folder.
    """

    table: pd.DataFrame
    sealed: frozenset[str] = frozenset()
    whole: bool = True

    @property
    def by_content(self) -> bool:
        """Whether images are known by what is in their files."""
        return "image" in self.table and bool((self.table["image"] != "").all())

    def sides(self, by: str) -> dict[str, str]:
        """Side by `path` or by `image`."""
        return dict(zip(self.table[by], self.table["side"], strict=True))


def read_split(path: Path) -> KnownSplit | None:
    """The split that was written there; None if there is none.

    Raises:
        DataError: it is not as it was written.
    """
    if not path.exists():
        return None
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError):
        raise DataError(f"{path}: cannot be read as a table of path and side") from None
    if not {"path", "side"} <= set(table.columns):
        raise DataError(f"{path}: has no columns path and side, with commas between them")
    table["path"] = table["path"].map(as_written)
    strange = table[~table["side"].isin(SIDES)]
    if len(strange):
        row = strange.iloc[0]
        raise DataError(
            f"{path}: {row['path']} is on side {row['side']!r}; want {', '.join(SIDES)}, as it "
            "was written"
        )
    return KnownSplit(table)


@dataclass(frozen=True)
class Pool:
    """The images of the pool as a set of their own.

    Attributes:
        digest: of these images, their labels, groups and decoding; no other image changes it.
        split: path, side and mark of every image that was split.
        notes: sentences for the user.
    """

    images: ImageSet
    digest: str
    split: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def seals(self) -> bool:
        """Whether any image is sealed."""
        return bool((self.split["side"] == "test").any())


def pool_of(
    image_set: ImageSet,
    data: DataConfig,
    *,
    known: KnownSplit | None,
    same: bool,
    unlabelled: bool,
) -> Pool:
    """The pool: as a study split the images, or as one would, without what that study sealed.

    Args:
        known: how a study split its images; None to draw.
        same: whether these are that study's images, all of them.
        unlabelled: as in `sealed_split`.

    Raises:
        DataError: images of the study's pool are not there, one that it sealed is among them, or
            there are fewer than two.
    """
    if known is not None and same:
        side, notes = _as_split(image_set, known)
        table = known.table
    else:
        side, notes = _drawn(image_set, known, unlabelled)
        table = pd.DataFrame(
            {"path": image_set.paths, "side": side, "image": content_marks(image_set)}
        )
    rows = np.flatnonzero(side == "pool")
    if known is not None:
        _check_sealed(image_set, rows, known)
    if len(rows) < 2:
        raise DataError(f"pretraining needs at least 2 images in the pool, found {len(rows)}")
    images = rows_of(image_set, rows)
    return Pool(images, _digest(images, data), table, notes)


def _as_split(image_set: ImageSet, known: KnownSplit) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    by_content = known.by_content and bool(image_set.keys)
    sides = known.sides("image" if by_content else "path")
    names = content_marks(image_set) if by_content else list(image_set.paths)
    side = np.array([sides.get(name, "new") for name in names], dtype="<U6")
    there = set(names)
    lost = [name for name, where in sides.items() if where == "pool" and name not in there]
    if lost:
        column = known.table["image" if by_content else "path"]
        gone = sorted(known.table["path"][column.isin(lost)])
        more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
        raise DataError(
            f"{len(gone)} images that the study trained on are missing or read differently: "
            f"{', '.join(gone[:SHOWN])}{more}; name their folder with --data, and use settings "
            "that read them as the study did"
        )
    notes: tuple[str, ...] = ()
    if new := int((side == "new").sum()):
        notes = (
            f"{new} images that are new to the study are left out, because they may show parts "
            "that it sealed; a study of all images splits them again",
        )
    return side, notes


def _drawn(
    image_set: ImageSet, known: KnownSplit | None, unlabelled: bool
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    split = sealed_split(image_set, unlabelled=unlabelled)
    side = np.full(len(image_set), "unused", dtype="<U6")
    side[split.pool], side[split.test] = "pool", "test"
    if known is None:
        return side, ()
    sealed = set(known.sealed)
    if known.by_content:
        sealed |= {name for name, where in known.sides("image").items() if where == "test"}
    rows = np.flatnonzero(np.isin(content_marks(image_set), sorted(sealed)))
    near = np.isin(image_set.groups, image_set.groups[rows]) & (side == "pool")
    side[near] = "unused"
    side[rows] = "test"
    if known.by_content:  # what has been trained on judges nothing any more
        where = known.sides("image")
        seen = np.array([where.get(name) == "pool" for name in content_marks(image_set)])
        near = np.isin(image_set.groups, image_set.groups[seen]) & (side == "test")
        side[near & ~seen] = "unused"
        side[near & seen] = "pool"
    notes = (
        f"the images differ from those of the study, so they are split again; the {len(rows)} that "
        "were sealed stay sealed",
    )
    return side, notes


def _check_sealed(image_set: ImageSet, rows: NDArray[np.int64], known: KnownSplit) -> None:
    marks = content_marks(image_set)
    found = [image_set.paths[row] for row in rows.tolist() if marks[row] in known.sealed]
    if found:
        raise DataError(
            f"the split puts {found[0]} into the pool, but the study sealed it: files were renamed "
            "or the table was changed; run the study's own command again, which writes the table"
        )


def rows_of(image_set: ImageSet, rows: NDArray[np.int64]) -> ImageSet:
    """These rows as a set of their own; groups and pictures are numbered anew."""
    pictures = image_set.pictures
    return replace(
        image_set,
        images=np.asarray(image_set.images[rows]),
        labels=image_set.labels[rows],
        groups=np.unique(image_set.groups[rows], return_inverse=True)[1],
        fixed_split=("",) * len(rows),
        paths=tuple(image_set.paths[row] for row in rows.tolist()),
        keys=tuple(image_set.keys[row] for row in rows.tolist()) if image_set.keys else (),
        pictures=None if pictures is None else np.unique(pictures[rows], return_inverse=True)[1],
    )


def sealed_of(image_set: ImageSet, pool: Pool) -> tuple[ImageSet, int]:
    """The labelled sealed images as a set of their own, and how many sealed ones are missing."""
    by_content = KnownSplit(pool.split).by_content and bool(image_set.keys)
    names: Collection[str] = content_marks(image_set) if by_content else image_set.paths
    test = set(pool.split.loc[pool.split["side"] == "test", "image" if by_content else "path"])
    sealed = np.array([name in test for name in names], dtype=bool)
    rows = np.flatnonzero(sealed & (image_set.labels >= 0))
    return rows_of(image_set, rows), max(0, len(test) - len(set(names) & test))


def _digest(images: ImageSet, data: DataConfig) -> str:
    state = hashlib.blake2b(digest_size=16)
    state.update(json.dumps([images.classes, data.model_dump(mode="json")]).encode())
    for array in (images.labels, images.groups):
        state.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    if images.keys:
        state.update("\n".join(images.keys).encode())
    else:
        state.update(np.ascontiguousarray(images.images).tobytes())
    return state.hexdigest()
