"""Jobs in processes: results, threads, failures, and no orphans."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import wait
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest
import torch

from augsearch.engines import processes
from augsearch.engines.engine import Returned
from augsearch.engines.processes import Processes, cpu_threads, process_count
from augsearch.errors import StudyError


def add(offset, number):
    return number + offset, torch.get_num_threads(), os.getpid()


@pytest.fixture(scope="module", autouse=True)
def own_server():
    """Processes that begin with this module; studies in tests after these want others."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # as its own tests do
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # as its own tests do


def fail(_, number):
    raise RuntimeError(f"job {number}")


def run(work, processes):
    return dict(Processes(threads=1, most=processes).run(work, 10, range(4)))


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_done_once_with_its_threads(processes):
    threads = torch.get_num_threads()
    found = run(add, processes)
    assert {number: value for number, (value, _, _) in found.items()} == {
        0: 10, 1: 11, 2: 12, 3: 13
    }  # fmt: skip
    assert {count for _, count, _ in found.values()} == {1}
    assert (os.getpid() in {pid for _, _, pid in found.values()}) == (processes == 1)
    assert torch.get_num_threads() == threads


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_a_job_reaches_the_caller(processes):
    with pytest.raises(RuntimeError, match=r"job \d"):
        run(fail, processes)


def both_ended(_, number):
    """The job that fails ends first; both have ended when somebody looks."""
    if number == 0:
        raise RuntimeError("job 0")
    return "kept"


@pytest.mark.long
def test_results_come_before_an_error_that_came_with_them(monkeypatch):
    def patient(futures, **_):
        return wait(futures)  # all of them

    monkeypatch.setattr(processes, "wait", patient)
    jobs = Processes(threads=1, most=2).run(both_ended, None, range(3))
    assert sorted([next(jobs), next(jobs)]) == [(1, "kept"), (2, "kept")]
    with pytest.raises(RuntimeError, match=r"job \d"):
        next(jobs)


def die(_, number):
    os._exit(3)


@pytest.mark.long
def test_a_process_that_dies_is_one_line():
    with pytest.raises(StudyError, match="a process that trained was killed") as caught:
        run(die, 2)
    assert "\n" not in str(caught.value)


def test_threads_are_restored_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="stop"), cpu_threads(before + 1):
        raise ValueError("stop")
    assert torch.get_num_threads() == before


def test_processes_never_outnumber_cores_or_jobs():
    assert process_count(threads=1, jobs=1) == 1
    assert process_count(threads=10_000, jobs=5) == 1
    assert 1 <= process_count(threads=1, jobs=64) <= (os.cpu_count() or 1)


def sleep(_, number):
    begun = Path(f"begun-{number}")
    begun.write_text(str(os.getpid()))
    begun.rename(f"started-{number}")  # whoever sees it finds the number in it
    time.sleep(3600)


@pytest.mark.long
def test_workers_end_with_a_driver_that_is_killed(tmp_path):
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_processes as t\n"
        "t.run(t.sleep, 2)\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    deadline = time.monotonic() + 600
    while len(list(tmp_path.glob("started-*"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    workers = [int(path.read_text()) for path in tmp_path.glob("started-*")]
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    deadline = time.monotonic() + 300
    while any(psutil.pid_exists(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(psutil.pid_exists(pid) for pid in workers)


@pytest.mark.long
def test_a_script_without_a_main_guard_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_processes as t\n"
        "print('top', len(t.run(t.add, 2)))\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert run.stdout == "top 4\n"


def total(network, number):
    return number + sum(float(tensor.sum()) for tensor in network.values())


def test_a_network_of_many_tensors_is_shared():
    network = {str(place): torch.ones(2) for place in range(400)}
    found = dict(Processes(threads=1, most=2).run(total, network, range(2)))
    assert found == {0: 800, 1: 801}
    with Processes(threads=1).crew(told_total, [network]) as crew:
        crew.start(0, 3)
        returned = crew.hear(0)
        assert isinstance(returned, Returned) and returned.result == 803


def told_total(network, number, _talk):
    return total(network, number)


def _told(_shared, _job):
    return os.environ.get("AUGSEARCH_TEST_WORD", "")


def test_processes_have_the_environment_of_now(monkeypatch):
    """What starts them was started once, with that of then."""
    engine = Processes(1, most=2)
    assert {word for _, word in engine.run(_told, None, [1, 2])} == {""}
    monkeypatch.setenv("AUGSEARCH_TEST_WORD", "later")
    assert {word for _, word in engine.run(_told, None, [1, 2])} == {"later"}
