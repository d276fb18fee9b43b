"""How MLflow is reached, and what it says when it cannot be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from augsearch.errors import StudyError, without_passwords
from augsearch.tracking.experiment import (
    NeedsAPerson,
)

LONG = 2.0
"""Seconds from which on a failure was waiting: a server is there and does not answer."""
PATIENCE = 2
"""Such failures in a row after which nothing is sent before it must be."""

SHOWN = 120
"""Characters of an answer that is none."""


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
        with _made_by_one(uri):
            return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except ImportError as error:
        raise NeedsAPerson(f"it needs a driver that is not installed ({error})") from None


def sqlite_file(uri: str) -> Path | None:
    """The file that a store of this machine lies in; None if it is another kind of store."""
    start = "sqlite:///"
    return Path(uri.removeprefix(start)) if uri.startswith(start) else None


@contextmanager
def _made_by_one(uri: str) -> Iterator[None]:
    """Two processes that find no SQLite file would both make its tables, and one of them fail."""
    file = sqlite_file(uri)
    if file is None or not file.parent.is_dir():
        yield
        return
    with filelock.FileLock(file.with_name(f".{file.name}.lock"), timeout=60):
        if not file.exists():
            _make_whole(file)
        yield


def _make_whole(file: Path) -> None:
    """An SQLite file with all of MLflow's tables, or none: MLflow can neither use nor mend one that
    a Ctrl-C left half made."""
    import sqlalchemy
    from mlflow.store.db import utils

    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    engine = sqlalchemy.create_engine(f"sqlite:///{part}")
    try:
        utils._initialize_tables(engine)  # type: ignore[no-untyped-call]
    finally:
        engine.dispose()
    part.replace(file)


def in_words(error: Exception) -> str:
    """What is wrong with MLflow, and where: away, or there and refusing, with its own reason."""
    from mlflow.exceptions import MlflowException

    where, reason = f"MLflow at {tracking_uri()}", reason_of(error)
    said = f"{where} cannot be reached ({reason})"
    if isinstance(error, NeedsAPerson):
        said = f"{where} cannot be used: {reason}"
    elif isinstance(error, MlflowException) and "failed with exception" not in reason:
        said = f"{where} refuses: {reason}"
    return without_passwords(said)


def reason_of(error: Exception) -> str:
    """An error's own words in one line; of a database error without the statement, of a page that
    came instead of an answer its beginning."""
    from sqlalchemy.exc import SQLAlchemyError

    lines = str(error).splitlines() or [type(error).__name__]
    said = " ".join((lines[0] if isinstance(error, SQLAlchemyError) else " ".join(lines)).split())
    before, body, page = said.partition("Response body: ")
    return before + body + (page if len(page) <= SHOWN else f"{page[:SHOWN]}…")


def unreachable() -> tuple[type[Exception], ...]:
    """What MLflow raises when its server or database is away, or takes nothing."""
    from alembic.util.exc import CommandError
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return (
        *(NeedsAPerson, MlflowException, RequestException),
        *(SQLAlchemyError, CommandError, OSError),
    )
