"""The directory of a pilot: whose it is, and what of an earlier one goes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from augsearch.errors import ConfigError, OutputError
from augsearch.piloting.prepare import Prepared
from augsearch.piloting.result import RESULT_FILE
from augsearch.piloting.runs import POINTS, PRETRAINED
from augsearch.pretraining.checkpoint import differences

NOTE = "identity.json"


def check_free(directory: Path) -> None:
    """Raises ConfigError if a directory holds what is of no pilot."""
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory}: is no directory; give another --output")
    if directory.is_dir() and not (directory / NOTE).is_file() and any(directory.iterdir()):
        raise ConfigError(
            f"{directory}: holds files that do not belong to a pilot; give another --output"
        )


def check_room(prepared: Prepared, force: bool) -> None:
    """Raises ConfigError if the directory holds something else; with force, if that is of no
    pilot."""
    check_free(prepared.directory)
    note = prepared.directory / NOTE
    if force or not note.is_file():
        return
    if different := differences(_read(note), prepared.identity):
        raise ConfigError(
            f"{prepared.directory}: holds another pilot ({different}); give another --output, or "
            "--force to replace it"
        )


def make_room(prepared: Prepared, force: bool) -> None:
    """A directory to write to: new, of this pilot, or, with force, emptied of an earlier one.

    Raises:
        ConfigError: it holds something else.
        OutputError: it cannot be made.
    """
    directory = prepared.directory
    check_room(prepared, force)
    try:
        if force:
            for kept in (directory / POINTS, directory / PRETRAINED):
                if kept.is_dir():
                    shutil.rmtree(kept)
            (directory / RESULT_FILE).unlink(missing_ok=True)
        for place in (directory / POINTS, directory / PRETRAINED):
            place.mkdir(parents=True, exist_ok=True)
        (directory / NOTE).write_text(json.dumps(prepared.identity), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None


def _read(note: Path) -> dict[str, Any]:
    try:
        begun = json.loads(note.read_text(encoding="utf-8"))
    except ValueError:
        begun = None
    if not isinstance(begun, dict):
        raise ConfigError(f"{note}: cannot be read; give --force to begin anew")
    return begun
