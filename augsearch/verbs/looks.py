"""Looks at sealed images, which are counted: the more often they have judged, the less it means."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from augsearch.data.imageset import ImageSet
from augsearch.data.splits.splits import sealed_marks
from augsearch.store.database import open_storage, told_when_unwritable
from augsearch.store.sealed import count_sealed_use


def count_look(
    sealed: ImageSet, kind: str, name: str, identity: Mapping[str, str], storage: str
) -> int:
    """Note that something looks at sealed images; how often they have been looked
    at, the same thing counted once.

    Args:
        kind: of what looks, such as `explanation`.
        name: its own.
    """
    marks = sealed_marks(sealed, np.arange(len(sealed)))
    with told_when_unwritable(storage, "the classifier's files"):
        return count_sealed_use(
            open_storage(storage),
            marks,
            by=f"the {kind} {name}",
            use=f"{kind} {json.dumps(dict(identity), sort_keys=True)}",
        )
