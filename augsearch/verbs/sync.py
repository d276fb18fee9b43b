"""`augsearch sync`: MLflow as the database says, for stores that were away, lost or new."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError, DataError, StudyError
from augsearch.progress import Progress, Quiet
from augsearch.search.certificate.certificate import Certificate
from augsearch.search.report.collect import Sources
from augsearch.search.report.files import report_files
from augsearch.search.result.recommended import registration
from augsearch.search.result.result import StudyResult
from augsearch.search.search_study import result_page, written_files
from augsearch.store.database import DEFAULT_STORAGE, find_storage, is_running, owner_lock
from augsearch.store.listing import study_names
from augsearch.store.stored import find_study
from augsearch.store.study_store import Store
from augsearch.study.mirrored import mirror_of
from augsearch.study.painting import views_painter
from augsearch.study.records import record_makers
from augsearch.study.remembered import Remembered
from augsearch.study.reopen import reopen
from augsearch.study.setup import Setup
from augsearch.tracking.client import in_words, quiet_mlflow
from augsearch.tracking.experiment import NeedsAPerson
from augsearch.tracking.mirror import Mirror
from augsearch.verbs.certify import CERTIFICATE, certificate_page
from augsearch.verbs.report import stored_result
from augsearch.watch.watched import watched


@dataclass(frozen=True)
class Synced:
    """A study as MLflow has it now.

    Attributes:
        runs: that it has, the study's own apart.
        verdict: whether its verdict is there.
        images: whether its images were there; without them MLflow gets no pictures of views, and
            the policy no version in the model registry.
    """

    study: str
    runs: int
    verdict: bool
    images: bool


def sync_study(
    name: str,
    *,
    storage: str = DEFAULT_STORAGE,
    data: str | Path | ImageSet | None = None,
    progress: Progress | bool | None = None,
) -> Synced:
    """Bring MLflow up to date with a stored study, without new training: its runs, and once there
    is a verdict its page, files and registered policy.

    Args:
        name: of the study.
        storage: URL of Optuna's database.
        data: the images, if they have moved or were not read from files.
        progress: told what happens; None shows it on a terminal and in a notebook, False nowhere.

    Raises:
        StudyError: no such study, one that is running, that holds ablations or is of another
            version; or MLflow cannot be reached.
        AugsearchError: `data` is not what the study was run on.
    """
    with watched(progress) as told:
        return _synced(find_study(storage, name), storage, data, told)


def sync_studies(*, storage: str, progress: Progress) -> tuple[tuple[Synced, ...], int]:
    """The same for every study of a database: those that MLflow has now, and how many were left
    out, each of which is named.

    Raises:
        StudyError: the database or MLflow cannot be reached.
    """
    opened = find_storage(storage)
    if opened is None:
        raise StudyError(f"nothing is stored at {storage}")
    found, left = [], 0
    for name in sorted(study_names(opened)):
        try:
            found.append(_synced(find_study(storage, name), storage, None, progress))
        except _Away:
            raise
        except (StudyError, ConfigError) as error:
            left += 1
            progress.warn(f"{name} is left out: {error}")
    return tuple(found), left


class _Away(StudyError):
    """MLflow cannot be reached, or refuses."""


def _synced(
    store: Store, storage: str, data: str | Path | ImageSet | None, progress: Progress
) -> Synced:
    quiet_mlflow()
    if store.kept.is_ablation:
        raise StudyError(
            f"{store.name!r} holds ablations; give its command again, which trains nothing that is "
            "there"
        )
    if is_running(storage, store.name):
        raise StudyError(f"{store.name!r} is running; its own process keeps MLflow up to date")
    with owner_lock(storage, store.name):
        setup = _setup(store, storage, data, progress)
        remembered = _remembered(store)
        mirror = mirror_of(setup, progress) if setup else remembered.mirror(progress)
        refused: list[str] = []
        mirror.warn, mirror.otherwise = refused.append, "nothing is lost; try again later"
        mirror.elsewhere = "MLFLOW_TRACKING_URI names another store, in which this one can be shown"
        mirror.began, mirror.ended = _span(store)
        paint = views_painter(setup.bench) if setup else None
        makers = record_makers(store, paint, setup or remembered)
        result = stored_result(store, _directory(store))
        shown = mirror.sync(makers, at_end=True) and _finished(
            mirror, store, setup, remembered, result, storage
        )
        if not shown and isinstance(mirror.refusal, NeedsAPerson):
            raise StudyError(in_words(mirror.refusal))
        if not shown:
            raise _Away(refused[-1])
        for sentence in refused:
            progress.warn(sentence)
    return Synced(store.name, len(makers), result is not None, setup is not None)


def _span(store: Store) -> tuple[int | None, int | None]:
    """When the study's first run began and its last one ended, in milliseconds since 1970."""
    spans = [
        *(
            (int(1000 * began.timestamp()), int(1000 * ended.timestamp()))
            for trial in store.trials()
            if (began := trial.datetime_start) and (ended := trial.datetime_complete)
        ),
        *(
            (run.ended - int(1000 * run.outcome.seconds["total"]), run.ended)
            for run in store.all_runs()
            if run.outcome
        ),
    ]
    if not spans:
        return None, None
    return min(began for began, _ in spans), max(ended for _, ended in spans)


def _directory(store: Store) -> Path:
    return Path(store.kept.asked.get("output") or Path("runs") / store.name)


def _remembered(store: Store) -> Remembered:
    try:
        return Remembered.of(store)
    except (ValidationError, KeyError):
        raise StudyError(
            f"the study {store.name!r} was made by another version of augsearch; run its command "
            "once more with this one"
        ) from None


def _setup(
    store: Store, storage: str, data: str | Path | ImageSet | None, progress: Progress
) -> Setup | None:
    """The study with its images; None, which is said, where they are gone."""
    try:
        return reopen(store.name, storage=storage, data=data, device="cpu", progress=Quiet())
    except (DataError, StudyError) as error:
        if data is not None:
            raise
        progress.warn(
            f"{store.name}: no pictures of views and no version in the model registry: {error}. "
            f"`augsearch sync {store.name} --data` with its images adds them"
        )
        return None


def _finished(
    mirror: Mirror,
    store: Store,
    setup: Setup | None,
    remembered: Remembered,
    result: StudyResult | None,
    storage: str,
) -> bool:
    """The study's own run, with what is known by now."""
    policy = store.kept.winner
    if result is None or policy is None:
        mirror.end("KILLED")
        return True
    if setup is not None:
        files = written_files(setup, store, policy, result)
    else:
        files = {
            **policy.files(),
            "result.json": (json.dumps(result.model_dump(mode="json"), indent=2) + "\n").encode(),
            **_report(store, remembered, storage, result),
        }
    shown = mirror.finish(result_page(result, store, remembered.space, files))
    if shown and setup is not None:
        shown = mirror.register(registration(setup, policy, result))
    if shown and store.kept.certificate:
        certificate = Certificate.model_validate(store.kept.certificate)
        shown = mirror.amend(CERTIFICATE, certificate_page(certificate, {}))
    return shown


def _report(
    store: Store, remembered: Remembered, storage: str, result: StudyResult
) -> Mapping[str, bytes]:
    missing = "No pictures of views: the images were not there when MLflow was brought up to date."
    return report_files(Sources(store, remembered.config, storage, None, None, result, missing))
