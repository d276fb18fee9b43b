"""The database of the studies: one process at a time, and what is said when it takes nothing."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from studying import STORAGE, run

from augsearch.errors import StudyError
from augsearch.store.database import open_storage, owner_lock, told_when_unwritable
from augsearch.store.study_store import Store


@pytest.mark.long
def test_a_study_is_driven_by_one_process_at_a_time(small_here):
    with (
        owner_lock(STORAGE, "small"),
        pytest.raises(StudyError, match="run by another process"),
    ):
        run()
    run()


def test_a_lock_that_cannot_be_written_is_said_in_one_line(tmp_path):
    (tmp_path / ".s.db.small.lock").mkdir()
    with (
        pytest.raises(StudyError, match=r"s\.db\.small\.lock cannot be written .*writable"),
        owner_lock(f"sqlite:///{tmp_path}/s.db", "small"),
    ):
        pass


def test_a_database_that_another_program_holds_is_not_called_full(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    store = Store(open_storage(url), "small", settings={})
    with (
        closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other,
        pytest.raises(StudyError) as refused,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with told_when_unwritable(url, "finished trials"):
            store.kept.parallel = 2
    assert "database is locked" in str(refused.value)
    assert "finished trials are kept: close the program that holds" in str(refused.value)
    store.kept.parallel = 2


FULL = """
import resource, signal, sys
from augsearch.errors import StudyError
from augsearch.store.database import open_storage, told_when_unwritable
from augsearch.store.study_store import Store
url = sys.argv[1]
store = Store(open_storage(url), "small", settings={})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with told_when_unwritable(url, "finished trials"):
        store.kept.asked = {"a": "b" * 100_000}
except StudyError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_says_so_and_keeps_what_there_was(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    done = subprocess.run(
        [sys.executable, "-c", FULL, url], check=False, capture_output=True, text=True
    )
    (line,) = done.stderr.strip().splitlines()
    assert "writing failed (" in line and "finished trials are kept: make room" in line
    assert Store(open_storage(url), "small").kept.asked == {}
