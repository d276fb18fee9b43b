"""A full pretraining: it goes on where it stopped, and never looks at a sealed image."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from pretraining.full_runs import StopsAt, full_config
from small_study import small_config, small_images

import augsearch
from augsearch.errors import ConfigError
from augsearch.pretraining.result import MODEL_FILE
from augsearch.simclr.encoders.checkpoint import recorded_normalisation
from augsearch.verbs.pretrain import pretrain

BASELINE = "SimCLR s=0.5"

pytestmark = pytest.mark.long


def weights(directory):
    return (Path(directory) / MODEL_FILE).read_bytes()


@pytest.fixture
def without_mlflow(monkeypatch):
    """Each new process would wait for MLflow's migrations."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")


def sides_in(directory):
    table = pd.read_csv(Path(directory) / "split.csv")
    return dict(zip(table.path, table.side, strict=True))


def run(command):
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)


def test_a_stopped_pretraining_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    config, images = full_config(), small_images()
    whole = pretrain(BASELINE, data=images, study=config, output="whole", device="cpu")
    with pytest.raises(RuntimeError, match="pulled the plug"):
        pretrain(
            BASELINE, data=images, study=config, output="broken", device="cpu", progress=StopsAt(8)
        )
    assert [path.name for path in Path("broken/checkpoint").iterdir()] != []
    heard = StopsAt(99)
    broken = pretrain(
        BASELINE, data=images, study=config, output="broken", device="cpu", progress=heard
    )
    assert any("going on from step 4 of 12" in note for note in heard.notes)
    assert weights("broken") == weights("whole")
    assert [look.model_dump() for look in broken.looks] == [
        look.model_dump() for look in whole.looks
    ]
    assert [look.step for look in whole.looks] == [0, 4, 8, 12]
    assert not Path("whole/checkpoint").exists()
    assert set(whole.files) == {path.name for path in Path("whole").iterdir()}
    assert (Path("whole") / "README.md").read_text().startswith("---\nlibrary_name: pytorch")
    # Once more: nothing is trained, and the same is given back.
    again = pretrain(
        BASELINE, data=images, study=config, output="whole", device="cpu", progress=StopsAt(0)
    )
    assert again == whole and again.files[MODEL_FILE] == Path("whole") / MODEL_FILE


def test_threads_of_the_process_change_nothing():
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            pretrain(
                BASELINE, data=small_images(), study=full_config(steps=4), output=f"t{threads}",
                device="cpu",
            )  # fmt: skip
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert weights("t1") == weights("t2")


def test_a_smaller_pool_gives_a_smaller_batch_and_rate():
    config = full_config(steps=2)
    large = {"batch_size": 4096, "learning_rate_scaling": "linear"}
    config = config.model_copy(update={"pretrain": config.pretrain.model_copy(update=large)})
    heard = StopsAt(99)
    found = pretrain(
        BASELINE, data=small_images(), study=config, output="out", device="cpu", progress=heard
    )
    assert found.batch_size == found.images < 4096
    assert any(f"a step takes {found.images} images instead of 4096" in n for n in heard.notes)


def test_other_seeds_policies_and_settings_are_other_pretrainings():
    config, images = full_config(steps=4), small_images()
    pretrain(BASELINE, data=images, study=config, output="there", device="cpu")
    kept = weights("there")
    for change in (
        {"seed": 1},
        {"policy": "crop only"},
        {"steps": 8},
        {"study": small_config(0.01).model_copy(update={"full": config.full})},
        {"data": small_images(images_per_class=13)},
    ):
        asked = {"policy": BASELINE, "data": images, "study": config, "output": "there"} | change
        with pytest.raises(ConfigError, match=r"there: holds another pretraining \(.*--force"):
            pretrain(device="cpu", **asked)
        assert weights("there") == kept
    pretrain(BASELINE, data=images, study=config, seed=1, output="there", device="cpu", force=True)
    assert weights("there") != kept


def test_a_study_hands_on_its_winner_its_images_and_its_seal(small_here):
    images = small_images()
    found = pretrain(study="small", data=images, steps=4, output="out", device="cpu")
    assert found.policy.digest == small_here.policy.digest and found.study == "small"
    sides = sides_in("out")
    assert sides == sides_in("runs/small")
    assert found.images == sum(side == "pool" for side in sides.values())
    assert found.mean == pytest.approx(small_here.policy.found_on.mean, abs=1e-6)
    # Its weights say how images are normalised, so that a study from them need not.
    assert recorded_normalisation(found.files[MODEL_FILE]) == (found.mean, found.std)


def test_without_the_sealed_files_everything_is_byte_for_byte_the_same(studied):
    before = pretrain(study="line", output="before", device="cpu")
    for path, side in sides_in("runs/line").items():
        if side == "test":
            (studied / path).unlink()
    after = pretrain(study="line", output="after", device="cpu")
    for name in before.files:
        if name not in ("pretrain.json", "README.md"):  # they say how long it took, and their name
            assert Path("before", name).read_bytes() == Path("after", name).read_bytes(), name
    assert before.looks == after.looks and before.identity == after.identity
    next(studied.rglob("*.png")).unlink()
    with pytest.raises(augsearch.errors.DataError, match="1 images that the study trained on"):
        pretrain(study="line", output="third", device="cpu")


def test_it_stops_where_the_probe_gains_no_more_and_keeps_the_best_encoder():
    config = full_config(steps=400, probe_every=2, patience=3)
    found = pretrain(BASELINE, data=small_images(), study=config, output="out", device="cpu")
    assert found.stopped_early and found.steps < 400
    scores = [look.probe for look in found.looks[1:]]  # random weights are no encoder to end with
    best = max(range(len(scores)), key=lambda number: scores[number])
    assert best == len(scores) - 4 and found.taken_from == found.looks[best + 1].step
    short = pretrain(
        BASELINE, data=small_images(), study=config, steps=8, output="short", device="cpu"
    )
    probes = {look.step: look.probe for look in short.looks if look.step}
    assert not short.stopped_early and short.taken_from == max(probes, key=probes.get)


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL]
)
def test_a_killed_process_goes_on(folder, without_mlflow, number):
    Path("s.yaml").write_text(
        json.dumps(full_config(steps=60, checkpoint_every=5).model_dump(mode="json"))
    )
    command = [sys.executable, "-m", "augsearch", "pretrain", "--policy", BASELINE]
    command += ["--data", str(folder), "--study", "s.yaml", "--device", "cpu"]
    whole = run([*command, "--output", "whole"])
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen(
        [*command, "--output", "out"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("step  8/60"):
            process.send_signal(number)
            break
    said, _ = process.communicate(timeout=120)
    if number == signal.SIGTERM:
        assert process.returncode == 130 and "run the same command again" in said
    else:
        assert process.returncode == -signal.SIGKILL
    assert json.loads(Path("out/checkpoint/checkpoint.json").read_text())["step"] >= 5
    rest = run([*command, "--output", "out"])
    assert rest.returncode == 0, rest.stderr
    assert "going on from step" in rest.stdout
    assert weights("out") == weights("whole")


@pytest.mark.slow
def test_ranks_are_one_process_with_the_joint_batch(folder, without_mlflow):
    settings = full_config(steps=8).model_dump(mode="json")
    settings["pretrain"]["precision"] = "float32"  # 16 bits round the ranks' sums apart
    Path("s.yaml").write_text(json.dumps(settings))
    asked = ["pretrain", "--policy", BASELINE, "--data", str(folder), "--study", "s.yaml"]
    asked += ["--device", "cpu", "--output"]
    found = {}
    for ranks in (1, 2, 3):  # three share neither 32 images a batch nor the 54 of the pool
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(ranks)]
        command += ["--master-port", str(29500 + os.getpid() % 400 + ranks), "-m", "augsearch"]
        done = run([*command, *asked, f"out{ranks}"])
        assert done.returncode == 0, done.stderr
        found[ranks] = json.loads(Path(f"out{ranks}/pretrain.json").read_text())
        assert done.stdout.count("its weights and the rest") == 1
    assert [found[ranks]["processes"] for ranks in (1, 2, 3)] == [1, 2, 3]
    assert [found[ranks]["batch_size"] for ranks in (1, 2, 3)] == [32, 32, 30]
    losses = {ranks: [look.get("loss") for look in found[ranks]["looks"]] for ranks in (1, 2)}
    assert losses[2][1:] == pytest.approx(losses[1][1:], abs=2e-4)
