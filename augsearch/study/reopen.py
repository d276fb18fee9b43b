"""From a stored study's name back to everything it was run with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from augsearch.data.imageset import ImageSet
from augsearch.errors import StudyError
from augsearch.progress import Progress
from augsearch.store.listing import check_settings
from augsearch.store.stored import find_study, stored_config, stored_space
from augsearch.study.origin import find_origin
from augsearch.study.prepare import prepare
from augsearch.study.request import EngineName, StudyRequest, engine_of
from augsearch.study.setup import Setup
from augsearch.study.source import Source


def reopen(
    name: str,
    *,
    storage: str,
    data: str | Path | ImageSet | None,
    device: str,
    progress: Progress,
    engine: EngineName = "local",
) -> Setup:
    """The setup with which the study `name` was run, its images loaded and checked.

    Args:
        data: the images, if they have moved or were not read from files.
        engine: as in `run_study`.

    Raises:
        StudyError: no such study, one from an older version, or images that are not the same.
    """
    store = find_study(storage, name)
    name = store.name
    asked, settings = store.kept.asked, store.kept.settings
    if store.kept.is_ablation:
        raise StudyError(f"{name!r} holds ablations, not a search; name a study")
    if not asked or "space" not in settings:
        raise StudyError(
            f"the study {name!r} does not say what it was run with; run its command once more "
            "with this version"
        )
    try:
        config, space = stored_config(store), stored_space(store)
    except ValidationError:
        raise StudyError(
            f"the study {name!r} was made by another version of augsearch, whose settings this "
            "one does not know; use that version, or run the study again under another --name"
        ) from None
    request = StudyRequest(
        space,
        data=data if data is not None else Source.stored(asked["data"]).folder,
        study=config,
        seed=settings["seed"],
        device=device,
        name=name,
        subset=asked["subset"],
        storage=storage,
        output=asked["output"],
        engine=engine,
    )
    origin = find_origin(storage, settings["from"]["study"]) if "from" in settings else None
    setup = _called(prepare(request, progress=progress, origin=origin), settings["data"]["name"])
    if setup.image_set.digest != settings["data"]["digest"]:
        where = f"--data {data}" if isinstance(data, (str, Path)) else setup.source.name
        raise StudyError(
            f"{where}: these are not the images of the study {name!r}, or not all of them, or they "
            "have changed; name the ones that it was run on"
        )
    check_settings(storage, name, setup.settings)
    return as_asked(setup, asked)


def _called(setup: Setup, data: str) -> Setup:
    """The setup with its images under the name that they had: their folder may have another."""
    image_set = replace(setup.image_set, name=data)
    return replace(setup, bench=replace(setup.bench, image_set=image_set))


def as_asked(setup: Setup, asked: Mapping[str, Any]) -> Setup:
    """The setup with what the user once named, instead of the objects that it was opened with."""
    flags = asked.get("flags")
    if flags is None:  # an older version made the study
        return setup
    return replace(
        setup,
        space_file=asked["space_file"],
        study_file=asked["study_file"],
        asked_space=flags["--space"],
        asked_study=flags["--study"],
        asked_device=flags["--device"] or "auto",
        in_python=asked["in_python"],
        asked_engine=engine_of(flags.get("--engine") or "local"),
    )
