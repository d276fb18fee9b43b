"""What many workers would do to one driver, one database and one MLflow server.

    uv run python -m benchmarks.speed.scale [--trials 24] [--workers 1,2] [--trial-seconds 60]

Runs a study of short trials in a PostgreSQL of its own, with a real MLflow server, driven by this
process and trained by `augsearch worker` processes; once for each number of workers. Counts what a
trial costs: seconds of the driver (asking the sampler, keeping the answer, showing it to MLflow),
transactions of driver and worker, requests to MLflow. From these it models 1 to 1,000 workers with
trials of `--trial-seconds`, and says what gives first. Writes results/scale.json.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from urllib.request import urlopen

import requests
import sqlalchemy

from augsearch.engines.board import BEAT
from augsearch.engines.remote import POLL
from augsearch.progress import Quiet
from augsearch.search.trials.course import Course
from augsearch.tracking.mirror import Mirror
from augsearch.verbs.run import run_study
from benchmarks.shared.postgresql import postgresql
from benchmarks.shared.timing import write_result

STUDY = """
name: scale
data: {{image_size: 32}}
encoder: {{width: 8, stages: 2, stem: stride2}}
pretrain: {{steps: 40, batch_size: 32}}
evaluate: {{labels_per_class: 4, draws: 10}}
search: {{trials: {trials}, pruner: {{kind: successive_halving, first_rung: 20}}}}
confirm: {{top: 1, baselines: 1, seeds: 5, max_seeds: 5, steps: 40, also: []}}
compute: {{parallel: {workers}}}
"""
MODELLED = (1, 10, 100, 1000)


class Counter(Quiet):
    """What the driver did during the trials."""

    def __init__(self) -> None:
        self.counting = False
        self.seconds: dict[str, list[float]] = {"ask": [], "keep": [], "show": []}
        self.transactions = self.requests = 0
        self.began = self.ended = 0.0

    def phase(self, name: str, done: int, total: int, round: str = "") -> None:
        del done, total, round
        self.counting = name == "trials"
        if self.counting:
            self.began = time.perf_counter()
        elif self.began and not self.ended:
            self.ended = time.perf_counter()

    def timed(self, what: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                if self.counting:
                    self.seconds[what].append(time.perf_counter() - begin)

        return call

    def committed(self, _connection: object) -> None:
        self.transactions += self.counting

    def sent(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.requests += self.counting
            return method(*arguments, **options)

        return call


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(120):
                try:
                    with urlopen(f"{address}/health", timeout=2):
                        break
                except OSError:
                    time.sleep(0.5)
            yield address
        finally:
            os.killpg(process.pid, 15)


def measured(workers: int, trials: int) -> dict[str, Any]:
    """One study; what a trial cost, and how many there were an hour."""
    counter = Counter()
    with ExitStack() as stack:
        server = stack.enter_context(postgresql())
        folder = Path(stack.enter_context(TemporaryDirectory()))
        tracking = stack.enter_context(mlflow_server(folder))
        stack.enter_context(patch.dict(os.environ, {"MLFLOW_TRACKING_URI": tracking}))
        study = folder / "scale.yaml"
        study.write_text(STUDY.format(trials=trials, workers=workers))
        command = [sys.executable, "-m", "augsearch", "worker", "--study", "scale"]
        command += ["--storage", server.url, "--device", "cpu"]
        started = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(workers)]
        for owner, name, what in (
            (Course, "ask", "ask"),
            (Course, "end", "keep"),
            (Mirror, "sync", "show"),
        ):
            stack.enter_context(
                patch.object(owner, name, counter.timed(what, getattr(owner, name)))
            )
        send = requests.Session.send
        stack.enter_context(patch.object(requests.Session, "send", counter.sent(send)))
        sqlalchemy.event.listen(sqlalchemy.Engine, "commit", counter.committed)
        try:
            run_study(
                "factory",
                study=study,
                name="scale",
                device="cpu",
                storage=server.url,
                engine="workers",
                output=folder / "out",
                progress=counter,
            )
        finally:
            sqlalchemy.event.remove(sqlalchemy.Engine, "commit", counter.committed)
            for process in started:
                process.terminate()
                process.wait()
    seconds = (counter.ended or time.perf_counter()) - counter.began
    driver = {what: statistics.median(found) for what, found in counter.seconds.items()}
    return {
        "workers": workers,
        "trials": trials,
        "seconds": seconds,
        "trials_an_hour": 3600 * trials / seconds,
        "driver_seconds": driver,
        "driver_transactions": counter.transactions / trials,
        "driver_transactions_a_second": counter.transactions / seconds,
        "mlflow_requests": counter.requests / trials,
    }


def modelled(one: dict[str, Any], trial: float) -> list[dict[str, Any]]:
    """Rates for many workers, from what a trial costs the driver; all of it is done in turn."""
    serial = sum(one["driver_seconds"].values())
    polls = 1 / POLL
    own = one["driver_transactions"] - polls * one["seconds"] / one["trials"]
    rows = []
    for workers in MODELLED:
        rate = min(workers / trial, 1 / serial)
        # A worker takes, says two rungs and finishes; it gives a sign of life every few seconds.
        of_workers = rate * 4 + workers / BEAT
        rows.append(
            {
                "workers": workers,
                "trials_an_hour": 3600 * rate,
                "busy_workers": rate * trial,
                "transactions_a_second": rate * max(0.0, own) + polls + of_workers,
                "mlflow_requests_a_second": rate * one["mlflow_requests"],
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--trial-seconds", type=float, default=60.0)
    options = parser.parse_args()
    rows = [measured(int(number), options.trials) for number in options.workers.split(",")]
    print("workers  trials/h  ask    keep   show    transactions  requests  (of a trial)")
    for row in rows:
        ask, keep, show = (row["driver_seconds"][what] for what in ("ask", "keep", "show"))
        print(
            f"{row['workers']:>7}{row['trials_an_hour']:>10.0f}  {ask:.3f}  {keep:.3f}  {show:.3f}"
            f"{row['driver_transactions']:>14.1f}{row['mlflow_requests']:>10.1f}"
        )
    model = modelled(rows[0], options.trial_seconds)
    print(f"\nmodel, trials of {options.trial_seconds:g} s")
    print("workers  trials/h  busy   transactions/s  requests/s")
    for row in model:
        print(
            f"{row['workers']:>7}{row['trials_an_hour']:>10.0f}{row['busy_workers']:>6.0f}"
            f"{row['transactions_a_second']:>17.1f}{row['mlflow_requests_a_second']:>12.1f}"
        )
    content = {"measured": rows, "trial_seconds": options.trial_seconds, "model": model}
    print(write_result("scale", content))


if __name__ == "__main__":
    main()
