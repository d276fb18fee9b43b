"""What a study is called that nobody named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from augsearch.progress import Progress
from augsearch.store.database import on_server
from augsearch.store.listing import stored_at
from augsearch.store.settings import differences
from augsearch.study.mirrored import tags_of
from augsearch.study.setup import Setup
from augsearch.tracking.upkeep import may_show_another


def briefly_named(setup: Setup, settings: Mapping[str, Any], progress: Progress) -> Setup:
    """The setup without the digits of its name, unless they are needed to tell it from something
    else that is called so, which is said; or others may call theirs so, on a server.

    Args:
        setup: its name ends in its digits.
        settings: those that it is stored with.
    """
    brief = replace(setup, name=setup.name.removesuffix(f"-{setup.digits}"))
    if on_server(setup.storage) or stored_at(setup.storage, setup.name) is not None:
        return setup
    if (there := stored_at(setup.storage, brief.name)) is not None:
        if there.kept.digits == setup.digits:
            return brief
        found = differences(there.kept.settings, settings) or "it was given this name"
        another = f"another study is called {brief.name} ({found})"
    elif brief.output is None and brief.directory.is_dir() and any(brief.directory.iterdir()):
        another = f"{brief.directory} holds results of a study that is not stored here"
    elif may_show_another(brief.name, tags_of(setup)):
        another = f"MLflow shows, or may show, another study called {brief.name}"
    else:
        return brief
    progress.note(f"{another}; this one is called {setup.name}")
    return setup
