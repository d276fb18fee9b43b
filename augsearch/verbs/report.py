"""`augsearch report`: a study on one page, for people who decide, and as tables for programs."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError, DataError, StudyError
from augsearch.files import write_files
from augsearch.progress import Progress, Quiet
from augsearch.search.report.collect import Sources
from augsearch.search.report.files import PAGE, ablation_report_files, report_files
from augsearch.search.result.result import StudyResult
from augsearch.store.database import DEFAULT_STORAGE, is_running
from augsearch.store.stored import find_study, stored_config
from augsearch.store.study_store import Store
from augsearch.study.painting import views_painter
from augsearch.study.reopen import reopen
from augsearch.study.setup import Setup, check_output
from augsearch.study_file import StudyConfig
from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.upkeep import attach


def report_study(
    name: str,
    *,
    storage: str = DEFAULT_STORAGE,
    data: str | Path | ImageSet | None = None,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the report of a study or of an ablation from what is stored, without new training.

    It goes to the study's directory as `report.html` (one file that opens without a network),
    `report.md` and `trials.csv`, and to the study's run in MLflow once there is a verdict. A study
    that is still running, or was interrupted, gets a report of what there is.

    Args:
        name: of the study or ablation.
        storage: URL of Optuna's database.
        data: the images, if they have moved or were not read from files; where they cannot be
            found, the report does without pictures of views.
        output: directory; None for the study's own.
        progress: told what happens.

    Returns:
        The HTML file.

    Raises:
        StudyError: no such study, or one from an older version.
        AugsearchError: `data` is not what the study was run on, or `output` cannot be written.
    """
    progress = progress or Quiet()
    quiet_mlflow()
    store = find_study(storage, name)
    name = store.name
    own = Path(store.kept.asked.get("output") or Path("runs") / name)
    directory = own if output is None else Path(output)
    if store.kept.is_ablation:
        check_output(directory, make=True)
        files = ablation_report_files(store, running=is_running(storage, name))
        finished = bool(store.kept.ablations)
    else:
        config = _config(store)
        setup, missing = _setup(name, storage, data, progress)
        check_output(directory, make=True)
        result = stored_result(store, own)
        paint = views_painter(setup.bench) if setup else None
        files = report_files(Sources(store, config, storage, setup, paint, result, missing))
        finished = result is not None
    write_files(directory, files)
    if finished:
        digest = store.kept.settings.get("data", {}).get("digest", "")
        attach(name, files, progress.warn, digest)
    return directory / PAGE


def stored_result(store: Store, directory: Path) -> StudyResult | None:
    """What the study found: from its database or, of a study from before results were kept there,
    from its directory; None while there is no verdict."""
    if not store.kept.verdict:
        return None
    content = store.kept.result
    file = directory / "result.json"
    if not content and file.is_file():
        content = json.loads(file.read_text(encoding="utf-8"))
    if content.get("study") != store.name:
        return None
    try:
        found = StudyResult.model_validate(content)
    except ValidationError:
        raise _other_version(store.name) from None
    return found.written(directory, (), store.kept.winner)


def _config(store: Store) -> StudyConfig:
    try:
        return stored_config(store)
    except (ValidationError, KeyError):
        raise _other_version(store.name) from None


def _other_version(name: str) -> StudyError:
    return StudyError(
        f"the study {name!r} was made by another version of augsearch; run its command once more "
        "with this one"
    )


def _setup(
    name: str, storage: str, data: str | Path | ImageSet | None, progress: Progress
) -> tuple[Setup | None, str]:
    """The study with its images; without them, why, if the user did not name them."""
    try:
        return reopen(name, storage=storage, data=data, device="cpu", progress=progress), ""
    except (DataError, ConfigError, StudyError) as error:
        if data is not None:
            raise
        reason = f"No pictures of views: {error}."
        if isinstance(error, ConfigError):  # images are not what is lacking
            progress.warn(reason)
            return None, reason
        progress.warn(f"{reason} Name the images with --data")
        return None, f"{reason} Write the report again with --data to have them."
