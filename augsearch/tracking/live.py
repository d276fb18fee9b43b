"""A long training in MLflow while it goes on: curves, what the machine does, and its files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from augsearch.errors import AugsearchError
from augsearch.tracking.client import LONG, PATIENCE, client_for, in_words, tracking_uri
from augsearch.tracking.experiment import NeedsAPerson, open_experiment
from augsearch.tracking.machine import Watch
from augsearch.tracking.mirror import NOTE_TAG
from augsearch.tracking.tracker import DataReference
from augsearch.tracking.upkeep import FORM, FORM_TAG, KEY_TAG, log_all, log_data, log_files

SECONDS = 10
"""Between two looks at the machine."""


@dataclass
class LiveRun:
    """A run of its own in MLflow. What MLflow misses while it is away, it gets when it is back.

    Args:
        key: what it is found again by when it goes on.
        name: for people.
        data: the images.
        warn: told once, in one sentence, when MLflow cannot be reached.
    """

    key: str
    name: str
    params: Mapping[str, str | float]
    tags: Mapping[str, str]
    data: DataReference
    warn: Callable[[str], None]
    _client: Any = None
    _run: str = ""
    _watch: Watch | None = None
    _waiting: dict[tuple[str, int], float] = field(default_factory=dict)
    _known: set[tuple[str, int]] = field(default_factory=set)
    _away: bool = False
    _waits: int = 0

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Values at an optimiser step; those that it has already are not added twice."""
        values = {(name, step): value for name, value in metrics.items()}
        self._waiting |= {key: value for key, value in values.items() if key not in self._known}
        if self._waits < PATIENCE:  # else at the end, with all of them
            self._attempt(self._send)

    def finish(
        self, description: str, metrics: Mapping[str, float], files: Mapping[str, bytes]
    ) -> bool:
        """Files, description and last values of a training that ended. False if MLflow is away."""

        def show() -> None:
            self._send()
            for name, value in metrics.items():
                self._client.log_metric(self._run, name, value)
            self._client.set_tag(self._run, NOTE_TAG, description)
            log_files(self._client, self._run, files)

        done = self._attempt(show)
        self.end("FINISHED")
        return done

    @contextmanager
    def kept(self) -> Iterator[None]:
        """If what is in here ends by an error, the run ends as killed or failed."""
        try:
            yield
        except BaseException as error:
            self.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise

    def end(self, status: str) -> None:
        """It trains no more: FINISHED, KILLED or FAILED, in MLflow's words."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.end()
        if self._client is not None:
            self._attempt(lambda: self._client.set_terminated(self._run, status))

    def _send(self) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, step) for (name, step), value in self._waiting.items()]
        log_all(self._client, self._run, {}, metrics)
        self._known |= self._waiting.keys()
        self._waiting = {}

    def _attempt(self, action: Callable[[], Any]) -> bool:
        begin = time.monotonic()
        try:
            self._connect()
            action()
        except Exception as error:  # nothing that MLflow raises ends a training
            if isinstance(error, AugsearchError) and not isinstance(error, NeedsAPerson):
                raise
            if not self._away:
                self.warn(f"{in_words(error)}; the training goes on")
            self._away = True
            self._waits = self._waits + 1 if time.monotonic() - begin > LONG else 0
            return False
        self._away, self._waits = False, 0
        return True

    def _connect(self) -> None:
        if self._client is not None:
            return
        client = client_for(tracking_uri())
        experiment = open_experiment(client)
        found = client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{self.key}'")
        if found and found[0].data.tags.get(FORM_TAG) != FORM:
            client.delete_run(found[0].info.run_id)
            found = []
        if found:
            self._run = found[0].info.run_id
            client.update_run(self._run, status="RUNNING")
            self._know(client, found[0].data.metrics)
        else:
            tags = {KEY_TAG: self.key, FORM_TAG: FORM, **self.tags}
            self._run = client.create_run(experiment, run_name=self.name, tags=tags).info.run_id
            log_all(client, self._run, self.params)
            log_data(client, self._run, self.data)
        self._client = client
        self._watch = Watch(self._run, tracking_uri(), SECONDS)

    def _know(self, client: Any, names: Iterable[str]) -> None:
        """What the run has already is not sent again."""
        for name in names:
            history = client.get_metric_history(self._run, name)
            self._known |= {(name, metric.step) for metric in history}
        for key in self._known & self._waiting.keys():
            del self._waiting[key]
