"""What a user asks of a deployment, before anything of it is resolved or checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.store.database import DEFAULT_STORAGE

USUAL = ("onnx", "fp16", "int8")


@dataclass(frozen=True)
class DeployRequest:
    """The arguments of `deploy`, which says what they mean."""

    classifier: str | Path
    data: str | Path | ImageSet | None = None
    formats: Sequence[str] = USUAL
    loss: float = 0.01
    class_loss: float = 0.02
    storage: str = DEFAULT_STORAGE
    output: str | Path | None = None
    force: bool = False
