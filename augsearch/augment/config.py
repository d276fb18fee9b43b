"""What a user may set about how views are made."""

from __future__ import annotations

from typing import Literal

Executor = Literal["auto", "kornia", "fused"]
"""kornia: the reference, operation by operation; fused: few passes over the pixels, refuses what
it does not know; auto: fused, and the reference for that."""
