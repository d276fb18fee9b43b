"""A copy of a study in MLflow: one parent run, one child for each training run.

Optuna's database decides; this mirror may fall behind when the tracking server is away and catches
up at the next `sync`. It asks MLflow what is there instead of remembering, so it can be killed at
any point. Metrics and parameters are documented in docs/mlflow.md.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from augsearch.errors import ConfigError, StudyError
from augsearch.tracking.experiment import (
    NeedsAPerson,
    check_not_deleted,
    find_experiment,
    open_experiment,
)
from augsearch.tracking.registry import Registration, Removed, register, unregister

STUDY_TAG, KEY_TAG = "augsearch.study", "augsearch.key"
PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
Series = Mapping[str, Iterable[tuple[int, float]]]


@dataclass(frozen=True)
class DataReference:
    """The images, as MLflow's data set column shows them."""

    name: str
    digest: str
    source: str
    profile: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """One finished training run, as MLflow is told about it.

    Attributes:
        key: unique within the study.
        name: for people.
        status: FINISHED, FAILED or KILLED (pruned), MLflow's words.
        artifacts: file name -> content, made only when needed.
        start, end: milliseconds since 1970.
    """

    key: str
    name: str
    status: str
    params: Mapping[str, str | float]
    metrics: Mapping[str, float]
    series: Series
    tags: Mapping[str, str]
    artifacts: Callable[[], Mapping[str, bytes]]
    start: int
    end: int


@dataclass
class Mirror:
    """The study's place in MLflow.

    Args:
        study: the study's name.
        params: what every run of the study shares.
        data: the data set.
        warn: told once, in one sentence, when MLflow cannot be reached.
    """

    study: str
    params: Mapping[str, str | float]
    data: DataReference
    warn: Callable[[str], None]
    _client: Any = None
    _experiment: str = ""
    _parent: str = ""
    _mirrored: set[str] = field(default_factory=set)
    _away: bool = False

    def sync(self, makers: Mapping[str, Callable[[], Record]]) -> bool:
        """Copy the runs that MLflow lacks, given by key. False if it could not be reached."""
        return self._attempt(lambda: self._copy(makers))

    def finish(
        self,
        *,
        description: str,
        metrics: Mapping[str, float],
        artifacts: Mapping[str, bytes],
        tags: Mapping[str, str],
        status: str = "FINISHED",
    ) -> bool:
        """Close the parent run with the result. False if MLflow could not be reached."""

        def close() -> None:
            for name, value in metrics.items():
                self._client.log_metric(self._parent, name, value)
            for name, text in {NOTE_TAG: description, **tags}.items():
                self._client.set_tag(self._parent, name, text)
            self._log_files(self._parent, artifacts)
            self._client.set_terminated(self._parent, status)

        return self._attempt(close)

    def amend(
        self,
        *,
        section: str,
        text: str,
        metrics: Mapping[str, float],
        artifacts: Mapping[str, bytes],
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        """Add to a finished parent: metrics, files, tags, and a section of its description, which
        takes the place of an earlier one of that title. False if MLflow could not be reached."""

        def add() -> None:
            there = self._client.get_run(self._parent).data.tags
            heading = f"\n\n## {section}\n"
            before = there.get(NOTE_TAG, "").partition(heading)
            after = before[2].partition("\n\n## ")
            rest = f"\n\n## {after[2]}" if after[1] else ""
            self._client.set_tag(self._parent, NOTE_TAG, f"{before[0]}{heading}{text}{rest}")
            for name, value in metrics.items():
                self._client.log_metric(self._parent, name, value)
            for name, text_of_tag in tags.items():
                self._client.set_tag(self._parent, name, text_of_tag)
            self._log_files(self._parent, artifacts)
            self._client.set_terminated(self._parent, "FINISHED")

        return self._attempt(add)

    def register(self, wanted: Registration) -> bool:
        """Give the recommended policy of a finished study its version in the model registry. False
        if that could not be done, which costs nothing but the version."""
        failures: tuple[type[Exception], ...] = (ConfigError, *unreachable())
        try:
            register(self._client, self._client.get_run(self._parent), wanted)
        except failures as error:
            self.warn(
                f"the policy is not in MLflow's model registry ({_reason(error)}); policy.yaml is "
                "written, "
                "and the next run of the same command tries again"
            )
            return False
        return True

    def _attempt(self, action: Callable[[], None]) -> bool:
        try:
            self._connect()
            action()
        except unreachable() as error:
            if not self._away:
                self.warn(
                    f"{in_words(error)}; the search goes on, and the next run of the same command "
                    "brings MLflow up to date"
                )
            self._away, self._client = True, None
            return False
        self._away = False
        return True

    def _connect(self) -> None:
        if self._client is not None:
            return
        client = client_for(tracking_uri())
        self._experiment = open_experiment(client)
        parents = client.search_runs(
            [self._experiment],
            f"tags.`{STUDY_TAG}` = '{self.study}' AND tags.`{KEY_TAG}` = 'study'",
        )
        if parents:
            self._parent = parents[0].info.run_id
            client.update_run(self._parent, status="RUNNING")
        else:
            tags = {STUDY_TAG: self.study, KEY_TAG: "study"}
            self._parent = client.create_run(
                self._experiment, run_name=self.study, tags=tags
            ).info.run_id
            self._log_params(client, self._parent, self.params)
            self._log_data(client, self._parent)
        self._mirrored = set()
        for child in self._children(client):
            if child.info.status == "RUNNING":  # half written when the connection broke
                client.delete_run(child.info.run_id)
            else:
                self._mirrored.add(child.data.tags[KEY_TAG])
        self._client = client

    def _children(self, client: Any) -> list[Any]:
        children, token = [], None
        while True:
            page = client.search_runs(
                [self._experiment],
                f"tags.`{PARENT_TAG}` = '{self._parent}'",
                max_results=1000,
                page_token=token,
            )
            children += page
            token = page.token
            if not token:
                return children

    def _copy(self, makers: Mapping[str, Callable[[], Record]]) -> None:
        from mlflow.entities import Metric

        for key, make in makers.items():
            if key in self._mirrored:
                continue
            record = make()
            tags = {
                **record.tags,
                STUDY_TAG: self.study,
                KEY_TAG: record.key,
                PARENT_TAG: self._parent,
            }
            run = self._client.create_run(
                self._experiment, run_name=record.name, tags=tags, start_time=record.start
            ).info.run_id
            self._log_params(self._client, run, record.params)
            metrics = [Metric(k, v, record.end, 0) for k, v in record.metrics.items()]
            for name, points in record.series.items():
                metrics += [Metric(name, value, record.end, step) for step, value in points]
            for begin in range(0, len(metrics), 1000):
                self._client.log_batch(run, metrics=metrics[begin : begin + 1000])
            self._log_data(self._client, run)
            self._log_files(run, record.artifacts())
            self._client.set_terminated(run, record.status, end_time=record.end)
            self._mirrored.add(record.key)

    def _log_params(self, client: Any, run: str, params: Mapping[str, str | float]) -> None:
        from mlflow.entities import Param

        entries = [Param(key, str(value)[:6000]) for key, value in params.items()]
        for begin in range(0, len(entries), 100):
            client.log_batch(run, params=entries[begin : begin + 100])

    def _log_data(self, client: Any, run: str) -> None:
        from mlflow.entities import Dataset, DatasetInput

        data = Dataset(
            name=self.data.name,
            digest=self.data.digest,
            source_type="local",
            source=json.dumps({"uri": self.data.source}),
            profile=json.dumps(dict(self.data.profile)),
        )
        client.log_inputs(run, datasets=[DatasetInput(data, tags=[])])

    def _log_files(self, run: str, files: Mapping[str, bytes]) -> None:
        log_files(self._client, run, files)


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
            f"MLflow at {tracking_uri()} does not know the study, whose command brings it up to "
            "date"
        )
    except unreachable() as error:
        reason = in_words(error)
    warn(f"MLflow did not get the report: {reason}; the files are written")
    return False


def log_files(client: Any, run: str, files: Mapping[str, bytes]) -> None:
    """Files as artifacts of a run."""
    with TemporaryDirectory() as directory:
        for name, content in files.items():
            path = Path(directory) / name
            path.write_bytes(content)
            client.log_artifact(run, str(path))


def tracking_uri() -> str:
    """Where MLflow's store is: `MLFLOW_TRACKING_URI`, else `mlflow.db` in this directory.

    Raises:
        StudyError: an old file store lies here, which newer MLflow versions refuse.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if uri:
        return uri
    for meta in Path("mlruns").glob("*/meta.yaml"):
        if meta.parent.name.isdigit():
            raise StudyError(
                "./mlruns holds an MLflow file store of the old kind, which MLflow no longer "
                "writes; set MLFLOW_TRACKING_URI=sqlite:///mlflow.db to start a new store beside "
                "it, run `mlflow migrate-filestore`, or work in another directory"
            )
    # Absolute: MLflow keeps a store by its address, and a process may change its directory.
    return f"sqlite:///{Path('mlflow.db').resolve()}"


def quiet_mlflow() -> None:
    """Settings before MLflow is imported: no telemetry, no long waits for a missing server, no
    progress bars for small files, no address of every run.

    What the user has set in the environment stays.
    """
    for name, value in (
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("DO_NOT_TRACK", "true"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1"),
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "10"),
        ("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false"),
        ("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true"),
    ):
        os.environ.setdefault(name, value)


def client_for(uri: str) -> Any:
    """An MLflow client on `uri`, without touching MLflow's global state."""
    import logging

    from mlflow.tracking import MlflowClient

    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    try:
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except ImportError as error:
        raise NeedsAPerson(f"it needs a driver that is not installed ({error})") from None


def in_words(error: Exception) -> str:
    """What is wrong with MLflow, and where: away, or there and refusing, with its own reason."""
    from mlflow.exceptions import MlflowException

    where, reason = f"MLflow at {tracking_uri()}", _reason(error)
    if isinstance(error, NeedsAPerson):
        return f"{where} cannot be used: {reason}"
    if isinstance(error, MlflowException) and "failed with exception" not in reason:
        return f"{where} refuses: {reason}"
    return f"{where} cannot be reached ({reason})"


def _reason(error: Exception) -> str:
    """An error's own words in one line; of a database error without the statement."""
    from sqlalchemy.exc import SQLAlchemyError

    lines = str(error).splitlines() or [type(error).__name__]
    return " ".join((lines[0] if isinstance(error, SQLAlchemyError) else " ".join(lines)).split())


def unreachable() -> tuple[type[Exception], ...]:
    """What MLflow raises when its server or database is away, or takes nothing."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return (NeedsAPerson, MlflowException, RequestException, SQLAlchemyError, OSError)


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


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)
