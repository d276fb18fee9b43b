"""A pilot: everything is trained once, goes on where it stopped, and its numbers are right."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import optuna
import pandas as pd
import pytest
from piloting.pilots import QUICK, go, pilot_config
from pretraining.full_runs import StopsAt
from small_study import small_images

from augsearch import Pilot, compare_pilots
from augsearch.errors import ConfigError, DataError
from augsearch.piloting.prepare import prepare
from augsearch.piloting.request import PilotRequest
from augsearch.piloting.runs import Answers, keep, points, read_answers
from augsearch.progress import Quiet
from augsearch.simclr.encoders.build import build_body
from augsearch.simclr.encoders.checkpoint import write_weights
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.store.database import open_storage
from augsearch.store.sealed import SEALED


def answers(directory="out"):
    """Every answer that is kept, times apart."""
    found = {}
    for path in sorted((Path(directory) / "points").glob("*.npz")):
        with np.load(path) as kept:
            found[path.name] = (kept["guesses"].tolist(), kept["confidence"].tolist())
    return found


def weights_file():
    """Weights of the small study's encoder, as a file of somebody's."""
    encoder = pilot_config().encoder
    Path("weights.safetensors").write_bytes(
        write_weights(build_body(encoder, 3, 16).state_dict(), (0.5,) * 3, (0.25,) * 3)
    )
    return EncoderConfig.model_validate(encoder.model_dump() | {"weights": "weights.safetensors"})


@pytest.mark.long
def test_all_ways_are_compared_on_the_sealed_images_and_shown():
    settings = pilot_config(
        weights=weights_file(), label_rate=30.0, machine_rate=2.0, currency="EUR"
    )
    found = go(study=settings, good="clean")
    assert [curve.way for curve in found.curves] == [
        *("scratch", "scratch_found", "frozen", "weights", "weights_found"),
        *("simclr_baseline", "simclr_found", "weights_simclr_found"),
    ]
    split = pd.read_csv("out/split.csv")
    assert (
        found.sealed == (split.side == "test").sum()
        and found.images == (split.side == "pool").sum()
    )
    # A point is the mean recall of its answers.
    labels = prepare_small(settings).sealed.labels
    for curve in found.curves:
        for point in curve.points:
            recalls = []
            for seed in range(2):
                name = f"{curve.way}-{point.labels}-labels-seed-{seed}.npz"
                kept = read_answers(Path("out/points") / name, len(labels))
                right = kept.guesses == labels
                recalls.append(np.mean([right[labels == k].mean() for k in np.unique(labels)]))
            assert point.score.mean == pytest.approx(np.mean(recalls))
            assert 0 <= point.score.low <= point.score.mean <= point.score.high <= 1
            assert point.missed is not None and point.false_alarms is not None
    best = {
        count: max(p.score.mean for c in found.curves if c.simclr is None for p in c.points
                   if p.labels == count)
        for count in (2, 4)
    }  # fmt: skip
    for gain in found.gains:
        ours = next(p for p in found.curve(gain.way).points if p.labels == gain.labels)
        if gain.against == "best":
            assert gain.gained.mean == pytest.approx(ours.score.mean - best[gain.labels])
    assert Pilot.model_validate_json(Path("out/pilot.json").read_text()) == found
    page = Path("out/report.html").read_text()
    for said in (found.recommendation.title, "Accuracy gained, labels saved", "EUR",
                 "Defects called clean", "frozen weights"):  # fmt: skip
        assert said in page
    assert set(found.files) <= {path.name for path in Path("out").iterdir()}
    # The encoder with weights saw other images than that from nothing only if it was asked to.
    assert found.weights_image_size == found.image_size
    # MLflow has the curves and the page.
    client = mlflow.MlflowClient()
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()],
                              "tags.`augsearch.kind` = 'pilot'")  # fmt: skip
    (run,) = runs
    shown = client.get_metric_history(run.info.run_id, "accuracy_percent/frozen")
    assert {one.step: one.value for one in shown} == {
        point.labels: round(100 * point.score.mean, 2) for point in found.curve("frozen").points
    }
    assert "report.html" in {f.path for f in client.list_artifacts(run.info.run_id)}
    # Once more: all is there, and the sealed images were looked at once.
    kept = answers()
    again = go(study=settings, good="clean", progress=Forbids())
    assert again == found and answers() == kept and again.uses == 1
    # Another plant tries its policy.
    other = go(study=None, policy=None, policy_from="out", weights="none", output="there",
               data=replace(small_images(), name="plant B"))  # fmt: skip
    assert other.policy == found.policy and other.policy_source == "pilot out"
    beside, both = compare_pilots(["out", "there"])
    text = beside.read_text()
    assert [one.name for one in both] == ["out", "there"] and "plant B" in text
    assert found.recommendation.title in text


class Forbids(Quiet):
    """Nothing may be trained."""

    def run_ended(self, run, score, remark):
        raise AssertionError(run)


def prepare_small(settings):
    request = PilotRequest(settings, data=small_images(), policy="SimCLR s=1", output="out",
                           device="cpu", steps=2)  # fmt: skip
    return prepare(request, Quiet())


@pytest.mark.long
def test_more_labels_and_seeds_are_more_of_the_same():
    first = go(study=pilot_config(labels=(2,)))
    kept = answers()
    more = go(seeds=3)
    assert {name: more for name, more in answers().items() if name in kept} == kept
    assert (more.labels, more.seeds) == ((2, 4), 3) and first.identity == more.identity


SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from piloting.pilots import go
go(steps=6, seeds=2)
"""


@pytest.mark.long
def test_a_killed_one_ends_with_the_same_answers():
    whole = go(steps=6, output="whole")
    script = SCRIPT.format(paths=[p for p in sys.path if p])
    for wanted in ("pretrained/*/pretrain.json", "points/*.npz"):
        running = subprocess.Popen(
            [sys.executable, "-c", script],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        patience = time.monotonic() + 300
        while not list(Path("out").glob(wanted)) and time.monotonic() < patience:
            assert running.poll() is None
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert not Path("out/pilot.json").exists()
    found = go(steps=6)
    assert answers() == answers("whole")
    assert found.gains == whole.gains and found.recommendation == whole.recommendation


@pytest.mark.long
def test_what_judges_teaches_nothing():
    go(output="before")
    images = small_images()
    side = pd.read_csv("before/split.csv").set_index("path")["side"]
    sealed = np.array([side[path] == "test" for path in images.paths])
    # Their labels in another order: the same split, the same guesses.
    labels = images.labels.copy()
    labels[sealed] = np.roll(labels[sealed], 1)
    split = tuple("test" if one else "train" for one in sealed)
    fixed = replace(images, fixed_split=split)
    go(data=fixed, output="fixed")
    go(data=replace(fixed, labels=labels), output="after")
    assert answers("after") == answers("fixed")


def test_every_class_needs_the_labels_that_are_asked_for():
    heard = StopsAt(99)
    found = prepare(PilotRequest(pilot_config(labels=(2, 4, 5000)), data=small_images(),
                                 policy="SimCLR s=1", device="cpu"), heard)  # fmt: skip
    assert found.counts == (2, 4) and any("5000 of each class" in line for line in heard.notes)
    with pytest.raises(DataError, match="--labels 5000"):
        prepare(PilotRequest(pilot_config(labels=(5000,)), data=small_images(),
                             policy="SimCLR s=1", device="cpu"), Quiet())  # fmt: skip


def test_the_found_policy_is_no_baseline_to_itself():
    found = prepare(PilotRequest(pilot_config(), data=small_images(), policy="SimCLR s=0.5",
                                 device="cpu"), Quiet())  # fmt: skip
    assert found.baseline is None and "simclr_baseline" not in [way.key for way in found.ways]


def test_ways_meet_the_same_labels_and_seeds_meet_others():
    prepared = prepare_small(pilot_config())
    asked = points(prepared)
    assert len(asked) == len(set(asked)) == 2 * 2 * len(prepared.ways)
    assert len({point.file for point in asked}) == len(asked)


def test_a_damaged_answer_is_as_none(tmp_path):
    path = tmp_path / "a.npz"
    keep(path, Answers(np.array([0, 1, 1]), np.array([0.5, 0.6, 0.7]), 1.0))
    assert read_answers(path, 3).guesses.tolist() == [0, 1, 1]
    assert read_answers(path, 4) is None
    path.write_bytes(path.read_bytes()[:40])
    assert read_answers(path, 3) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"policy": None, "policy_from": "nowhere"}, "holds no pilot.json"),
        ({"policy_from": "nowhere"}, "so does --policy"),
        ({"baseline": "autoaugment"}, "--baseline autoaugment"),
        ({"good": "fine"}, "--good fine"),
        ({"weights": "gone.pth"}, "--weights gone.pth"),
        ({"labels": (4, 2)}, "--labels"),
        ({"seeds": 1}, "--seeds"),
        ({"label_seconds": -1.0}, "--label-seconds"),
        ({"seed": -1}, "--seed"),
        ({"steps": 0}, "--steps"),
        ({"space": "factory"}, "--space"),
    ],
)
def test_bad_input_is_one_line(changes, said):
    with pytest.raises(ConfigError, match=said):
        go(**changes)
    assert not Path("out").exists()


def test_others_files_and_other_pilots_are_left_alone():
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="do not belong to a pilot"):
        go()
    Path("out/thesis.txt").unlink()
    Path("out/identity.json").write_text(json.dumps({"seed": "7"}))
    with pytest.raises(ConfigError, match="another pilot"):
        go()


def renamed(images, rows, name):
    """The same pictures, some in another place of the order."""
    paths = list(images.paths)
    for row in rows:
        paths[row] = f"{name}-{paths[row]}"
    order = np.argsort(paths, kind="stable")
    return replace(
        images,
        images=images.images[order],
        labels=images.labels[order],
        groups=images.groups[order],
        fixed_split=tuple(images.fixed_split[row] for row in order.tolist()),
        paths=tuple(paths[row] for row in order.tolist()),
    )


def test_answers_are_of_these_very_pictures_in_this_order():
    images = small_images()
    split = tuple("test" if row % 4 == 0 else "train" for row in range(len(images)))
    fixed = replace(images, fixed_split=split, groups=np.arange(len(images)))
    sealed = [row for row in range(len(images)) if row % 4 == 0]

    def identity(data):
        request = PilotRequest(pilot_config(), data=data, policy="SimCLR s=1", device="cpu")
        return prepare(request, Quiet()).identity

    before = identity(renamed(fixed, [], ""))
    assert identity(renamed(fixed, sealed[::2], "a"))["sealed"] != before["sealed"]
    pixels = fixed.images.copy()
    pixels[sealed] = 255 - pixels[sealed]
    assert identity(replace(renamed(fixed, [], ""), images=pixels))["sealed"] != before["sealed"]


def test_found_and_published_policy_are_told_apart():
    def identity(policy, baseline):
        request = PilotRequest(pilot_config(), data=small_images(), policy=policy,
                               baseline=baseline, device="cpu")  # fmt: skip
        return prepare(request, Quiet()).identity

    assert identity("SimCLR s=1", "SimCLR s=0.5") != identity("SimCLR s=0.5", "SimCLR s=1")


def test_a_winner_that_is_a_baseline_on_grey_images_is_compared_once():
    images = small_images()
    grey = replace(images, images=images.images[:, :1].copy())
    found = prepare(PilotRequest(pilot_config(), data=grey, policy="SimCLR s=0.5", device="cpu"),
                    Quiet())  # fmt: skip
    assert found.baseline is None


@pytest.mark.long
def test_force_begins_anew_and_a_look_is_counted_when_it_is_taken():
    settings = pilot_config(labels=(2,))

    class Stops(Quiet):
        def run_ended(self, run, score, remark):
            if "labels, seed" in run:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(study=settings, progress=Stops())
    storage = open_storage("sqlite:///augsearch.db")
    assert SEALED in optuna.get_all_study_names(storage)
    go(study=settings)
    Path("out/identity.json").write_text("[1]")
    with pytest.raises(ConfigError, match="--force"):
        go(study=settings)
    other = pilot_config(labels=(2,)).model_copy(update={"finetune": QUICK.model_copy(
        update={"steps": 2})})  # fmt: skip
    found = go(study=other, steps=3, force=True)
    assert found.steps == 3 and found.uses == 2
    card = Path("out/pretrained/simclr_baseline-seed-0/README.md").read_text()
    assert "`SimCLR s=0.5`" in card and "`SimCLR s=1`" not in card


def test_what_is_wrong_is_seen_before_a_search():
    with pytest.raises(ConfigError, match="--good fine"):
        go(policy=None, space="factory", good="fine")
    Path("full").mkdir()
    Path("full/thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="do not belong to a pilot"):
        go(policy=None, space="factory", output="full")
    assert not Path("augsearch.db").exists()


def test_another_plants_policy_needs_this_plants_images():
    Path("a").mkdir()
    Path("a/pilot.json").write_text("{}")
    Path("a/policy.yaml").write_text("ops: [{op: horizontal_flip}]\n")
    with pytest.raises(ConfigError, match="--data"):
        go(policy=None, policy_from="a", data=None, study=None)


def test_a_comparison_replaces_nobody_s_files():
    Path("mine").mkdir()
    Path("mine/report.html").write_text("mine")
    with pytest.raises(ConfigError, match="two pilots"):
        compare_pilots(["mine", "mine"])


def test_without_sealed_labels_there_is_no_pilot():
    images = small_images()
    with pytest.raises(DataError, match="sealed images"):
        go(data=replace(images, fixed_split=("train",) * len(images)))


def test_pilots_that_are_none_cannot_be_compared():
    with pytest.raises(ConfigError, match=r"holds no pilot\.json"):
        compare_pilots(["here", "there"])
