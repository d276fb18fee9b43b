"""What a stored study was run with, read back from its database."""

from __future__ import annotations

import json

from pydantic import ValidationError

from augsearch.errors import StudyError
from augsearch.evaluate.config import EvaluateConfig
from augsearch.space.space import Space, load_space
from augsearch.store.database import find_storage
from augsearch.store.listing import study_names
from augsearch.store.names import full_name, is_made
from augsearch.store.study_store import Store
from augsearch.study_file import StudyConfig


def find_study(storage: str, name: str, *, exactly: bool = False) -> Store:
    """A stored study, for reading. Of one that an older version named the digits may be left out
    where it alone is called so; newer ones have digits because something else is called so.

    Args:
        exactly: they may not.

    Raises:
        StudyError: there is none of that name.
    """
    opened = find_storage(storage)
    if opened is None:
        raise StudyError(f"there is no study {name!r}: nothing is stored at {storage}")
    meant = name if exactly else full_name(name, study_names(opened))
    if meant != name and not _is_older(Store(opened, meant)):
        meant = name
    return Store(opened, meant)


def _is_older(store: Store) -> bool:
    settings, asked = store.kept.settings, store.kept.asked
    space = settings.get("space", {}).get("name", asked.get("space_name", ""))
    data = settings.get("data", {}).get("name", "")
    return not store.kept.digits and is_made(store.name, str(space), str(data))


def stored_config(store: Store) -> StudyConfig:
    """The study file that a study was run with."""
    asked = store.kept.asked
    parts = {
        **store.kept.settings["study"],
        "certify": asked["certify"],
        "full": asked.get("full", {}),
        "finetune": asked.get("finetune", {}),
        "pilot": asked.get("pilot", {}),
        "name": asked["study_name"],
    }
    parts["search"] = {**parts["search"], "trials": asked["trials"]}
    apart = {key: asked[key] for key in ("parallel", "gpu_share") if key in asked}
    parts["compute"] = {**parts.get("compute", {}), **apart}
    parts["confirm"] = {**parts["confirm"], "also": asked.get("also", ())}
    parts["encoder"] = {**parts["encoder"], **asked.get("encoder_files", {})}
    return StudyConfig.model_validate(parts)


def stored_metric(store: Store) -> str:
    """What the scores of a study or ablation are; `score` if an older version does not say."""
    try:
        return EvaluateConfig.model_validate(store.kept.settings["study"]["evaluate"]).measured
    except (KeyError, ValidationError):
        return "score"


def stored_space(store: Store) -> Space:
    """The space of a study; one with operations of the user's own is read where these lie."""
    stored = store.kept.settings["space"]
    if '"custom"' in json.dumps(stored):
        return load_space(store.kept.asked["space_file"])
    return Space.model_validate(stored)
