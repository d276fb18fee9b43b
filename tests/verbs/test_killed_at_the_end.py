"""A study killed at any write of its end: no reader sees a mixture, a rerun completes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, shutil, signal, sqlite3, sys
from pathlib import Path

import sqlalchemy
from small_study import small_config, small_images, small_space

from augsearch.store.database import open_storage
from augsearch.progress import Quiet
from augsearch.search.result.result import load_result
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest
from augsearch.store.study_store import Store
from augsearch.verbs.run import _run, run_study
from augsearch.tracking.client import client_for, tracking_uri

DATABASE = sys.argv[1]  # whose writes are counted, beside those of files
FIRST, STRIDE = int(sys.argv[2]), int(sys.argv[3])
STORAGE = "sqlite:///augsearch.db"
top = Path.cwd()
base = top / "base"
base.mkdir()
os.chdir(base)
arguments = dict(data=small_images(), study=small_config(), trials=2, name="small", device="cpu")
run_study(small_space(), **arguments)
setup = prepare(StudyRequest(small_space(), **arguments, storage=STORAGE), progress=Quiet())
names = {path.name for path in Path("runs/small").iterdir()}
for name in names:
    Path("runs/small", name).write_bytes(b"old")
with sqlite3.connect("augsearch.db") as database:
    database.execute("DELETE FROM study_user_attributes WHERE key = 'answer'")
database.close()


def child(place, dies_at):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.chdir(place)
    left = dies_at

    def count(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(call):
        def counting(*given, **more):
            count()
            return call(*given, **more)
        return counting

    if dies_at is not None:
        if DATABASE == "augsearch.db":
            for name in ("unlink", "replace"):
                setattr(Path, name, counted(getattr(Path, name)))
        sqlalchemy.event.listen(
            sqlalchemy.Engine, "commit",
            lambda connection: DATABASE in str(connection.engine.url) and count(),
        )
    try:
        _run(setup, Quiet())
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)


number, killed = FIRST, 0
while True:
    place = top / str(number)
    shutil.copytree(base, place)
    code = child(place, number)
    assert code in (0, -signal.SIGKILL), code
    os.chdir(place)
    store = Store(open_storage(STORAGE), "small")
    has = {bool(store.kept.verdict), store.kept.winner is not None, bool(store.kept.result)}
    assert len(has) == 1, (number, has)
    left = {path.name: path.read_bytes() == b"old" for path in Path("runs/small").iterdir()
            if path.is_file()}
    assert len(set(left.values())) <= 1, (number, left)
    if "result.json" in left:
        assert left.keys() >= names, (number, left)
    assert child(place, None) == 0
    assert load_result("runs/small").policy == Store(open_storage(STORAGE), "small").kept.winner
    client = client_for(tracking_uri())
    experiment = client.get_experiment_by_name("augsearch").experiment_id
    [parent] = client.search_runs([experiment], "attributes.run_name = 'small'")
    assert parent.info.status == "FINISHED"
    assert len(client.search_model_versions("name='augsearch.small'")) == 1
    os.chdir(top)
    shutil.rmtree(place)
    if code == 0:
        break
    killed += 1
    print(number, "killed", sorted(left), flush=True)
    number += STRIDE
print(killed)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "first", "stride"), [("augsearch.db", 0, 5), ("mlflow.db", 1, 23)]
)
def test_killed_at_any_write_of_its_end_a_study_is_completed_by_the_next_run(
    database, first, stride
):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, database, str(first), str(stride)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "shared")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) > 1
