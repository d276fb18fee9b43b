"""A small classifier that learns from a larger one."""

import json
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch
from finetuning.small_finetuning import STOPPING, config, go
from small_study import small_images
from torch import nn

from augsearch.errors import ConfigError
from augsearch.finetuning.classifier import open_classifier, open_images
from augsearch.progress import Quiet
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.supervised import Teacher
from augsearch.stats.calibration import match_temperature, tempered
from augsearch.verbs.deploy import deploy
from augsearch.verbs.distill import distill
from augsearch.verbs.explain import explain

WIDE = EncoderConfig(width=48, stages=3, stem="stride2")


def teach(**changes):
    asked = {"data": small_images(), "steps": 6, "output": "student", "device": "cpu"}
    return distill("out", **{**asked, **changes})


@pytest.fixture
def teacher():
    return go(study=config(WIDE, combine="ensemble", **STOPPING), labels=20)


@pytest.mark.long
def test_a_student_is_a_classifier_of_its_own(teacher):
    found = teach()
    assert found.teacher.networks == 2 and found.smaller > 4
    assert found.smaller == found.teacher.parameters / found.student.parameters
    student = open_classifier("student")
    count = sum(p.numel() for p in student.networks[0].parameters())
    assert count == found.student.parameters
    assert student.found.classes == teacher.classes and student.found.policy == teacher.policy
    # What is said of it is what its networks say.
    sealed = open_images(student, small_images(), progress=Quiet()).sealed
    rows, said = student.log_probabilities(sealed, np.arange(len(sealed)), torch.device("cpu"))
    right = said.argmax(axis=1) == sealed.labels[rows]
    assert right.mean() == pytest.approx(found.student.accuracy.value)
    assert found.teacher.accuracy.value == pytest.approx(teacher.sealed.accuracy.value)
    assert found.calibration_error == student.found.sealed.calibration_error
    lost = found.teacher.accuracy.value - found.student.accuracy.value
    assert found.loss.value == pytest.approx(lost) and found.loss.high >= found.loss.value
    # A threshold of its own, from the images that were set apart.
    assert student.found.limit.defects == teacher.limit.defects
    assert student.found.limit.threshold != teacher.limit.threshold
    answers = pd.read_csv("student/answers.csv")
    assert (answers.stopped == student.stopped(student.probabilities(said))).all()
    assert json.loads(Path("student/distill.json").read_text())["taught_by"] == "out"
    client = mlflow.MlflowClient()
    everywhere = [one.experiment_id for one in client.search_experiments()]
    (run,) = client.search_runs(everywhere, "tags.`augsearch.kind` = 'distillation'")
    assert run.data.metrics["alike_percent"] == pytest.approx(100 * found.alike, abs=0.01)


@pytest.mark.long
def test_of_tiles_it_counts_pictures():
    images = small_images()
    numbers = np.arange(len(images))
    pictures = numbers % 6 * 6 + numbers // 12  # two tiles of one class each
    tiles = replace(images, pictures=pictures, groups=pictures)
    go(study=config(WIDE), data=tiles, labels=3)
    found = teach(data=tiles)
    split = pd.read_csv("out/split.csv")
    assert 2 * (found.images + found.apart) == (split.side == "pool").sum()
    assert found.alike is None or (found.alike * found.apart) % 1 == pytest.approx(0, abs=1e-9)


@pytest.mark.long
def test_labels_are_not_looked_at_and_the_teacher_is(teacher):
    teach(output="a")
    images = small_images()
    side = pd.read_csv("out/split.csv").set_index("path")["side"]
    used = set(pd.read_csv("out/labels.csv").path)
    rows = [n for n, path in enumerate(images.paths) if side[path] == "pool" and path not in used]
    labels = images.labels.copy()
    labels[rows] = -1
    blank = replace(images, labels=labels, keys=images.keys)
    teach(output="b", data=blank)
    same = [Path(folder, "model.safetensors").read_bytes() for folder in ("a", "b")]
    assert same[0] == same[1]
    # The longer it learns, the more it says what its teacher says.
    teach(output="c", steps=150)
    pool = open_images(open_classifier("out"), images, progress=Quiet()).pool.images
    every = np.arange(len(pool))
    wanted, short, long = (
        open_classifier(name).log_probabilities(pool, every, torch.device("cpu"))[1].argmax(axis=1)
        for name in ("out", "a", "c")
    )
    assert (long == wanted).mean() > max((short == wanted).mean(), 0.6)


@pytest.mark.long
@pytest.mark.parametrize("stopping", [STOPPING, {}], ids=["threshold", "none"])
def test_some_images_are_set_apart_and_the_rest_judges_nothing(stopping):
    go(study=config(WIDE, combine="single", **stopping), labels=20 if stopping else 2)
    found = teach()
    uses = pd.read_csv("student/labels.csv", keep_default_na=False).set_index("path")["use"]
    before = pd.read_csv("out/labels.csv").set_index("path")["use"]
    pool = open_images(open_classifier("student"), small_images(), progress=Quiet())
    apart = set(pool.pool.images.paths) - set(uses[uses != "threshold"].index)
    # Those of the threshold, and some that the teacher has not learnt from either.
    assert len(apart) == found.apart and set(before[before == "threshold"].index) <= apart
    assert stopping or 0 < len(apart) < 0.3 * len(pool.pool.images)
    assert not apart & set(before[before == "learnt from"].index)
    assert found.images == len(pool.pool.images) - found.apart
    assert len(pool.seen) == found.images + (uses == "threshold").sum()
    assert {pool.pool.images.paths[row] for row in pool.learnt} == set(
        uses[uses != "seen without its label"].index
    )
    assert open_classifier("student").found.taught_by == "out (small_resnet from random numbers)"
    # What it was trained on does not judge its smaller forms.
    line = deploy("student", data=small_images(), formats=["fp16"], output="line")
    free = apart - set(before.index)
    assert sum(line.judged.values()) <= len(free) + len(pool.sealed)
    assert "the answers of out (small_resnet from random numbers)" in line.licence
    explained = explain("student", data=small_images(), images=2, output="seen", device="cpu")
    assert explained.sealed == len(pool.sealed)


def test_the_loss_is_least_where_student_and_teacher_agree():
    torch.manual_seed(0)
    views = torch.rand(6, 3, 4, 4)
    wanted = torch.randn(6, 5)
    teacher = Teacher(lambda seen: wanted.log_softmax(dim=1), temperature=2.0)
    logits = nn.Parameter(wanted + 3.0)  # the same answers
    torch.autograd.backward(teacher.loss(views, logits))
    assert logits.grad.abs().max() < 1e-6
    assert teacher.loss(views, wanted.roll(1, 0)) > teacher.loss(views, wanted)


def test_a_temperature_is_found_again():
    logits = np.random.default_rng(0).normal(size=(200, 4)) * 3
    assert match_temperature(logits, tempered(logits, 1.7)) == pytest.approx(1.7, rel=1e-3)


@pytest.mark.long
def test_bad_input_is_said(teacher):
    with pytest.raises(ConfigError, match=r"--student medium: unknown; want tiny, small, timm/"):
        teach(student="medium")
    with pytest.raises(ConfigError, match=r"--student torchvision/resnet18: .* a smaller one"):
        teach(student="torchvision/resnet18")
    unknown = r"--student timm/resnot18: unknown; want tiny, small, .*did you mean timm/"
    with pytest.raises(ConfigError, match=unknown):
        teach(student="timm/resnot18")
    Path("w.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"--weights w\.json: want pretrained or a file \("):
        teach(student="timm/mobilenetv3_small_050", weights="w.json")
    with pytest.raises(ConfigError, match=r"--weights w\.pth: there is no such file"):
        teach(student="timm/mobilenetv3_small_050", weights="w.pth")
    with pytest.raises(ConfigError, match=r"--temperature 0: must lie between 0\.1 and 100"):
        teach(temperature=0)
    with pytest.raises(ConfigError, match=r"nothing: holds neither finetune"):
        Path("nothing").mkdir()
        distill("nothing")
    with pytest.raises(ConfigError, match=r"out: holds files that are of no distillation"):
        teach(output="out")
    teach()
    with pytest.raises(ConfigError, match=r"student: holds another distillation \(lesson"):
        teach(steps=7)
