"""What the shell completes: names of studies and presets, read without a heavy import."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import typer

from augsearch.space.presets import preset_names

COMPANIONS = " / "
"""What only the names of Optuna studies hold that are none of ours (`store.study_store`)."""


def study_names(context: typer.Context) -> list[str]:
    """The studies in the SQLite file of `--storage`; none of a server's, which may be slow."""
    url = str(context.params.get("storage") or "sqlite:///augsearch.db")
    file = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not file.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("SELECT study_name FROM studies ORDER BY study_name")
            return [name for (name,) in found if COMPANIONS not in name]
    except sqlite3.Error:
        return []


def space_names() -> list[str]:
    """The spaces that ship with augsearch."""
    return preset_names("spaces")


def study_files() -> list[str]:
    """The study files that ship with augsearch."""
    return preset_names("studies")
