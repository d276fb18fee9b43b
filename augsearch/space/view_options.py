"""What a user may set about how views are made."""

from __future__ import annotations

from typing import Literal, TypedDict

Executor = Literal["auto", "kornia", "fused"]
"""kornia: the reference, operation by operation; fused: few passes over the pixels, refuses what
it does not know; auto: fused, and the reference for that."""
Fit = Literal["crop", "squash", "pad", "tile"]
"""How pictures become square, as `data.fit` of a study."""


class ViewOptions(TypedDict, total=False):
    """What `augsearch.build_views` may be told besides size, seed and executor."""

    fit: Fit | None
    normalise: bool
    rank: int | None
    world_size: int | None
