"""What a user asks of a distillation, before anything of it is resolved or checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.space.policy import Policy
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study_file import StudyConfig

TEMPERATURE = 2.0


@dataclass(frozen=True)
class DistillRequest:
    """The arguments of `distill`, which says what they mean."""

    teacher: str | Path | StudyConfig
    student: str = "tiny"
    weights: str | Path | None = None
    policy: str | Path | Policy | None = None
    data: str | Path | ImageSet | None = None
    steps: int | None = None
    temperature: float | None = None
    seed: int = 0
    device: str = "auto"
    storage: str = DEFAULT_STORAGE
    output: str | Path | None = None
    force: bool = False
