"""What a user asks of a pilot, before anything of it is resolved or checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augsearch.data.imageset import ImageSet
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study_file import StudyConfig


@dataclass(frozen=True)
class PilotRequest:
    """The arguments of `pilot`, which says what they mean."""

    study: str | Path | StudyConfig | None = None
    data: str | Path | ImageSet | None = None
    policy: str | Path | Policy | None = None
    policy_from: str | Path | None = None
    space: str | Path | Space | None = None
    weights: str | Path | None = None
    labels: tuple[int, ...] | None = None
    seeds: int | None = None
    baseline: str | None = None
    good: str | None = None
    steps: int | None = None
    label_seconds: float | None = None
    label_rate: float | None = None
    machine_rate: float | None = None
    currency: str | None = None
    seed: int = 0
    device: str = "auto"
    storage: str = DEFAULT_STORAGE
    output: str | Path | None = None
    force: bool = False
