"""Runs on a real Ray cluster, started on this machine."""

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from small_study import small_config, small_images, small_space
from studying import STORAGE, run

from augsearch.engines.engine import Lost, Returned
from augsearch.engines.on_ray import TRIES, OnRay
from augsearch.errors import ConfigError, StudyError
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.verbs.run import run_study

# Not imported here: what `OnRay` sets before it imports Ray, Ray reads as it is imported.
pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'augsearch[ray]'"),
    pytest.mark.long,
    # Ray's own: sockets and processes that it leaves to its shutdown.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def engine():
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(Path(__file__).parents[1] / "shared"), str(Path(__file__).parent)]
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        yield OnRay(threads=1)
        import ray

        ray.shutdown()


def double(shared, job):
    return shared, 2 * job


def fail(_shared, job):
    raise StudyError(f"no {job}")


def die_until(folder, job):
    """Dies so many times."""
    marks = list(Path(folder).iterdir())
    if len(marks) < job:
        Path(folder, f"mark {len(marks)}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def count(share, job, talk):
    for number in range(job):
        talk.say((number, 0.5))
    return share


def wait_for_the_word(_share, _job, talk):
    talk.say((0, 0.0))
    begin = time.monotonic()
    while not talk.stopped():
        assert time.monotonic() < begin + 60
        time.sleep(0.05)


def test_jobs_come_back_each_once(engine):
    assert engine.at_once(9) == min(9, os.cpu_count() or 1) and engine.at_once(1) == 1
    found = dict(engine.run(double, "shared", [1, 2, 3]))
    assert found == {1: ("shared", 2), 2: ("shared", 4), 3: ("shared", 6)}


def test_what_a_job_raises_is_raised_here(engine):
    with pytest.raises(StudyError, match="no bread"):
        list(engine.run(fail, None, ["bread"]))


def test_a_process_that_dies_costs_an_attempt(engine, tmp_path):
    assert dict(engine.run(die_until, str(tmp_path), [2])) == {2: 2}
    for mark in tmp_path.iterdir():
        mark.unlink()
    with pytest.raises(Lost, match="lost a run 3 times"):
        list(engine.run(die_until, str(tmp_path), [5]))


def test_a_crew_says_things_in_order_and_stops_when_told(engine):
    with engine.crew(count, ["a", "b"]) as crew:
        crew.start(0, 2)
        crew.start(1, 1)
        assert [crew.hear(0), crew.hear(1), crew.hear(0)] == [(0, 0.5), (0, 0.5), (1, 0.5)]
        last = crew.hear(1)
        assert isinstance(last, Returned) and last.result == "b"
    with engine.crew(wait_for_the_word, [None]) as crew:
        for _ in range(3):  # on one core each, so what was stopped has ended
            crew.start(0, "job")
            assert crew.hear(0) == (0, 0.0)
            crew.stop(0)


OUT_OF_MEMORY = """
import sys, time
from pathlib import Path
from augsearch.engines.engine import Lost
from augsearch.engines.on_ray import OnRay

def hold(folder, job):
    (Path(folder) / str(time.time_ns())).touch()
    time.sleep(300)

try:
    list(OnRay(threads=1).run(hold, sys.argv[1], [1]))
except Lost as error:
    print(error)
"""


def test_a_run_that_takes_too_much_memory_is_not_begun_for_ever(tmp_path):
    """Ray's watcher is told that a machine is full from the first byte on."""
    told = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "200"}
    ended = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, str(tmp_path)],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    # Ray tells of each time, too.
    assert "Ray lost a run 3 times (OutOfMemoryError)" in ended.stdout.splitlines()
    assert len(list(tmp_path.iterdir())) <= TRIES


@pytest.mark.usefixtures("engine")
def test_a_study_on_ray_has_the_answer_of_one_machine():
    def shown(result):
        return [(p.name, p.digest, p.search_score, p.confirmed_scores) for p in result.policies]

    result = run_study(
        small_space(), data=small_images(), study=small_config(parallel=2), trials=6, name="onray",
        device="cpu", engine="ray",
    )  # fmt: skip
    alone = run(trials=6, parallel=2, name="alone")
    assert shown(result) == shown(alone)
    trials, others = (Store(open_storage(STORAGE), name).trials() for name in ("onray", "alone"))
    assert [(t.number, t.params, t.state) for t in trials] == [
        (t.number, t.params, t.state) for t in others
    ]


@pytest.mark.usefixtures("engine")
def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch):
    import ray

    ray.shutdown()  # the last of the tests
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"--engine ray: no cluster answers at 127\.0\.0\.1:9"):
        OnRay(threads=1)
