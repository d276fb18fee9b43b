"""What is done to a study in MLflow apart from mirroring it: later files, and its removal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from augsearch.errors import StudyError, without_passwords
from augsearch.tracking.client import client_for, in_words, tracking_uri, unreachable
from augsearch.tracking.experiment import (
    check_not_deleted,
    find_experiment,
)
from augsearch.tracking.registry import Removed, unregister
from augsearch.tracking.tracker import DataReference

STUDY_TAG, KEY_TAG = "augsearch.study", "augsearch.key"


def attach(study: str, artifacts: Mapping[str, bytes], warn: Callable[[str], None]) -> bool:
    """Put files beside a finished study's run. False, with a warning, if MLflow cannot be reached
    or does not know the study."""
    try:
        client = client_for(tracking_uri())
        experiment = find_experiment(client)
        parents = experiment and client.search_runs(
            [experiment],
            f"tags.`{STUDY_TAG}` = '{study}' AND tags.`{KEY_TAG}` = 'study'",
        )
        if parents:
            log_files(client, parents[0].info.run_id, artifacts)
            return True
        check_not_deleted(client)
        reason = (
            f"MLflow at {without_passwords(tracking_uri())} does not know the study, whose command "
            "brings it up to date"
        )
    except unreachable() as error:
        reason = in_words(error)
    warn(f"MLflow did not get the report: {reason}; the files are written")
    return False


def log_params(client: Any, run: str, params: Mapping[str, str | float]) -> None:
    """Parameters of a run, cut to what MLflow takes."""
    from mlflow.entities import Param

    entries = [Param(key, str(value)[:6000]) for key, value in params.items()]
    for begin in range(0, len(entries), 100):
        client.log_batch(run, params=entries[begin : begin + 100])


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
    with TemporaryDirectory() as directory:
        for name, content in files.items():
            path = Path(directory) / name
            path.write_bytes(content)
            client.log_artifact(run, str(path))


def delete_mirrored(study: str) -> tuple[int, Removed]:
    """Delete a study's runs and registered policies in MLflow; how many there were.

    Raises:
        StudyError: MLflow cannot be reached.
    """
    try:
        client = client_for(tracking_uri())
        experiment = find_experiment(client, deleted=True)
        if experiment is None:
            return 0, Removed(0, ())
        removed = unregister(client, experiment, study)
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
