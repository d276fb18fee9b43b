"""Whether a directory may be written to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from augsearch.errors import ConfigError
from augsearch.pretraining.checkpoint import differences


class Kept(Protocol):
    """What a result file holds."""

    @property
    def identity(self) -> dict[str, str]: ...

    @classmethod
    def model_validate_json(cls, content: str, /) -> Kept: ...


def check_place(
    result: Path, model: type[Kept], identity: Mapping[str, str], kind: str, force: bool
) -> None:
    """Check the directory of a result file: new, empty, of this very thing, or with force of
    another of its kind.

    Args:
        kind: what is written, such as `deployment`.

    Raises:
        ConfigError: it holds something else.
    """
    directory = result.parent
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory}: is no directory; give another --output")
    if not directory.is_dir() or not any(directory.iterdir()):
        return
    if not result.is_file():
        raise ConfigError(f"{directory}: holds files that are of no {kind}; give another --output")
    if force:
        return
    try:
        begun = model.model_validate_json(result.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        raise ConfigError(f"{result}: cannot be read; give --force to replace it") from None
    if different := differences(begun.identity, dict(identity)):
        raise ConfigError(
            f"{directory}: holds another {kind} ({different}); give another --output, or --force "
            "to replace it"
        )
