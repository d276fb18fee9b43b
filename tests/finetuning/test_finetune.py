"""A classifier from an encoder and some labels: kept, chosen, calibrated and judged."""

import json
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import timm
import torch
from finetuning.small_finetuning import STOPPING, config, go
from pretraining.full_runs import StopsAt
from safetensors.torch import load_file
from small_study import small_images

from augsearch.errors import ConfigError, DataError, StudyError
from augsearch.evaluate.features import extract_features
from augsearch.files import held_directory
from augsearch.finetuning.labels import folds_of, labelled_rows, set_apart
from augsearch.finetuning.prepare import prepare
from augsearch.finetuning.request import FinetuneRequest
from augsearch.progress import Quiet
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.supervised import (
    LabelledImages,
    Supervision,
    class_weights,
    train_supervised,
)
from augsearch.verbs.finetune import finetune
from augsearch.verbs.pretrain import pretrain


def weights(directory="out"):
    return (Path(directory) / "model.safetensors").read_bytes()


@pytest.fixture
def pretrained():
    pretrain("SimCLR s=0.5", data=small_images(), study=config(), output="pre", device="cpu")
    return "pre"


@pytest.mark.long
def test_two_processes_do_not_share_a_directory():
    with (
        held_directory(Path("out")),  # as another process does
        pytest.raises(StudyError, match="out: another process works there"),
    ):
        go(output="out")
    assert not Path("out", "finetune.json").exists()
    assert go(output="out").files


@pytest.mark.long
def test_from_a_pretrained_encoder_to_a_judged_classifier(pretrained):
    found = finetune(pretrained, data=small_images(), labels=4, output="out", device="cpu",
                     study=config(**STOPPING))  # fmt: skip
    assert found.start == "pretrained under SimCLR s=0.5 (pre)" and found.policy in found.views
    assert found.combined in ("single", "soup", "ensemble")
    assert set(found.held_out) == {"single", "soup", "ensemble"}
    sealed = found.sealed
    table = np.array(sealed.confusion)
    assert table.sum() == sealed.images == sealed.accuracy.of
    assert np.trace(table) / table.sum() == pytest.approx(sealed.accuracy.value)
    for place, name in enumerate(found.classes):
        assert sealed.recall[name].value == pytest.approx(table[place, place] / table[place].sum())
    answers = pd.read_csv("out/answers.csv")
    split = pd.read_csv("out/split.csv").set_index("path")["side"]
    assert (split[answers.path] == "test").all()
    assert (answers.label == answers.guess).mean() == pytest.approx(sealed.accuracy.value)
    learnt = pd.read_csv("out/labels.csv")
    assert (split[learnt.path] == "pool").all() and len(learnt) == 4 * len(found.classes)
    apart = learnt[learnt.use == "threshold"]
    assert sum(found.labels.values()) == len(learnt) - len(apart) >= len(apart) > 4
    images = small_images()
    groups = dict(zip(images.paths, images.groups.tolist(), strict=True))
    assert found.limit.defects == len({groups[path] for path in apart.path[apart.label != "clean"]})
    assert found.temperature > 0
    defects = answers[answers.label != "clean"]
    assert sealed.missed.value == pytest.approx((~defects.stopped).mean())
    parts = (~defects.stopped).groupby(defects.path.map(groups)).any()
    assert sealed.missed_parts.value == pytest.approx(parts.mean())
    assert sealed.missed_parts.of == len(parts)
    assert sealed.missed_by_class.value == pytest.approx((defects.guess == "clean").mean())
    assert set(found.files) == {p.name for p in Path("out").iterdir() if p.is_file()}
    # MLflow has the classifier and what it is worth.
    client = mlflow.MlflowClient()
    everywhere = [one.experiment_id for one in client.search_experiments()]
    (run,) = client.search_runs(everywhere, "tags.`augsearch.kind` = 'finetuning'")
    shown = run.data.metrics
    assert shown["balanced_accuracy_percent"] == round(100 * sealed.balanced_accuracy, 2)
    assert shown["recall_percent/clean"] == round(100 * sealed.recall["clean"].value, 2)
    kept = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"confusion.png", "finetune.json", "model.safetensors"} <= kept
    assert run.info.status == "FINISHED"
    # Once more: the networks are there, and the answer is the same.
    again = finetune(pretrained, data=small_images(), labels=4, output="out", device="cpu",
                     study=config(**STOPPING), progress=StopsAt(0))  # fmt: skip
    assert again.model_copy(update={"seconds": 0}) == found.model_copy(update={"seconds": 0})


@pytest.mark.long
def test_a_stopped_one_goes_on_with_the_networks_that_are_there():
    whole = go(output="whole")

    class Stops(StopsAt):
        def run_ended(self, run, score, remark):
            self.ended = getattr(self, "ended", 0) + 1
            if self.ended == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(progress=Stops(99))
    assert not Path("out/finetune.json").exists()
    there = {path.name: path.read_bytes() for path in Path("out/networks").glob("*.safetensors")}
    assert 3 <= len(there) < 6
    assert go().sealed == whole.sealed and weights() == weights("whole")
    for name, content in there.items():
        assert (Path("out/networks") / name).read_bytes() == content


@pytest.mark.long
def test_the_sealed_images_decide_nothing_but_the_report():
    images = small_images()
    before = go(data=images, output="before")
    sides = pd.read_csv("before/split.csv").set_index("path")["side"]
    kept = np.flatnonzero([sides[path] != "test" for path in images.paths])
    part = replace(
        images,
        images=images.images[kept],
        labels=images.labels[kept],
        groups=images.groups[kept],
        fixed_split=("train",) * len(kept),
        paths=tuple(images.paths[row] for row in kept.tolist()),
    )
    heard = StopsAt(99)
    after = go(data=part, output="after", progress=heard)
    assert after.sealed is None and before.sealed is not None
    assert after.temperature == before.temperature and weights("after") == weights("before")
    assert not Path("after/answers.csv").exists()


@pytest.mark.long
def test_linear_leaves_the_encoder_as_it_is(pretrained):
    asked = {"data": small_images(), "device": "cpu", "study": config(combine="single")}
    encoder = load_file("pre/model.safetensors")
    for mode, same in (("linear", True), ("whole", False)):
        finetune(pretrained, mode=mode, output=mode, **asked)
        tuned = load_file(f"{mode}/model.safetensors")
        assert set(tuned) - set(encoder) == {"classifier.weight", "classifier.bias"}
        assert all(torch.equal(tuned[name], encoder[name]) for name in encoder) == same


@pytest.mark.long
def test_timm_loads_the_classifier_and_says_the_same():
    images = small_images(image_size=32)
    settings = config(EncoderConfig(name="timm/resnet10t"), size=32, combine="single", steps=2)
    found = go(data=images, study=settings)
    network = timm.create_model("local-dir:out", pretrained=True)
    pixels = np.asarray(images.images[:8])
    logits = extract_features(network, pixels, found.mean, found.std, device=torch.device("cpu"))
    answers = pd.read_csv("out/answers.csv").set_index("path")
    rows = [row for row in range(len(images)) if images.paths[row] in answers.index][:8]
    logits = extract_features(
        network, images.images[rows], found.mean, found.std, device=torch.device("cpu")
    )
    said = [found.classes[place] for place in logits.argmax(axis=1)]
    assert said == [answers.guess[images.paths[row]] for row in rows]


@pytest.mark.parametrize(
    ("wanted", "each"),
    [(3, [3, 3, 3]), ("10%", [2, 2, 2]), ("all", [30, 20, 10]), (25, [25, 20, 10])],
)
def test_labels_are_drawn_for_each_class(wanted, each):
    pool = small_images()
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    pool = replace(
        pool, images=pool.images[:60], labels=labels, groups=np.arange(60),
        classes=("a", "b", "c"), paths=pool.paths[:60], fixed_split=("",) * 60,
    )  # fmt: skip
    rows = labelled_rows(pool, wanted, seed=0)
    assert np.bincount(labels[rows]).tolist() == each
    assert labelled_rows(pool, wanted, seed=0).tolist() == rows.tolist()


def test_folds_keep_parts_together_and_are_left_out_where_a_class_is_one_part():
    pool = small_images()
    labels = np.tile([0, 1], 20)
    pool = replace(pool, labels=labels, groups=np.arange(40) // 4, images=pool.images[:40])
    folds = folds_of(pool, np.arange(40), 3, seed=0)
    assert sorted(np.concatenate(folds).tolist()) == list(range(40))
    for held in folds:
        outside = np.setdiff1d(np.arange(40), held)
        assert not np.intersect1d(pool.groups[held], pool.groups[outside]).size
    lonely = replace(pool, groups=np.where(labels == 0, 0, np.arange(40)))
    assert folds_of(lonely, np.arange(40), 3, seed=0) == ()


@pytest.mark.long
def test_what_finds_the_threshold_teaches_nothing():
    images = small_images()
    before = go(data=images, study=config(**STOPPING), output="before")
    uses = pd.read_csv("before/labels.csv").set_index("path")["use"]
    sides = pd.read_csv("before/split.csv").set_index("path")["side"]
    apart = np.array([uses.get(path) == "threshold" for path in images.paths])
    pixels = images.images.copy()
    # Other pictures, of the same mean and deviation: images are normalised by those of the pool.
    mixed = np.random.default_rng(0).permutation(16 * 16)
    pixels[apart] = pixels.reshape(*pixels.shape[:2], -1)[apart][..., mixed].reshape(-1, 3, 16, 16)
    fixed = tuple("test" if sides[path] == "test" else "train" for path in images.paths)
    after = go(data=replace(images, images=pixels, fixed_split=fixed), study=config(**STOPPING),
               output="after")  # fmt: skip
    assert pd.read_csv("after/labels.csv").set_index("path")["use"].equals(uses)
    assert weights("after") == weights("before") and after.temperature == before.temperature
    assert after.limit.threshold != before.limit.threshold


def test_what_is_set_apart_is_whole_groups_of_every_class():
    labels = np.repeat(np.arange(3), [40, 20, 4])
    pool = replace(
        small_images(),
        labels=labels,
        groups=np.arange(64) // 2,
        classes=("a", "b", "c"),
    )
    rows = np.arange(64)
    for seed in range(5):
        learnt, apart = set_apart(pool, rows, 0.33, seed)
        assert sorted([*learnt, *apart]) == rows.tolist()
        assert not np.intersect1d(pool.groups[learnt], pool.groups[apart]).size
        assert set(labels[learnt]) == {0, 1, 2} and 16 <= len(apart) <= 32
    lonely = replace(pool, groups=np.where(labels == 2, 0, np.arange(64)))
    learnt, apart = set_apart(lonely, rows, 0.33, 0)
    assert learnt.tolist() == rows.tolist() and not len(apart)


def test_a_threshold_that_could_promise_nothing_takes_no_labels():
    images, heard = small_images(), StopsAt(99)
    asked = {"data": images, "output": "out", "device": "cpu"}
    few = prepare(FinetuneRequest(study=config(good="clean"), **asked), heard)
    assert any(
        "no threshold can be found. It needs 49 defective parts" in note for note in heard.notes
    )
    without = prepare(FinetuneRequest(study=config(), **asked), Quiet())
    assert few.rows.tolist() == without.rows.tolist() and few.identity == without.identity
    enough = prepare(FinetuneRequest(study=config(**STOPPING), **asked), Quiet())
    assert len(enough.rows) + len(enough.for_threshold) == len(without.rows)
    assert enough.identity != without.identity


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"pretrained": "nowhere"}, "holds no pretrain.json"),
        ({"labels": "many"}, "--labels: 'many': want a number"),
        ({"labels": "0"}, "--labels: '0': want a number"),
        ({"mode": "deep"}, "--mode: "),
        ({"good": "fine"}, "--good fine: there is no such class"),
        ({"miss_rate": 1.5, "good": "clean"}, "--miss-rate: "),
        ({"miss_rate": 0.1}, "--miss-rate: name the class without a defect"),
        ({"labels": "\u00b2"}, "--labels: "),
        ({"policy": "no-such"}, "there is no study 'no-such'"),
        ({"seed": -1}, "--seed -1"),
        ({"study": config(combine="soup")}, "finetune.combine: soup is the mean"),
    ],
)
def test_what_is_wrong_is_one_line(asked, said):
    with pytest.raises((ConfigError, DataError, StudyError)) as refused:
        go(**asked)
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert not Path("out").exists()


@pytest.mark.long
def test_others_files_and_other_classifiers_are_left_alone():
    go()
    kept = weights()
    for change in ({"seed": 1}, {"labels": 3}, {"policy": "crop only"}):
        with pytest.raises(ConfigError, match=r"holds another fine-tuning \(.*--force"):
            go(**change)
        assert weights() == kept
    assert go(seed=1, force=True).sealed.uses == 2 and weights() != kept
    assert go(output="again").sealed.uses == 2  # the same as the first
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds files that do not belong to this fine-tuning"):
        go(output="mine")
    assert [path.name for path in Path("mine").iterdir()] == ["notes.txt"]


@pytest.mark.long
def test_one_class_is_none_and_one_label_is_not_calibrated():
    images = small_images()
    with pytest.raises(DataError, match="labels of at least two classes, found 1"):
        go(data=replace(images, labels=np.where(images.labels == 0, 0, -1)))
    heard = StopsAt(99)
    found = go(labels=1, progress=heard)
    assert found.temperature is None and found.held_out == {} and found.combined == "single"
    assert any("the probabilities are not calibrated" in note for note in heard.notes)


@pytest.mark.long
def test_the_result_says_where_it_came_from():
    found = go(policy="none")
    assert found.start == "nothing" and found.policy == "images as they are"
    content = json.loads(Path("out/finetune.json").read_text())
    assert content["identity"] == found.identity
    timms = json.loads(Path("out/config.json").read_text())
    assert timms["label_names"] == list(found.classes) and timms["num_classes"] == 6


@pytest.mark.long
def test_a_replaced_one_leaves_nothing_of_the_old_behind():
    several = {"study": config(combine="ensemble")}
    go(**several)
    assert Path("out/model-2.safetensors").exists()

    class Stops(StopsAt):
        def run_ended(self, run, score, remark):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(study=config(combine="single"), force=True, progress=Stops(99))
    with pytest.raises(ConfigError, match=r"another fine-tuning|do not belong to this fine-tuning"):
        go(**several)
    found = go(study=config(combine="single"))
    assert found.networks == 1 and not Path("out/model-2.safetensors").exists()


@pytest.mark.long
def test_a_damaged_network_is_trained_again():
    whole = go()
    path = Path("out/networks/all-seed-0.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StudyError, match="is damaged, and has been removed"):
        go()
    assert go().sealed == whole.sealed


def test_smoothed_labels_and_weights_do_not_favour_the_rare_class():
    torch.manual_seed(0)
    labels = torch.tensor([0] * 38 + [1] * 2)
    images = torch.full((40, 1, 8, 8), 128, dtype=torch.uint8)  # nothing to tell them apart by
    data = LabelledImages(images, labels, 3, [0.5], [0.25])
    weights = class_weights(data)
    assert weights[2] == 0 and (weights[labels]).mean().item() == pytest.approx(1)
    network, _ = train_supervised(
        data,
        lambda batch, _: (batch.float() / 255, batch.float() / 255),
        EncoderConfig(width=8, stages=1),
        PretrainConfig(steps=150, batch_size=40, learning_rate=0.01),
        seed=0,
        device=torch.device("cpu"),
        how=Supervision(label_smoothing=0.1, balance="weights"),
    )
    said = network(((images[:1].float() / 255) - 0.5) / 0.25).softmax(dim=1)[0]
    assert said[0].item() == pytest.approx(said[1].item(), abs=0.1) and said[2] < 0.1
