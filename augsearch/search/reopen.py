"""From a stored study's name back to everything it was run with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from augsearch.data.imageset import ImageSet
from augsearch.errors import StudyError
from augsearch.search.config import StudyConfig
from augsearch.search.progress import Progress
from augsearch.search.setup import EMBEDDED, Setup, prepare
from augsearch.search.store import Store, check_settings, find_storage
from augsearch.space.presets import find_config
from augsearch.space.space import Space, load_space


def find_study(storage: str, name: str) -> Store:
    """A stored study, for reading. StudyError if there is none of that name."""
    opened = find_storage(storage)
    if opened is None:
        raise StudyError(f"there is no study {name!r}: nothing is stored at {storage}")
    return Store(opened, name)


def reopen(
    name: str,
    *,
    storage: str,
    data: str | Path | ImageSet | None,
    device: str,
    progress: Progress,
) -> Setup:
    """The setup with which the study `name` was run, its images loaded and checked.

    Args:
        data: the images, if they have moved or were not read from files.

    Raises:
        StudyError: no such study, one from an older version, or images that are not the same.
    """
    store = find_study(storage, name)
    asked, settings = store.asked, store.settings
    if not asked or "space" not in settings:
        raise StudyError(
            f"the study {name!r} does not say what it was run with; run its command once more "
            "with this version"
        )
    try:
        config = StudyConfig.model_validate({**settings["study"], "certify": asked["certify"]})
        space = _space(settings["space"], asked["space_file"])
    except ValidationError:
        raise StudyError(
            f"the study {name!r} was made by another version of augsearch, whose settings this "
            "one does not know; use that version, or run the study again under another --name"
        ) from None
    trials = config.search.model_copy(update={"trials": asked["trials"]})
    source = data if data is not None else asked["data"]
    setup = prepare(
        space,
        data=None if source == EMBEDDED else source,
        study=config.model_copy(update={"search": trials, "name": asked["study_name"]}),
        trials=None,
        seed=settings["seed"],
        device=device,
        name=name,
        subset=asked["subset"],
        storage=storage,
        output=asked["output"],
        progress=progress,
    )
    check_settings(storage, name, setup.settings)
    return setup


def _space(stored: dict[str, Any], file: str) -> Space:
    """The stored space; one with operations of the user's own is read where these lie."""
    if '"custom"' in json.dumps(stored):
        return load_space(find_config(file, "spaces"))
    return Space.model_validate(stored)
