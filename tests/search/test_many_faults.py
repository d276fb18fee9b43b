"""Forty trials on two workers, one of which is killed every twenty seconds.

A real PostgreSQL, a real MLflow server, and Ray or workers of our own: exactly forty trials end,
and MLflow has them all.
"""

import os
import random
import signal
import threading
from collections import Counter
from importlib.util import find_spec

import psutil
import pytest
from postgresql import needs_postgresql, postgresql
from small_study import small_config, small_images, small_space
from studying import mirrored
from test_workers import Workers

from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.verbs.run import run_study
from benchmarks.speed.scale import mlflow_server

pytestmark = [
    needs_postgresql,
    pytest.mark.slow,
    # Ray's own: sockets and processes that it leaves to its shutdown.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TRIALS, EVERY = 40, 20.0


def longer(config):
    """Trials of some seconds, so that there is something to kill."""
    pretrain = config.pretrain.model_copy(update={"steps": 200})
    pruner = config.search.pruner.model_copy(update={"first_rung": 100})
    search = config.search.model_copy(update={"pruner": pruner, "trials": TRIALS})
    confirm = config.confirm.model_copy(update={"steps": 200})
    changed = {"pretrain": pretrain, "search": search, "confirm": confirm}
    return config.model_copy(update=changed)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A database and an MLflow server, which the study is told of."""
    with postgresql() as server, mlflow_server(tmp_path) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield server


@pytest.mark.parametrize("engine", ["workers", "ray"])
def test_exactly_forty_trials_whoever_dies(places, engine):
    if engine == "ray" and find_spec("ray") is None:
        pytest.skip("needs Ray: pip install 'augsearch[ray]'")
    over, rng, killed = threading.Event(), random.Random(1), []
    workers = Workers(places.url, "small", 2) if engine == "workers" else None

    def kill_one():
        while not over.wait(EVERY):
            if workers is not None:
                workers.end_one(signal.SIGKILL, rng.randrange(9))
                killed.append(workers.ended[-1].pid)
                continue
            tasks = [
                process
                for process in psutil.Process().children(recursive=True)
                if "ray::_do" in " ".join(process.cmdline())
            ]
            if tasks:
                one = rng.choice(tasks)
                os.kill(one.pid, signal.SIGKILL)
                killed.append(one.pid)

    thread = threading.Thread(target=kill_one)
    thread.start()
    try:
        result = run_study(
            small_space(), data=small_images(), study=longer(small_config(parallel=2)),
            name="small", device="cpu", storage=places.url, engine=engine,
        )  # fmt: skip
    finally:
        over.set()
        thread.join()
        if workers is not None:
            workers.kill()
        else:
            import ray

            ray.shutdown()
    assert len(killed) >= 2, "too fast to show anything"
    store = Store(open_storage(places.url), "small")
    assert len(store.finished()) == TRIALS and not store.failed()
    numbers = Counter(trial.number for trial in store.finished())
    assert sorted(numbers) == list(range(TRIALS)) and set(numbers.values()) == {1}
    trials = {f"trial/{number}" for number in numbers}
    assert {key for key in mirrored() if key.startswith("trial/")} == trials
    runs = [key for key in mirrored() if key.startswith("confirmation/")]
    assert len(runs) == len(store.runs("confirmation"))
    assert result.trials["complete"] + result.trials["pruned"] == TRIALS
