"""How MLflow is reached, and what it says when it cannot be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from augsearch.errors import StudyError, without_passwords
from augsearch.tracking.experiment import (
    NeedsAPerson,
)


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

    where, reason = f"MLflow at {tracking_uri()}", reason_of(error)
    said = f"{where} cannot be reached ({reason})"
    if isinstance(error, NeedsAPerson):
        said = f"{where} cannot be used: {reason}"
    elif isinstance(error, MlflowException) and "failed with exception" not in reason:
        said = f"{where} refuses: {reason}"
    return without_passwords(said)


def reason_of(error: Exception) -> str:
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
