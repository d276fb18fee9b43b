"""Bad input and bad luck: one line each, and nothing that was there is lost."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pretraining.full_runs import StopsAt, full_config
from small_study import small_images

from augsearch.data.imageset import UNLABELLED
from augsearch.errors import ConfigError, DataError, StudyError
from augsearch.pretraining.checkpoint import Checkpoints
from augsearch.verbs.pretrain import pretrain

BASELINE = "SimCLR s=0.5"

pytestmark = pytest.mark.long


@pytest.fixture
def stopped():
    """A pretraining in `out` that was stopped after its checkpoint of step 4."""
    with pytest.raises(RuntimeError):
        run(progress=StopsAt(8))


def run(**changes):
    asked = {"policy": BASELINE, "data": small_images(), "study": full_config()}
    return pretrain(**{**asked, "output": "out", "device": "cpu", **changes})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "cut short or damaged"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"losses", b"lossez", 1)), "cut"),
        (lambda path: path.unlink(), "cut short or damaged"),
        (lambda path: path.with_name("checkpoint.json").write_text("{"), "is damaged"),
    ],
)
def test_a_damaged_checkpoint_is_refused(stopped, damage, said):
    path = Path("out/checkpoint/step-4.pt")
    damage(path)
    with pytest.raises(ConfigError, match=said) as refused:
        run()
    assert "--force" in str(refused.value)
    assert run(force=True).steps == 12


def test_a_checkpoint_of_another_policy_is_refused(stopped):
    with pytest.raises(ConfigError, match=r"a checkpoint of another pretraining \(policy "):
        run(policy="crop only")
    assert run().steps == 12


def test_what_is_killed_at_its_first_checkpoint_begins_again():
    for left in ("step-4.part", "step-4.pt"):
        directory = Path(f"runs/killed-{left}")
        (directory / "checkpoint").mkdir(parents=True)
        (directory / "checkpoint" / left).write_bytes(b"cut short")
        found = run(output=directory)
        assert found.files.keys() >= {"model.safetensors", "pretrain.json"}
        assert not (directory / "checkpoint").exists()


def test_a_finished_one_stays_until_another_is_written(monkeypatch):
    directory = Path("runs/kept")
    run(output=directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr("augsearch.verbs.pretrain.train", killed)
        run(output=directory, seed=7, force=True)
    assert {
        path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()
    } == before
    with pytest.raises(ConfigError, match="holds another pretraining"):
        run(output=directory, seed=7)
    run(output=directory, seed=7, force=True)
    assert (directory / "model.safetensors").read_bytes() != before["model.safetensors"]


def test_files_of_others_are_left_alone():
    Path("out").mkdir()
    Path("out/result.json").write_text("a study's")
    with pytest.raises(ConfigError, match="out: holds files that do not belong to a pretraining"):
        run()
    with pytest.raises(ConfigError, match="out: holds files that do not belong to a pretraining"):
        run(force=True)
    assert [path.name for path in Path("out").iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"policy": None}, "which policy"),
        ({"policy": "no-such-study"}, "there is no study 'no-such-study'"),
        ({"policy": "policy.yaml"}, "policy.yaml"),
        ({"policy": "new.yaml"}, "schema_version"),
        ({"study": "nowhere.yaml"}, "nowhere.yaml"),
        ({"study": "unknown"}, "there is no study 'unknown'"),
        ({"data": "nowhere"}, "there is no such folder"),
        ({"steps": 0}, "--steps 0"),
        ({"seed": -1}, "--seed -1"),
        ({"policy": "models:/augsearch.x/1"}, "models:/augsearch.x/1"),
    ],
)
def test_what_is_wrong_is_one_line(asked, said):
    Path("new.yaml").write_text("schema_version: 2\nops: []\n")
    with pytest.raises((ConfigError, StudyError, DataError)) as refused:
        run(**asked)
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert not Path("out").exists()


def test_without_labels_it_trains_and_says_that_nothing_is_measured():
    images = small_images()
    nameless = replace(images, labels=np.full(len(images), UNLABELLED), classes=())
    heard = StopsAt(99)
    found = run(data=nameless, progress=heard)
    assert any("too few labels for a probe" in note for note in heard.notes)
    assert [look.probe for look in found.looks] == [None] * 4
    assert found.images == len(images)  # with no labels there is no test to seal
    with pytest.raises(ConfigError, match=r"full\.patience: needs labels"):
        run(data=nameless, study=full_config(patience=2), output="other")


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path):
    """The limit on a file's size makes writing fail as a full disk does."""
    program = f"""
import resource, signal, torch
from augsearch.pretraining.checkpoint import Checkpoints
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
kept = Checkpoints(__import__("pathlib").Path({str(tmp_path / "c")!r}), {{"policy": "a"}})
kept.save(1, {{"x": torch.ones(10)}})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    kept.save(2, {{"x": torch.ones(100_000)}})
except OSError as error:
    print("refused", error.strerror)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.stdout.startswith("refused"), done.stderr
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"step-1.pt", "checkpoint.json"}
    state = Checkpoints(tmp_path / "c", {"policy": "a"}).load()
    assert torch.equal(state["x"], torch.ones(10))


def test_training_goes_on_where_no_checkpoint_can_be_written(monkeypatch):
    def full(self, step, state):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Checkpoints, "save", full)
    heard = StopsAt(99)
    found = run(progress=heard)
    assert found.steps == 12
    assert any("step 4 cannot be written (No space left on device)" in n for n in heard.notes)
