"""What is done to a study in MLflow apart from mirroring it: later files, and its removal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from augsearch.errors import StudyError, without_passwords
from augsearch.tracking.client import (
    client_for,
    in_words,
    sqlite_file,
    tracking_uri,
    unreachable,
)
from augsearch.tracking.experiment import (
    check_not_deleted,
    drop_view_of,
    find_experiment,
)
from augsearch.tracking.registry import Removed, unregister
from augsearch.tracking.tracker import DataReference

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

STUDY_TAG, KEY_TAG, DATA_TAG = "augsearch.study", "augsearch.key", "augsearch.data_digest"
DIGITS_TAG, IDENTITY_TAG = "augsearch.digits", "augsearch.identity"
PICTURES_TAG = "augsearch.pictures"
"""Of runs that were shown without pictures, because the images were not there."""
FORM_TAG, FORM = "augsearch.form", "2"
"""How a run is written: names and units of its metrics, what is a parameter and what a tag. Runs of
another form are made anew, so that no list mixes the two. Runs without the tag are of form 1."""


def attach(
    study: str, artifacts: Mapping[str, bytes], warn: Callable[[str], None], data: str = ""
) -> bool:
    """Put files beside a finished study's run. False, with a warning, if MLflow cannot be reached
    or does not know the study.

    Args:
        data: digest of its images; empty for those of any.
    """
    try:
        client = client_for(tracking_uri())
        experiment = find_experiment(client)
        run = run_of_study(client, experiment, study) if experiment else None
        if run and is_of(run, {DATA_TAG: data}):
            log_files(client, run.info.run_id, artifacts)
            return True
        check_not_deleted(client)
        reason = (
            f"MLflow at {without_passwords(tracking_uri())} does not know the study; "
            "`augsearch sync` shows it there"
        )
    except unreachable() as error:
        reason = in_words(error)
    warn(f"MLflow did not get the report: {reason}; the files are written")
    return False


def run_of_study(client: Any, experiment: str, study: str) -> Run | None:
    """The run of the study of that name, if there is one."""
    found = client.search_runs(
        [experiment], f"tags.`{STUDY_TAG}` = '{study}' AND tags.`{KEY_TAG}` = 'study'"
    )
    return found[0] if found else None


def is_of(run: Run, tags: Mapping[str, str]) -> bool:
    """Whether no tag says that a run is of another study of that name: MLflow may serve several
    databases, which do not know each other's studies. An empty tag stands for any."""
    there = run.data.tags
    return all(not wanted or there.get(tag, wanted) == wanted for tag, wanted in tags.items())


def may_show_another(study: str, tags: Mapping[str, str]) -> bool:
    """Whether MLflow has a study of that name that is another, or is a place where others put
    theirs, or cannot say."""
    if (file := sqlite_file(tracking_uri())) is None:
        return True
    if not file.exists():
        return False
    try:
        client = client_for(tracking_uri())
        experiment = find_experiment(client, deleted=True)
        run = run_of_study(client, experiment, study) if experiment else None
    except unreachable():
        return True
    return run is not None and not is_of(run, tags)


def log_all(
    client: Any, run: str, params: Mapping[str, str | float], metrics: Sequence[Metric] = ()
) -> None:
    """Parameters, cut to what MLflow takes, and metrics, in as few requests as it allows."""
    from mlflow.entities import Param

    wanted = [Param(key, str(value)[:6000]) for key, value in params.items()]
    left = list(metrics)
    while wanted or left:
        now, wanted = wanted[:100], wanted[100:]
        room = 1000 - len(now)
        client.log_batch(run, metrics=left[:room], params=now)
        left = left[room:]


def log_data(client: Any, run: str, data: DataReference) -> None:
    """The images of a run, as MLflow's data set."""
    from mlflow.entities import Dataset, DatasetInput

    dataset = Dataset(
        name=data.name,
        digest=data.digest,
        source_type="local",
        source=json.dumps({"uri": data.source}),
        profile=json.dumps(dict(data.profile)),
    )
    client.log_inputs(run, datasets=[DatasetInput(dataset, tags=[])])


def log_files(client: Any, run: str, files: Mapping[str, bytes]) -> None:
    """Files as artifacts of a run."""
    if files:
        with _written(files) as directory:
            client.log_artifacts(run, directory)


def log_files_of_new(client: Any, run: Run, files: Mapping[str, bytes]) -> None:
    """The same for a run that was just made, without asking MLflow where its artifacts go."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if files:
        place: Any = get_artifact_repository(
            run.info.artifact_uri, tracking_uri=client.tracking_uri
        )
        with _written(files) as directory:
            place.log_artifacts(directory)


@contextmanager
def _written(files: Mapping[str, bytes]) -> Iterator[str]:
    with TemporaryDirectory() as directory:
        for name, content in files.items():
            (Path(directory) / name).write_bytes(content)
        yield directory


def delete_mirrored(study: str, data: str = "") -> tuple[int, Removed]:
    """Delete a study's runs and registered policies in MLflow; how many there were. Those of a
    study of the same name on other images stay.

    Args:
        data: digest of its images; empty for those of any.

    Raises:
        StudyError: MLflow cannot be reached.
    """
    try:
        client = client_for(tracking_uri())
        experiment = find_experiment(client, deleted=True)
        if experiment is None:
            return 0, Removed(0, ())
        run = run_of_study(client, experiment, study)
        if run and not is_of(run, {DATA_TAG: data}):
            return 0, Removed(0, ())
        removed = unregister(client, experiment, study)
        drop_view_of(client, study)
        return _delete_runs(client, experiment, study), removed
    except unreachable() as error:
        raise StudyError(f"{in_words(error)}; nothing is deleted") from None


def _delete_runs(client: Any, experiment: str, study: str) -> int:
    count = 0
    while runs := client.search_runs(
        [experiment], f"tags.`{STUDY_TAG}` = '{study}'", max_results=1000
    ):
        for run in runs:
            client.delete_run(run.info.run_id)
            count += 1
    return count
