"""What a user asks of a study, before anything of it is resolved or checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, get_args

from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError
from augsearch.space.space import Space
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.study_file import StudyConfig

EngineName = Literal["local", "workers", "ray"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


def engine_of(name: str) -> EngineName:
    """The engine of that name. ConfigError if there is none."""
    for known in ENGINES:
        if known == name:
            return known
    raise ConfigError(f"--engine {name}: want {' or '.join(ENGINES)}")


@dataclass(frozen=True)
class StudyRequest:
    """The arguments of `run_study`, which says what they mean, and of what opens a study again."""

    space: str | Path | Space | None = None
    data: str | Path | ImageSet | None = None
    from_study: str | None = None
    study: str | Path | StudyConfig | None = None
    trials: int | None = None
    seed: int = 0
    device: str = "auto"
    storage: str = DEFAULT_STORAGE
    name: str | None = None
    output: str | Path | None = None
    subset: int | None = None
    engine: EngineName = "local"


class StudyOptions(TypedDict, total=False):
    """The same but the space, as keyword arguments."""

    data: str | Path | ImageSet | None
    from_study: str | None
    study: str | Path | StudyConfig | None
    trials: int | None
    seed: int
    device: str
    storage: str
    name: str | None
    output: str | Path | None
    subset: int | None
    engine: EngineName
