"""A disk that is full: a small one of its own is mounted where a study writes."""

import pickle
import subprocess
from pathlib import Path

import pytest
from small_study import small_images
from studying import Heard, mirrored, run

from augsearch import sync_study
from augsearch.errors import OutputError, StudyError
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store
from augsearch.tracking.client import client_for, tracking_uri

pytestmark = pytest.mark.long


@pytest.fixture
def disk():
    """Mounts a disk of so many kilobytes; called again, it is as large as is said then."""
    mounted = set()

    def make(place: Path, kilobytes: int) -> Path:
        place.mkdir(parents=True, exist_ok=True)
        again = "remount," if place in mounted else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{again}size={kilobytes}k", "tmpfs", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("nothing may be mounted here")
        mounted.add(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def files_of_runs():
    client = client_for(tracking_uri())
    return {key: len(client.list_artifacts(one.info.run_id)) for key, one in mirrored().items()}


def test_no_room_for_artifacts_ends_no_search(disk, finished_small):
    disk(Path("mlruns").resolve(), 40)
    heard = Heard()
    found = run(progress=heard)
    assert "No space left" in " ".join(heard.warnings)
    assert len(heard.warnings) < 5  # told once, and of the registry
    usual = pickle.loads((finished_small / "result.pickle").read_bytes())
    assert found.verdict.sentence == usual.verdict.sentence
    disk(Path("mlruns").resolve(), 40_000)
    sync_study("small", data=small_images(), progress=False)
    there = files_of_runs()
    trained = {key for key in there if key != "study" and "untrained" not in key}
    assert len(trained) > 10 and all(there[key] for key in trained)


def test_no_room_in_the_database_loses_no_finished_trial(disk):
    place = disk(Path("disk").resolve(), 200)
    storage = f"sqlite:///{place}/augsearch.db"
    with pytest.raises(StudyError, match="full") as raised:
        run(storage=storage, trials=40)
    assert "\n" not in str(raised.value)
    disk(place, 20_000)
    kept = len(Store(open_storage(storage), "small").finished())
    found = run(storage=storage, trials=40)
    assert found.trials["complete"] + found.trials["pruned"] == 40 and kept < 40


def test_no_room_for_results_leaves_the_verdict_where_it_is(disk):
    place = disk(Path("runs").resolve(), 60)
    with pytest.raises(OutputError, match="No space left"):
        run()
    verdict = Store(open_storage("sqlite:///augsearch.db"), "small").kept.verdict
    assert verdict
    disk(place, 20_000)
    heard = Heard()
    assert run(progress=heard).verdict.sentence == verdict
    assert not heard.ended  # nothing is trained again
    assert {"result.json", "report.html", "policy.yaml"} <= {
        p.name for p in (place / "small").iterdir()
    }
