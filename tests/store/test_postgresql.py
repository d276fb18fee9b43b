"""Studies in a real PostgreSQL: one process at a time, as on SQLite."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from postgresql import needs_postgresql, postgresql
from small_study import small_config, small_images, small_space
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from augsearch.errors import StudyError
from augsearch.store.database import is_running, open_storage, owner_lock
from augsearch.store.listing import board_name, delete_study
from augsearch.store.study_store import Store
from augsearch.verbs.run import run_study
from augsearch.verbs.studies import delete_stored, empty_studies

pytestmark = needs_postgresql

OWNER = """
import sys, time
from small_study import small_config, small_images, small_space
from augsearch.store.database import open_storage, owner_lock
from augsearch.progress import Quiet
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest
from augsearch.store.study_store import Store
url = sys.argv[1]
request = StudyRequest(
    small_space(), data=small_images(), study=small_config(), device="cpu", name="small",
    storage=url,
)
setup = prepare(request, progress=Quiet())
with owner_lock(url, "small"):
    store = Store(open_storage(url), "small", settings=setup.settings)
    store.trials_study.ask()
    print("running", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def server():
    with postgresql() as running:
        yield running.url


@pytest.fixture
def owner(server):
    """Another process that is running a trial of the study `small`."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, server],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "shared")},
    )
    assert process.stdout.readline() == "running\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    storage = open_storage(server)
    for name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=name, storage=storage)


def states(server):
    trials = Store(open_storage(server), "small").trials_study.get_trials()
    return [trial.state for trial in trials]


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def connections(url):
    """A function that says how many connections others have."""
    count = (
        "select count(*) from pg_stat_activity "
        "where backend_type = 'client backend' and pid <> pg_backend_pid()"
    )
    with create_engine(url, poolclass=NullPool).connect() as connection:

        def counted():
            connection.rollback()
            return connection.scalar(text(count))

        yield counted


def test_a_process_has_one_connection_and_gives_it_back_when_idle(server, monkeypatch):
    monkeypatch.setattr("augsearch.store.server.IDLE", 0.5)
    with connections(server) as counted:
        until(lambda: counted() == 0)  # those of other tests
        first, second = open_storage(server), open_storage(server)
        assert first is second
        for _ in range(3):
            optuna.get_all_study_names(first)
            optuna.get_all_study_names(second)
        assert counted() == 1
        until(lambda: counted() == 0)
        optuna.get_all_study_names(first)
        assert counted() == 1


def test_a_server_without_a_free_connection_is_waited_for(server, monkeypatch):
    monkeypatch.setattr("augsearch.store.database._opened", {})  # as in another process
    engine = create_engine(server, poolclass=NullPool)
    taken = []
    with suppress(OperationalError):
        while True:
            taken.append(engine.connect())
    free = threading.Timer(1.0, lambda: [connection.close() for connection in taken])
    free.start()
    begin = time.monotonic()
    assert optuna.get_all_study_names(open_storage(server)) is not None
    assert time.monotonic() - begin > 0.5
    free.join()


AT_ONCE = """
import sys, time
from pathlib import Path
from small_study import small_config, small_images, small_space
from augsearch.errors import StudyError
from augsearch.verbs.run import run_study
Path(sys.argv[2]).touch()
while not Path("go").exists():
    time.sleep(0.005)
try:
    run_study(small_space(), data=small_images(), study=small_config(), name="small", device="cpu",
              storage=sys.argv[1])
    print("ran")
except StudyError as error:
    print(error)
"""


@pytest.mark.long
def test_of_two_drivers_that_begin_at_once_in_an_empty_database_one_runs():
    with postgresql() as fresh:
        drivers = [
            subprocess.Popen(
                [sys.executable, "-c", AT_ONCE, fresh.url, f"ready-{number}"],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "shared")},
            )
            for number in range(2)
        ]
        try:
            until(lambda: len(list(Path.cwd().glob("ready-*"))) == 2, 60)
            Path("go").touch()
            said = sorted(driver.communicate(timeout=240)[0].splitlines()[-1] for driver in drivers)
        finally:
            for driver in drivers:
                driver.kill()
                driver.wait()
        assert said[0] == "ran"
        assert "'small' is being run by another process" in said[1]
        assert len(states(fresh.url)) == 4
        assert set(states(fresh.url)) <= {TrialState.COMPLETE, TrialState.PRUNED}


@pytest.mark.long
def test_a_study_that_another_process_runs_is_left_alone_until_that_dies(server, owner):
    with pytest.raises(StudyError, match="run by another process"), owner_lock(server, "small"):
        pass
    with pytest.raises(StudyError, match="run by another process"):
        run_study(
            small_space(), data=small_images(), study=small_config(), name="small", device="cpu",
            storage=server,
        )  # fmt: skip
    with pytest.raises(StudyError, match="run by another process"):
        delete_stored(server, "small")
    assert is_running(server, "small") and empty_studies(server) == []
    assert states(server) == [TrialState.RUNNING]
    with owner_lock(server, "other"):  # another study is free
        pass

    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with owner_lock(server, "small"):
        assert Store(open_storage(server), "small").bury_dead_trials() == 1
    assert states(server) == [TrialState.FAIL]
    assert not is_running(server, "small") and empty_studies(server) == ["small"]


def test_the_lock_is_given_back_when_its_work_is_done_or_fails(server):
    with pytest.raises(ZeroDivisionError), owner_lock(server, "brief"):
        raise ZeroDivisionError
    with owner_lock(server, "brief"):
        assert is_running(server, "brief")
    assert not is_running(server, "brief")


def test_looking_whether_a_study_is_held_takes_nothing(server):
    over = threading.Event()

    def look():
        while not over.is_set():
            is_running(server, "wanted")

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            with owner_lock(server, "wanted") as still_held:
                assert is_running(server, "wanted") and still_held()
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.long
def test_a_study_that_was_lost_to_another_process_is_said(monkeypatch):
    """The server restarts, and another process takes the study before this one looks."""
    from augsearch.store import server as of_server

    monkeypatch.setattr(of_server, "LOOK", 8)
    with postgresql() as running:
        with (
            pytest.raises(StudyError, match="another process has taken the study 'small'"),
            owner_lock(running.url, "small") as still_held,
        ):
            running.stop()
            running.start()
            other = of_server.ServerLock(make_url(running.url), "small")
            assert other.held
            with suppress(KeyboardInterrupt):
                time.sleep(30)
            assert not still_held()
        with other:
            assert is_running(running.url, "small")


def test_a_later_study_of_the_same_name_has_a_board_of_its_own(server):
    names = []
    for _ in range(2):
        Store(open_storage(server), "again", settings={})
        names.append(board_name(server, "again"))
        delete_study(open_storage(server), "again")
    assert names[0] != names[1] and board_name(server, "again") == "again"


@pytest.mark.long
def test_a_password_is_written_nowhere(server, capsys):
    with_password = server.replace("tester@", "tester:geheim@")
    found = run_study(
        small_space(), data=small_images(), study=small_config(), name="told", device="cpu",
        storage=with_password, trials=1,
    )  # fmt: skip
    files = [path for path in Path.cwd().rglob("*") if path.is_file()]
    assert Path.cwd() / "mlflow.db" in files and found.files["report.html"].resolve() in files
    assert not [path for path in files if b"geheim" in path.read_bytes()]
    with pytest.raises(StudyError) as refused:
        delete_stored(with_password.replace("127.0.0.1", "127.0.0.2"), "told")
    assert "127.0.0.2" in str(refused.value) and "geheim" not in str(refused.value)
    assert "geheim" not in "".join(capsys.readouterr())
