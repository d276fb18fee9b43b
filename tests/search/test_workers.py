"""A study that workers train, in a real PostgreSQL: the answer is that of one machine."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from postgresql import needs_postgresql, postgresql
from small_study import small_config, small_images, small_space
from studying import STORAGE, Heard, mirrored, run

from augsearch.errors import StudyError
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.verbs.run import run_study
from augsearch.verbs.worker import work_on_study

pytestmark = [needs_postgresql, pytest.mark.long]
HERE = str(Path(__file__).parents[1] / "shared")
WORKER = """
import sys
from small_study import small_images
from augsearch.cli import app
from augsearch.verbs.worker import work_on_study
app.signal.signal(app.signal.SIGTERM, app._interrupt)
name, storage, lease = sys.argv[1:]
from augsearch.engines import board
board.Board.__init__.__kwdefaults__["lease"] = float(lease)
board.BEAT = 0.5
try:
    work_on_study(name, storage=storage, data=small_images(), device="cpu", wait=60)
except KeyboardInterrupt:
    sys.exit(130)
"""
LEASE = 6.0
"""Seconds after which these workers take a dead one's job: longer than the GIL is held."""


@pytest.fixture
def server():
    with postgresql() as running:
        yield running


class Workers:
    """Processes that work on a study; there are always as many as at first."""

    def __init__(self, url, name, count):
        self._url, self._name = url, name
        self.running = [self._start() for _ in range(count)]
        self.ended = []

    def _start(self):
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, self._name, self._url, str(LEASE)],
            env={**os.environ, "PYTHONPATH": HERE},
            stderr=subprocess.PIPE,
            text=True,
        )

    def end_one(self, number, chosen):
        """Send a signal to one of them, and start another."""
        process = self.running.pop(chosen % len(self.running))
        process.send_signal(number)
        self.ended.append(process)
        self.running.append(self._start())

    def wait(self):
        """Their exit codes and what they said, when the study has its answer."""
        said = [process.communicate(timeout=120)[1] for process in self.running]
        for process in self.ended:
            process.communicate()
        return [process.returncode for process in self.running], said

    def kill(self):
        for process in [*self.running, *self.ended]:
            process.kill()
            if not process.stderr.closed:
                process.communicate()


@pytest.fixture
def workers(server):
    started = Workers(server.url, "small", 2)
    yield started
    started.kill()


def driven(server, trials=6, **more):
    return run(trials=trials, parallel=2, storage=server.url, engine="workers", **more)


def shown(result):
    return [(p.name, p.digest, p.search_score, p.confirmed_scores) for p in result.policies]


def trials_of(storage, name="small"):
    return [
        (t.number, t.params, t.state, t.values, t.intermediate_values)
        for t in Store(open_storage(storage), name).trials()
    ]


def test_workers_give_the_answer_of_one_machine(server, workers):
    result = driven(server)
    codes, said = workers.wait()
    assert codes == [0, 0], said
    alone = run(trials=6, parallel=2, name="alone")
    assert shown(result) == shown(alone)
    assert trials_of(server.url) == trials_of(STORAGE, "alone")
    assert {key.replace("small", "alone") for key in mirrored()} == set(mirrored("alone"))


def test_workers_may_die_or_be_told_to_end_at_any_time(server, workers):
    """One in every few seconds, by turns killed and terminated; nothing is lost or done twice."""
    over, rng = threading.Event(), random.Random(0)

    def disturb():
        number = 0
        while not over.wait(rng.uniform(3, 6)):
            workers.end_one([signal.SIGKILL, signal.SIGTERM][number % 2], rng.randrange(9))
            number += 1

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        result = driven(server)
    finally:
        over.set()
        thread.join()
    assert len(workers.ended) >= 2
    workers.wait()
    alone = run(trials=6, parallel=2, name="alone")
    assert shown(result) == shown(alone)
    assert trials_of(server.url) == trials_of(STORAGE, "alone")
    terminated = [p.returncode for p in workers.ended[1::2]]
    assert set(terminated) <= {130, -signal.SIGTERM}  # the latter while it still starts


DRIVER = """
import sys
from small_study import small_config, small_images, small_space
from augsearch.progress import Quiet
from augsearch.verbs.run import run_study
class Telling(Quiet):
    def run_ended(self, run, *_):
        print(run, flush=True)
run_study(small_space(), data=small_images(), study=small_config(parallel=2), trials=6,
          name="small", device="cpu", storage=sys.argv[1], engine="workers", progress=Telling())
"""


def test_a_driver_that_is_killed_goes_on_and_trains_nothing_twice(server, workers):
    environment = {**os.environ, "PYTHONPATH": HERE}
    for after in ("crop only", "trial 1", "trial 4"):
        with subprocess.Popen(
            [sys.executable, "-c", DRIVER, server.url],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as driver:
            for line in driver.stdout:
                if line.strip() == after:
                    break
            driver.kill()
    heard = Heard()
    result = driven(server, progress=heard)
    assert not {"crop only", "trial 0", "trial 1", "trial 4"} & set(heard.ended)
    alone = run(trials=6, parallel=2, name="alone")
    assert shown(result) == shown(alone)
    assert trials_of(server.url) == trials_of(STORAGE, "alone")


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("crop only", marks=pytest.mark.slow),
        "trial 1",
        pytest.param("trial 3, seed 1", marks=pytest.mark.slow),
    ],
)
def test_a_database_that_is_away_for_a_while_is_waited_for(server, workers, when):
    """Stopped in the middle of the driver's work, which meets it gone."""
    started = []

    class Stopping(Heard):
        def run_ended(self, run, score, remark):
            super().run_ended(run, score, remark)
            if run == when and not started:
                server.stop()
                started.append(threading.Timer(4, server.start))
                started[0].start()

    result = driven(server, progress=Stopping())
    started[0].join()
    alone = run(trials=6, parallel=2, name="alone")
    assert shown(result) == shown(alone)
    assert trials_of(server.url) == trials_of(STORAGE, "alone")


def test_a_worker_whose_images_differ_may_not_join(server, workers):
    driven(server, trials=1)
    with pytest.raises(StudyError, match="these are not the images of the study"):
        work_on_study("small", storage=server.url, data=small_images(seed=5), device="cpu")


def test_a_study_that_nobody_begins_is_said(server):
    with pytest.raises(StudyError, match="no study 'none' that waits for workers; begin it with"):
        work_on_study("none", storage=server.url, wait=0)


def test_workers_need_a_server():
    with pytest.raises(StudyError, match="workers need a database on a server"):
        run_study(small_space(), data=small_images(), study=small_config(), engine="workers")
    with pytest.raises(StudyError, match="workers need a database on a server"):
        work_on_study("small", storage=STORAGE)
