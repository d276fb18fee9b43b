"""Where a pretraining that is stopped goes on from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch

from augsearch.errors import ConfigError
from augsearch.files import write_whole

NOTE = "checkpoint.json"


class Checkpoints:
    """The last checkpoint of one pretraining, in a directory of its own.

    `checkpoint.json` names the file, its checksum and the pretraining it is of. It is written
    after the file, so that whatever stops the process, it names a whole one.

    Args:
        directory: made when the first one is written.
        identity: what makes a pretraining the same, see `Prepared.identity`.
    """

    def __init__(self, directory: Path, identity: Mapping[str, str]) -> None:
        self.directory = directory
        self._identity = dict(identity)

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Keep the state in place of the one before.

        Raises:
            OSError: it cannot be written; the one before stays.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"step-{step}.pt"
        part = path.with_suffix(".part")
        try:
            try:
                with part.open("wb") as file:
                    torch.save(dict(state), file)
                    file.flush()
                    os.fsync(file.fileno())
            except RuntimeError as error:  # torch's word for a full disk
                raise OSError(0, str(error).partition("\n")[0]) from error
            digest = _digest(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        note = {"file": path.name, "step": step, "sha256": digest, "of": self._identity}
        try:
            write_whole(self.directory / NOTE, json.dumps(note, indent=1).encode())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        for other in self.directory.glob("step-*.pt"):
            if other != path:
                other.unlink(missing_ok=True)

    def load(self) -> dict[str, Any] | None:
        """The last state; None if there is none.

        Raises:
            ConfigError: it is of another pretraining, or damaged.
        """
        note = self._note()
        if note is None:
            return None
        if different := differences(note["of"], self._identity):
            raise ConfigError(
                f"{self.directory}: holds a checkpoint of another pretraining ({different}); give "
                "another --output, or --force to begin anew in its place"
            )
        path = self.directory / note["file"]
        try:
            whole = _digest(path) == note["sha256"]
            state = torch.load(path, map_location="cpu", weights_only=True) if whole else None
        except Exception:  # torch raises nearly anything on damaged files
            state = None
        if not isinstance(state, dict):
            raise ConfigError(
                f"{path}: is cut short or damaged (its checksum is another); bring the file back, "
                "or give --force to begin anew"
            )
        return state

    @property
    def is_of_this(self) -> bool:
        """Whether a checkpoint of this very pretraining is there, whole or not."""
        note = self._note()
        return note is not None and not differences(note["of"], self._identity)

    @property
    def are_remains(self) -> bool:
        """Whether the directory holds nothing but what was killed while it was first written."""
        names = [path.name for path in self.directory.glob("*")]
        return bool(names) and all(fnmatch(name, "step-*") for name in names)

    def _note(self) -> dict[str, Any] | None:
        path = self.directory / NOTE
        if not path.exists():
            return None
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            if {"file", "sha256", "of"} <= note.keys():
                return dict(note)
        except (OSError, ValueError, AttributeError):
            pass
        raise ConfigError(f"{path}: is damaged; give --force to begin anew")

    def clear(self) -> None:
        """Remove what is there."""
        for path in (*self.directory.glob("step-*"), self.directory / NOTE):
            path.unlink(missing_ok=True)
        if self.directory.is_dir() and not any(self.directory.iterdir()):
            self.directory.rmdir()


def differences(there: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """In what two pretrainings differ, in words; empty if in nothing."""
    keys = [key for key in {**there, **wanted} if there.get(key) != wanted.get(key)]
    return ", ".join(f"{key} {there.get(key)} instead of {wanted.get(key)}" for key in keys)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
