"""What the mirror says when MLflow is there and takes nothing, and that it goes on afterwards."""

import importlib.util
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from augsearch.errors import StudyError
from augsearch.tracking.client import client_for, quiet_mlflow, tracking_uri
from augsearch.tracking.experiment import open_experiment
from augsearch.tracking.mirror import Mirror
from augsearch.tracking.tracker import DataReference, Page
from augsearch.tracking.upkeep import DATA_TAG, attach, delete_mirrored


@pytest.fixture(autouse=True)
def _quiet():
    quiet_mlflow()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A store with an experiment; making one takes seconds."""
    quiet_mlflow()
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    open_experiment(client_for(f"sqlite:///{file}"))
    return file


@pytest.fixture
def store(database):
    """A copy of it as this directory's store."""
    file = Path("mlflow.db").resolve()
    file.write_bytes(database.read_bytes())
    return file


@pytest.fixture
def said():
    return []


@pytest.fixture
def mirror(said):
    data = DataReference(name="set", digest="0", source="here", profile={})
    return Mirror(study="small", params={}, data=data, warn=said.append)


def delete_experiment():
    client = client_for(tracking_uri())
    number = client.get_experiment_by_name("augsearch").experiment_id
    client.delete_experiment(number)
    return client, number


def test_another_study_of_the_same_name_is_left_alone(store, said):
    """Two databases that write to one MLflow do not know each other's studies."""
    data = DataReference(name="set", digest="0", source="here", profile={})

    def study_on(digest):
        tags = {DATA_TAG: digest}
        return Mirror(study="twice", params={}, data=data, warn=said.append, tags=tags)

    assert study_on("a").sync({}) and not said
    other = study_on("b")
    assert not other.sync({}) and not other.finish(Page("", {}, {}, {}))
    (line,) = said
    assert "a study 'twice' with other images, another space or other settings is there" in line
    assert "--name" in line
    said.clear()
    assert not attach("twice", {"report.html": b""}, said.append, "b")
    assert "does not know the study" in said[0]
    assert delete_mirrored("twice", "b")[0] == 0
    assert study_on("a").sync({})
    assert attach("twice", {"report.html": b""}, said.append, "a")
    assert delete_mirrored("twice", "a")[0] == 1


def test_a_deleted_experiment_says_how_to_restore_it(store, mirror, said):
    client, number = delete_experiment()
    assert not mirror.sync({})
    (line,) = said
    assert "its experiment 'augsearch' has been deleted; restore it with" in line
    assert f"mlflow experiments restore --experiment-id {number}" in line
    assert str(store) in line and "mlflow gc" in line
    assert "cannot be reached" not in line and "\n" not in line
    assert not mirror.sync({}) and len(said) == 1
    client.restore_experiment(number)
    assert mirror.sync({})


def test_a_deleted_experiment_and_the_other_verbs(store, said):
    delete_experiment()
    assert not attach("small", {}, said.append)
    assert "restore it with" in said[0]
    assert delete_mirrored("small")[0] == 0


def test_a_deleted_run_is_made_anew_at_the_next_attempt(store, mirror, said):
    assert mirror.sync({})
    client = client_for(tracking_uri())
    runs = client.search_runs([open_experiment(client)])
    client.delete_run(runs[0].info.run_id)
    page = Page(description="", metrics={}, artifacts={}, tags={"a": "b"})
    assert not mirror.finish(page)
    assert f"The run {runs[0].info.run_id} must be in the 'active' state" in said[0]
    assert mirror.finish(page)


@pytest.mark.parametrize("version", ["ffffffffffff", "90e64c465722"], ids=["newer", "older"])
def test_a_database_of_another_version_gives_mlflows_whole_reason(store, mirror, said, version):
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    assert not mirror.sync({})
    (line,) = said
    assert " refuses: Detected out-of-date database schema" in line
    assert "mlflow db upgrade" in line and "for more detail" in line
    with pytest.raises(StudyError, match=r"mlflow db upgrade .*; nothing is deleted"):
        delete_mirrored("small")


def test_a_server_that_is_away(monkeypatch, mirror, said):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert not mirror.sync({})
    assert "MLflow at http://127.0.0.1:9 cannot be reached (" in said[0]
    assert "Connection refused" in said[0]


def test_a_store_that_is_no_database(mirror, said):
    Path("mlflow.db").write_bytes(bytes(range(256)) * 20)
    assert not mirror.sync({})
    assert "cannot be reached ((sqlite3.DatabaseError) file is not a database)" in said[0]


@pytest.mark.skipif(bool(importlib.util.find_spec("psycopg")), reason="the driver is there")
def test_a_database_whose_driver_is_not_installed(monkeypatch, mirror, said):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://user@127.0.0.1:9/x")
    assert not mirror.sync({})
    assert "cannot be used: it needs a driver that is not installed (No module named" in said[0]


@pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit])
def test_a_store_is_made_whole_or_not_at_all(how, monkeypatch):
    """MLflow can neither use nor mend an SQLite file that lacks some of its tables."""
    from mlflow.store.db import utils

    make = utils._initialize_tables

    def stopped(engine):
        make(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE runs")
        raise how

    monkeypatch.setattr(utils, "_initialize_tables", stopped)
    with pytest.raises(how):
        client_for(tracking_uri())
    assert not Path("mlflow.db").exists()
    monkeypatch.setattr(utils, "_initialize_tables", make)
    assert open_experiment(client_for(tracking_uri()))
    assert not [path for path in Path().iterdir() if path.name.endswith(".part")]
