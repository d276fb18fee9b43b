"""MLflow's own UI on the store that studies write to."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

import psutil

from augsearch.errors import StudyError
from augsearch.tracking.client import client_for, in_words, quiet_mlflow, tracking_uri, unreachable
from augsearch.tracking.experiment import STUDIES, find_experiment, view_path
from augsearch.tracking.pages import FIRST_PAGE

PATIENCE = 5
"""Seconds that MLflow's server has to end."""


def serve_ui(port: int) -> None:
    """Serve the MLflow UI on 127.0.0.1 until interrupted.

    Raises:
        StudyError: the port is taken, the store cannot be opened, or it is a remote server with a
            UI of its own.
    """
    quiet_mlflow()
    uri = tracking_uri()
    if uri.startswith(("http://", "https://")):
        raise StudyError(f"MLFLOW_TRACKING_URI is a server: open {uri} in a browser")
    with socket.socket() as probe:
        # Without this, a port that was closed a moment ago counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise StudyError(f"port {port} is in use; choose another with --port")
    page = landing_page(uri)
    print(telemetry_in_words(os.environ), flush=True)
    command = [*_command(), "--host", "127.0.0.1", "--port", str(port)]
    server = psutil.Popen(command, env={**_environment(uri), FIRST_PAGE: page})
    try:
        if _answers(server, port):
            print(f"MLflow UI: http://127.0.0.1:{port}/#/{page} (stop with Ctrl-C)", flush=True)
        code = server.wait()
    except KeyboardInterrupt:
        _end(server)
        return
    if code > 0:
        raise StudyError(f"MLflow's server ended with exit code {code}; see above")


def _answers(server: psutil.Popen, port: int) -> bool:
    """Whether the server came up; waits until it did, or ended."""
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def telemetry_in_words(environment: Mapping[str, str]) -> str:
    """Whether MLflow sends anything, in one line."""
    if environment["MLFLOW_DISABLE_TELEMETRY"].lower() in ("true", "1"):
        return "Telemetry is off: MLflow sends nothing about its use to anybody."
    return "Telemetry is as MLFLOW_DISABLE_TELEMETRY says."


def _command() -> list[str]:
    """What serves: one worker is enough for one reader, and a line for each request too much."""
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1"]
    command += ["--uvicorn-opts", "--log-level warning"]
    if entry_points(group="mlflow.app", name="augsearch"):  # not where only the source is there
        command += ["--app-name", "augsearch"]
    return command


def _environment(uri: str) -> dict[str, str]:
    """The server's: a dozen processes fewer than for its queues of jobs, and no chatter."""
    return {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        **os.environ,
        # Commands are seen by everybody on the machine, and the URI may hold a password.
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_REGISTRY_STORE_URI": uri,
    }


def _end(server: psutil.Popen) -> None:
    """End MLflow's server with its workers, which would go on alone and keep the port."""
    with suppress(psutil.NoSuchProcess):
        processes = [*server.children(recursive=True), server]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def landing_page(uri: str) -> str:
    """Where the UI opens, after `#/`: the studies and their verdicts, once there are any."""
    database = uri.removeprefix("sqlite:///")
    # A client would make a database that is not there.
    if database == uri or Path(database).is_file():
        try:
            experiment = find_experiment(client_for(uri))
        except unreachable() as error:
            raise StudyError(
                f"MLflow cannot open {uri}: {in_words(error)}; do as it says if it gives a "
                "remedy, else move the file away (the next run of each study's command fills a "
                "new one) or set MLFLOW_TRACKING_URI"
            ) from None
        if experiment:
            return view_path(experiment, STUDIES)
    # Left to itself, MLflow opens on its pages for language models.
    return "experiments?workflowType=machine_learning"
