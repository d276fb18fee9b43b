"""What it takes to do a study again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augsearch.report.sections.reproduce import Reproduce
from augsearch.search.result.result import StudyResult
from augsearch.store.database import storage_flag
from augsearch.store.study_store import Store
from augsearch.study.command import command_line
from augsearch.study.setup import Setup
from augsearch.study_file import StudyConfig


def reproduce(
    store: Store, config: StudyConfig, result: StudyResult | None, command: str
) -> Reproduce:
    """The command, and what it depends on."""
    settings, asked = store.kept.settings, store.kept.asked
    seeds = ""
    if result:
        seeds = f"{result.confirmation_seeds[0]} to {result.confirmation_seeds[-1]}"
    facts = {
        "in the directory": asked.get("directory", ""),
        "by a command": asked.get("in_python", ""),
        "seed": str(settings["seed"]),
        "seeds of the confirmation": seeds,
        "data": str(asked["data"]),
        "space": str(asked["space_file"]),
        "study file": str(asked["study_file"]),
        "encoder": config.encoder.called,
        "weights": _weights(config, settings),
        "steps of a trial": str(config.pretrain.steps),
        "steps of a confirmation": str(config.confirm.steps),
        "device": result.device if result else "",
        # The files that the command names may have been changed since.
        "both as they were read": "space.json and study.json, beside result.json" if result else "",
    }
    return Reproduce(
        command=command,
        facts={what: said for what, said in facts.items() if said},
        digests=result.digests if result else {"data": settings["data"]["digest"]},
        versions=result.versions if result else {},
    )


def _weights(config: StudyConfig, settings: Mapping[str, Any]) -> str:
    if not config.encoder.is_pretrained:
        return ""
    return f"{config.encoder.weights}, digest {settings.get('weights')}"


def study_command(
    store: Store, storage: str, setup: Setup | None, result: StudyResult | None
) -> str:
    """The command that repeats the study or goes on with it, where its parts are now."""
    asked = store.kept.asked
    if "flags" not in asked:  # an older version made the study
        if result:
            return result.command
        return setup.command() if setup else "its command, as it was given"
    flags = dict(asked["flags"])
    flags["--storage"] = storage_flag(storage)
    if setup and setup.source.name != asked["data"] and setup.source.flag:
        flags["--data"] = setup.source.flag
    return command_line("run", flags)
