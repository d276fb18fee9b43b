"""What a user asks of a full pretraining, before anything of it is resolved or checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.space.policy import Policy
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study_file import StudyConfig


@dataclass(frozen=True)
class PretrainRequest:
    """The arguments of `pretrain`, which says what they mean."""

    policy: str | Path | Policy | None = None
    data: str | Path | ImageSet | None = None
    study: str | Path | StudyConfig | None = None
    steps: int | None = None
    seed: int = 0
    device: str = "auto"
    storage: str = DEFAULT_STORAGE
    output: str | Path | None = None
    force: bool = False
