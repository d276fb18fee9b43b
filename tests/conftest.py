"""What all tests share: their own directories, no way out to the network, finished studies."""

import multiprocessing
import os
import pickle
import socket
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path

# Before torch is imported: tests run side by side, and threads that wait for each other on busy
# cores are many times slower than one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import sqlalchemy
from shared_studies import Shared, copy_study, forget_runs, run_small

# Windows has no other way to start processes (`bash .ci/run spawn`).
if os.environ.get("AUGSEARCH_TEST_START") == "spawn":
    multiprocessing.set_start_method("spawn")
    multiprocessing.get_all_start_methods = lambda: ["spawn"]

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0"}


@pytest.fixture(autouse=True)
def own_directories(tmp_path, monkeypatch):
    """Stores, caches and results of a test stay in its temporary directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUGSEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("AUGSEARCH_TRUST_CODE", "1")  # tests/space/test_trust.py does without
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    forget_runs()


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A connection beyond this machine fails the test: nothing may call home."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"connection to {address} attempted")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "connect")
def no_waiting_for_the_disk(connection, record):
    """A study commits some six hundred times; only a loss of power could tell the difference."""
    if isinstance(connection, sqlite3.Connection):
        with suppress(sqlite3.DatabaseError):  # a file that is none is for the code to find
            connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """What is made once for all processes of this test run."""
    base = tmp_path_factory.getbasetemp()
    return Shared((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared")


@pytest.fixture(autouse=True)
def mlflow_migrates_once(shared, monkeypatch):
    """New MLflow databases are copies of one that went through all of MLflow's migrations."""
    utils = sys.modules.get("mlflow.store.db.utils")
    if utils is None:
        return
    migrate = utils._initialize_tables

    def make():
        engine = sqlalchemy.create_engine("sqlite:///mlflow.db")
        migrate(engine)
        engine.dispose()

    def copy(engine):
        old = sqlalchemy.inspect(engine).get_table_names()
        if old or engine.url.get_backend_name() != "sqlite":
            migrate(engine)
            return
        source = sqlite3.connect(shared.made("empty-mlflow", make) / "mlflow.db")
        target = sqlite3.connect(engine.url.database)
        source.backup(target)
        source.close()
        target.close()

    monkeypatch.setattr(utils, "_initialize_tables", copy)


@pytest.fixture(scope="session")
def finished_small(shared):
    """A directory with the study `small`, run to its end; to be looked at only."""
    return shared.made("small", run_small)


@pytest.fixture
def small_here(finished_small, own_directories):
    """That study in this test's own directory, to go on from; gives what it returned."""
    copy_study(finished_small, Path.cwd())
    return pickle.loads(Path("result.pickle").read_bytes())
