"""What a user asks of an explanation, before anything of it is resolved or checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.store.database import DEFAULT_STORAGE


@dataclass(frozen=True)
class ExplainRequest:
    """The arguments of `explain`, which says what they mean."""

    directory: str | Path
    data: str | Path | ImageSet | None = None
    images: int = 24
    seed: int = 0
    device: str = "auto"
    storage: str = DEFAULT_STORAGE
    output: str | Path | None = None
    force: bool = False
