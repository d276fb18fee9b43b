"""What a user asks of a fine-tuning, before anything of it is resolved or checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.space.policy import Policy
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study_file import StudyConfig


@dataclass(frozen=True)
class FinetuneRequest:
    """The arguments of `finetune`, which says what they mean."""

    pretrained: str | Path | None = None
    policy: str | Path | Policy | None = None
    data: str | Path | ImageSet | None = None
    study: str | Path | StudyConfig | None = None
    labels: int | str | None = None
    mode: str | None = None
    good: str | None = None
    miss_rate: float | None = None
    seed: int = 0
    device: str = "auto"
    storage: str = DEFAULT_STORAGE
    output: str | Path | None = None
    force: bool = False
