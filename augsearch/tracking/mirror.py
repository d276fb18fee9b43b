"""A copy of a study in MLflow: one parent run, one child for each training run.

Optuna's database decides; this mirror may fall behind when the tracking server is away and catches
up at the next `sync`. It asks MLflow what is there instead of remembering, so it can be killed at
any point. Metrics and parameters are documented in docs/mlflow.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from augsearch.errors import AugsearchError, ConfigError
from augsearch.tracking.client import (
    LONG,
    PATIENCE,
    client_for,
    in_words,
    reason_of,
    sqlite_file,
    tracking_uri,
    unreachable,
)
from augsearch.tracking.experiment import (
    NeedsAPerson,
    keep_view_of,
    open_experiment,
    view_of,
    view_path,
)
from augsearch.tracking.machine import Watch
from augsearch.tracking.registry import Registration, register
from augsearch.tracking.tracker import DataReference, Page, Record
from augsearch.tracking.upkeep import (
    FORM,
    FORM_TAG,
    IDENTITY_TAG,
    KEY_TAG,
    PICTURES_TAG,
    STUDY_TAG,
    is_of,
    log_all,
    log_data,
    log_files,
    log_files_of_new,
    run_of_study,
)
from augsearch.words import counted

PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
SECONDS = 30
"""Between two looks at the machine: studies take long."""


class _Ours(Exception):
    """Carries what went wrong before MLflow was asked."""


@dataclass
class Mirror:
    """The study's place in MLflow.

    Args:
        study: the study's name.
        params, tags: what people compare studies by, and what tells them apart.
        data: the data set.
        warn: told once, in one sentence, when MLflow cannot be reached.
        otherwise: what happens then; ends that sentence.
        elsewhere: what to do where another study has the name.
        identity: tells the study from an earlier one of its name and settings, whose database is
            gone; asked for when MLflow is.
        pictures: whether the records bring pictures: runs without them are then made anew.
        began, ended: of the study's run, in milliseconds since 1970; None for now.
    """

    study: str
    params: Mapping[str, str | float]
    data: DataReference
    warn: Callable[[str], None]
    tags: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = (
        "the search goes on, and the next run of the same command, or `augsearch sync`, brings "
        "MLflow up to date"
    )
    elsewhere: str = "give this one a --name of its own to have it shown and registered"
    identity: Callable[[], str] = str
    pictures: bool = True
    began: int | None = None
    ended: int | None = None
    refusal: Exception | None = None
    _client: Any = None
    _experiment: str = ""
    _parent: str = ""
    _mirrored: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By key, a run's id and its description."""
    _watch: Watch | None = None
    _kept: bool = False
    _away: bool = False
    _waits: int = 0

    def sync(self, makers: Mapping[str, Callable[[], Record]], *, at_end: bool = False) -> bool:
        """Copy the runs that MLflow lacks, given by key. False if it could not be reached.

        A server that twice did not answer is only asked again at the end of a phase: each time
        costs the search what it takes to give up.
        """
        if self._waits >= PATIENCE and not at_end:
            return False
        return self._attempt(lambda: self._copy(makers))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The study's run ends when what is in here does, by an error as killed or failed."""
        self._kept = True
        try:
            yield
        except BaseException as error:
            self.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        if self._watch is not None:  # else it is finished
            self.end("FINISHED")

    def end(self, status: str) -> None:
        """The study's run is over, in MLflow's words."""
        self._look_away()
        if self._client is not None:
            self._attempt(
                lambda: self._client.set_terminated(self._parent, status, end_time=self.ended)
            )

    def finish(self, page: Page) -> bool:
        """Close the parent run with the result. False if MLflow could not be reached."""
        return self._attempt(lambda: self._show(page, self._with_link(page.description)))

    def _with_link(self, description: str) -> str:
        where = f"#/{view_path(self._experiment, view_of(self.study))}"
        return f"{description}\n\n[The study's trials, best first]({where})"

    def amend(self, section: str, page: Page) -> bool:
        """Add to a finished parent: metrics, files, tags, and a section of its description, which
        takes the place of an earlier one of that title. False if MLflow could not be reached."""

        def add() -> None:
            there = self._client.get_run(self._parent).data.tags
            heading = f"\n\n## {section}\n"
            before = there.get(NOTE_TAG, "").partition(heading)
            after = before[2].partition("\n\n## ")
            rest = f"\n\n## {after[2]}" if after[1] else ""
            self._show(page, f"{before[0]}{heading}{page.description}{rest}")

        return self._attempt(add)

    def _show(self, page: Page, description: str) -> None:
        there = self._client.get_run(self._parent).data.metrics
        for name, value in page.metrics.items():
            if there.get(name) != value:
                self._client.log_metric(self._parent, name, value)
        for name, text in {NOTE_TAG: description, **page.tags}.items():
            self._client.set_tag(self._parent, name, text)
        log_files(self._client, self._parent, page.artifacts)
        for key, note in page.notes.items():
            run, there = self._mirrored.get(key, ("", note))
            if note != there:
                self._client.set_tag(run, NOTE_TAG, note)
                self._mirrored[key] = run, note
        if page.columns:
            keep_view_of(self._client, self._experiment, self.study, page.columns)
        self._look_away()
        self._client.set_terminated(self._parent, "FINISHED", end_time=self.ended)

    def _look_away(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.end()

    def register(self, wanted: Registration) -> bool:
        """Give the recommended policy of a finished study its version in the model registry. False
        if that could not be done, which costs nothing but the version."""
        failures: tuple[type[Exception], ...] = (ConfigError, *unreachable())
        try:
            register(self._client, self._client.get_run(self._parent), wanted)
        except failures as error:
            self.warn(
                f"the policy is not in MLflow's model registry ({reason_of(error)}); policy.yaml "
                "is written, and the next run of the same command tries again"
            )
            return False
        return True

    def _attempt(self, action: Callable[[], None]) -> bool:
        begin = time.monotonic()
        try:
            self._connect()
            action()
        except _Ours as error:
            raise error.__cause__ or error from None
        except Exception as error:  # nothing that MLflow raises ends a search
            if isinstance(error, AugsearchError) and not isinstance(error, NeedsAPerson):
                raise
            self.refusal = error
            if not self._away:
                self.warn(f"{in_words(error)}; {self.otherwise}")
            self._away, self._client = True, None
            self._waits = self._waits + 1 if time.monotonic() - begin > LONG else 0
            return False
        self._away, self._waits = False, 0
        return True

    def _connect(self) -> None:
        if self._client is not None:
            return
        client = client_for(tracking_uri())
        self._experiment = open_experiment(client)
        if run := run_of_study(client, self._experiment, self.study):
            # MLflow may serve several databases, which do not know each other's studies.
            if not is_of(run, self.tags):
                raise NeedsAPerson(
                    f"a study {self.study!r} with other images, another space or other settings "
                    f"is there; {self.elsewhere}"
                )
            self._parent = run.info.run_id
            self._own(client, run.data.tags.get(IDENTITY_TAG, ""))
            client.update_run(self._parent, status="RUNNING")
        else:
            tags = {**self.tags, STUDY_TAG: self.study, KEY_TAG: "study"}
            tags |= {IDENTITY_TAG: mine} if (mine := self.identity()) else {}
            self._parent = client.create_run(
                self._experiment, run_name=self.study, tags=tags, start_time=self.began
            ).info.run_id
            log_all(client, self._parent, self.params)
            log_data(client, self._parent, self.data)
        self._mirrored = self._usable(client)
        self._client = client
        self._look_away()  # from where a connection broke
        if self._kept:  # else nothing says when to stop
            self._watch = Watch(self._parent, tracking_uri(), SECONDS)

    def _own(self, client: Any, there: str) -> None:
        """In a store of this machine, runs of an earlier study of that name, whose database is
        gone, are deleted. On a server they may be somebody's who runs the same study."""
        mine = self.identity()
        if not mine or mine == there:
            return
        if there and sqlite_file(tracking_uri()):
            children = self._children(client)
            for child in children:
                client.delete_run(child.info.run_id)
            self.warn(
                f"MLflow has {counted(len(children), 'run')} of an earlier {self.study}, whose "
                "database is gone; this study's are shown instead, and those lie in MLflow's bin"
            )
        elif there:
            return
        client.set_tag(self._parent, IDENTITY_TAG, mine)

    def _usable(self, client: Any) -> dict[str, tuple[str, str]]:
        """The runs that are there; what was half written when a connection broke or is of an older
        form is deleted, and made anew."""
        found, older = {}, 0
        for child in self._children(client):
            tags, run = child.data.tags, child.info.run_id
            ended, current = child.info.status != "RUNNING", tags.get(FORM_TAG) == FORM
            missing = self.pictures and PICTURES_TAG in tags
            if ended and current and not missing:
                found[tags[KEY_TAG]] = run, tags.get(NOTE_TAG, "")
                continue
            client.delete_run(run)
            older += ended and not current
        if older:
            self.warn(
                f"MLflow has {counted(older, 'run')} of {self.study} as an older version wrote "
                "them; they are shown anew, and what was there lies in MLflow's bin"
            )
        return found

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
        for key, make in makers.items():
            if key in self._mirrored:
                continue
            try:
                record = make()
                artifacts = record.artifacts()
            except Exception as error:  # of whatever kind, it is no failure of MLflow's
                raise _Ours from error
            self._mirrored[record.key] = self._add(record, artifacts), record.description

    def _add(self, record: Record, artifacts: Mapping[str, bytes]) -> str:
        """A run of its own for a record; its id."""
        from mlflow.entities import Metric

        tags = {
            **record.tags,
            STUDY_TAG: self.study,
            KEY_TAG: record.key,
            FORM_TAG: FORM,
            PARENT_TAG: self._parent,
            **({NOTE_TAG: record.description} if record.description else {}),
        }
        run = self._client.create_run(
            self._experiment, run_name=record.name, tags=tags, start_time=record.start
        )
        metrics = [Metric(k, v, record.end, 0) for k, v in record.metrics.items()]
        for name, points in record.series.items():
            metrics += [Metric(name, value, record.end, step) for step, value in points]
        run_id: str = run.info.run_id
        log_all(self._client, run_id, record.params, metrics)
        log_data(self._client, run_id, self.data)
        log_files_of_new(self._client, run, artifacts)
        self._client.set_terminated(run_id, record.status, end_time=record.end)
        return run_id
