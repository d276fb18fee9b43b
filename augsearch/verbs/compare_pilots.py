"""`augsearch pilot --compare`: pilots of several plants beside each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from augsearch.errors import ConfigError, OutputError
from augsearch.files import write_files
from augsearch.piloting.outputs import PAGE, pages
from augsearch.piloting.report import comparison_report
from augsearch.piloting.result import RESULT_FILE, Pilot

OF = "compared.json"
"""It says that a directory holds a comparison, and of what."""


def compare_pilots(
    pilots: Sequence[str | Path], *, output: str | Path | None = None
) -> tuple[Path, tuple[Pilot, ...]]:
    """Put finished pilots of several plants side by side, on one page.

    Args:
        pilots: their directories, two or more.
        output: directory for the page; None for `runs/A-beside-B`.

    Returns:
        The page, and the pilots.

    Raises:
        ConfigError: one is missing or of another version, or the directory holds something else.
        OutputError: the page cannot be written.
    """
    places = [Path(place).resolve() for place in pilots]
    if len(set(places)) < 2:
        raise ConfigError("--compare: name the directories of two pilots or more")
    found = tuple(read_pilot(Path(place)) for place in pilots)
    titles = _titles(places, found)
    directory = Path(output) if output is not None else Path("runs") / "-beside-".join(titles)
    try:
        if directory.is_dir() and not (directory / OF).is_file() and any(directory.iterdir()):
            raise ConfigError(
                f"{directory}: holds files that do not belong to a comparison; give another "
                "--output"
            )
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written ({error.strerror})") from None
    of = json.dumps([str(place) for place in places], indent=1).encode() + b"\n"
    write_files(directory, {**pages(comparison_report(titles, found)), OF: of})
    return directory / PAGE, found


def _titles(places: Sequence[Path], pilots: Sequence[Pilot]) -> list[str]:
    """What each is called beside the others: by its images, else by as much of its path as tells
    it apart."""
    names = [pilot.data for pilot in pilots]
    depth = 1
    while len(set(names)) < len(names):
        names = ["-".join(place.parts[-depth:]).strip("/-") for place in places]
        depth += 1
    return ["".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in n) for n in names]


def read_pilot(directory: Path) -> Pilot:
    """A finished pilot. ConfigError if there is none, or one of another version."""
    path = directory / RESULT_FILE
    if not path.is_file():
        raise ConfigError(f"{directory}: holds no {RESULT_FILE}; name a finished pilot's directory")
    try:
        return Pilot.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        raise ConfigError(
            f"{path}: cannot be read; the pilot's own command with this version writes it anew"
        ) from None
