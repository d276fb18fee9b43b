"""All studies of a database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from augsearch.store.database import find_storage
from augsearch.store.frozen_trials import (
    trial_score,
)
from augsearch.store.ranking import ranked
from augsearch.store.study_store import COMPANION, Store, _is_study


@dataclass(frozen=True)
class StudySummary:
    """One line of `augsearch studies`.

    Attributes:
        code: of the verdict; empty without one, and for an ablation.
        digits: of all that decides it; empty where an older version made it.
        gain: of the best candidate over the baseline that is hardest for it, as a share; None
            without a verdict.
    """

    name: str
    finished: int
    failed: int
    best: float | None
    data: str
    space: str
    verdict: str
    code: str = ""
    gain: float | None = None
    digits: str = ""


def check_settings(url: str, name: str, settings: Mapping[str, Any]) -> None:
    """Look whether the study could start or go on at `url`; makes no database and no study.

    Raises:
        StudyError: the database cannot be opened, or holds that study with other settings.
    """
    storage = find_storage(url)
    if storage is not None and name in optuna.get_all_study_names(storage):
        Store(storage, name, settings=settings)


def is_study(storage: optuna.storages.BaseStorage, name: str) -> bool:
    """Whether a study has that name."""
    return name in optuna.get_all_study_names(storage)


def study_names(storage: optuna.storages.BaseStorage) -> list[str]:
    """Names of all studies."""
    return [name for name in optuna.get_all_study_names(storage) if _is_study(name)]


def stored_at(url: str, name: str) -> Store | None:
    """A study for reading; None if there is none of that name."""
    storage = find_storage(url)
    there = storage is not None and name in optuna.get_all_study_names(storage)
    return Store(storage, name) if storage is not None and there else None


def summaries(storage: optuna.storages.BaseStorage) -> list[StudySummary]:
    """Every study in the database."""
    found = []
    for name in sorted(study_names(storage)):
        store = Store(storage, name)
        settings = store.kept.settings
        if store.kept.is_ablation:
            runs = store.all_runs()
            scores = [run.outcome.score for run in runs if run.outcome]
            finished, failed, best = len(scores), len(runs) - len(scores), max(scores, default=None)
        else:
            finished, failed = len(store.finished()), len(store.failed())
            top = ranked(store.complete_trials(), store.aims)
            best = trial_score(top[0]) if top else None
        found.append(
            StudySummary(
                name=name,
                finished=finished,
                failed=failed,
                best=best,
                data=str(settings.get("data", {}).get("name", "")),
                space=str(
                    settings.get("space", {}).get("name", store.kept.asked.get("space_name", ""))
                ),
                verdict=store.kept.verdict,
                code=str(store.kept.result.get("verdict", {}).get("code", "")),
                gain=best_gain(store.kept.result),
                digits=store.kept.digits,
            )
        )
    return found


def best_gain(result: Mapping[str, Any]) -> float | None:
    """What the best candidate gains over the baseline that is hardest for it, as a share; None
    where none was compared.

    Args:
        result: as in `result.json`.
    """
    kinds = {policy["name"]: policy["kind"] for policy in result.get("policies", ())}
    hardest: dict[str, float] = {}
    for one in result.get("verdict", {}).get("differences", ()):
        if kinds.get(one["of"]) == "candidate" and kinds.get(one["against"]) == "baseline":
            hardest[one["of"]] = min(one["mean"], hardest.get(one["of"], float("inf")))
    return max(hardest.values(), default=None)


def stores_with(
    storage: optuna.storages.BaseStorage, settings: Mapping[str, Any], but: str
) -> Iterator[Store]:
    """Every other study that was made with the same settings, for reading."""
    wanted = json.loads(json.dumps(settings))
    for name in optuna.get_all_study_names(storage):
        if _is_study(name) and name != but:
            store = Store(storage, name)
            if store.kept.settings == wanted:
                yield store


def delete_study(storage: optuna.storages.BaseStorage, name: str) -> None:
    """Remove a study and its other runs. StudyError if there is none of that name."""
    Store(storage, name)
    # The companion first: left behind, its runs would be those of a later study of that name.
    optuna.delete_study(study_name=name + COMPANION, storage=storage)
    optuna.delete_study(study_name=name, storage=storage)


def board_name(storage: str, name: str) -> str:
    """What a study's jobs are known by where workers find them. A later study of the same name has
    another, so that nobody trains for it with the settings of this one."""
    store = stored_at(storage, name)
    return name if store is None else f"{name} {store.kept.identity}"
