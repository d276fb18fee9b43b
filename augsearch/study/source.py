"""Where a study's images come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

EMBEDDED = "embedded inspection surfaces"


@dataclass(frozen=True)
class Source:
    """Images that this program draws itself, a folder of files, or a set handed over in Python.

    Attributes:
        name: as the user wrote it; of a set, what it is called.
    """

    kind: Literal["embedded", "folder", "given"]
    name: str

    @classmethod
    def embedded(cls) -> Source:
        """The embedded inspection surfaces."""
        return cls("embedded", EMBEDDED)

    @classmethod
    def stored(cls, text: str) -> Source:
        """What `stored_as` wrote; a set that was handed over cannot be had again by its name."""
        return cls.embedded() if text == EMBEDDED else cls("folder", text)

    @property
    def stored_as(self) -> str:
        """What a study keeps of it: a folder's absolute path, as long as that exists."""
        there = Path(self.name)
        return str(there.resolve()) if self.kind != "embedded" and there.exists() else self.name

    @property
    def folder(self) -> Path | None:
        """Where the files lie, if there are any."""
        return Path(self.name) if self.kind == "folder" else None

    @property
    def flag(self) -> str | None:
        """What `--data` says of it; None where it goes without saying."""
        return None if self.kind == "embedded" else self.name
