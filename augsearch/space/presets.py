"""Find a space or study file: a path, or the name of a preset that ships with the package."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

from augsearch.errors import ConfigError

Kind = Literal["spaces", "studies"]


def preset_directory(kind: Kind) -> Path:
    """Where presets lie: inside an installed package, or at the top of a source checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "presets" / kind
    return installed if installed.is_dir() else package.parent / kind


def preset_names(kind: Kind) -> list[str]:
    """Names of the presets, without `.yaml`."""
    return sorted(path.stem for path in preset_directory(kind).glob("*.yaml"))


def find_config(name: str | Path, kind: Kind) -> Path:
    """The file meant by `name`: an existing path first, then a preset (`factory[.yaml]`).

    Raises:
        ConfigError: neither; the message lists the presets.
    """
    path = Path(name)
    if path.is_file():
        return path
    stem = path.name.removesuffix(".yaml").removesuffix(".yml")
    preset = preset_directory(kind) / f"{stem}.yaml"
    if path.parent == Path() and preset.is_file():
        return preset
    names = preset_names(kind)
    close = difflib.get_close_matches(stem, names, n=1)
    hint = f"did you mean the preset {close[0]!r}? " if close else ""
    raise ConfigError(
        f"{name}: no such file, and no preset of that name; {hint}presets: {', '.join(names)}"
    )
