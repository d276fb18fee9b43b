"""A small encoder that learns a larger one's features."""

import json
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from finetuning.small_finetuning import config, go
from pretraining.full_runs import StopsAt, full_config
from small_study import small_images
from torch import nn

from augsearch.errors import ConfigError, StudyError
from augsearch.evaluate.features import extract_features
from augsearch.pretraining.opened import encoder_of, open_pretrained
from augsearch.simclr.encoders.build import Encoder
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.feature_teacher import FeatureTeacher
from augsearch.verbs.distill import distill
from augsearch.verbs.finetune import finetune
from augsearch.verbs.pretrain import pretrain

WIDE = EncoderConfig(width=32, stages=3, stem="stride2")


def taught(**changes):
    asked = {"data": small_images(), "output": "student", "device": "cpu", "steps": 12}
    return distill("teacher", **{**asked, **changes})


@pytest.fixture
def teacher():
    study = config(WIDE).model_copy(update={"full": full_config(steps=8).full})
    return pretrain(
        "SimCLR s=0.5", data=small_images(), study=study, output="teacher", device="cpu"
    )


def says(images, encoder, found):
    return extract_features(encoder, images, found.mean, found.std, device=torch.device("cpu"))


@pytest.mark.long
def test_a_student_is_an_encoder_of_its_own(teacher):
    found = taught()
    assert found.learnt == "features" and found.taught_by == "teacher"
    assert found.smaller == found.teacher.parameters / found.student.parameters > 3
    opened = open_pretrained(Path("student"))
    assert opened.found.taught_by == "teacher" and opened.found.policy == teacher.policy
    assert sum(p.numel() for p in encoder_of(opened).parameters()) == found.student.parameters
    assert "from another encoder's features" in Path("student/README.md").read_text()
    # What is lost is what two linear classifiers of one's own making differ by.
    images = small_images()
    side = opened.before.split.sides("path")
    pool = np.flatnonzero([side[path] == "pool" for path in images.paths])
    test = np.flatnonzero([side[path] == "test" for path in images.paths])
    right = {}
    for name in ("teacher", "student"):
        one = open_pretrained(Path(name))
        features = says(images.images, encoder_of(one), one.found)
        centre, spread = features[pool].mean(axis=0), features[pool].std(axis=0)
        from sklearn.linear_model import LogisticRegression

        probe = LogisticRegression(C=1.0, max_iter=5000)
        probe.fit((features[pool] - centre) / np.maximum(spread, 1e-9), images.labels[pool])
        guess = probe.predict((features[test] - centre) / np.maximum(spread, 1e-9))
        right[name] = (guess == images.labels[test]).mean()
    assert found.teacher.accuracy.value == pytest.approx(right["teacher"], abs=0.05)
    assert found.student.accuracy.value == pytest.approx(right["student"], abs=0.05)
    lost = found.teacher.accuracy.value - found.student.accuracy.value
    assert found.loss.value == pytest.approx(lost) and found.loss.high >= found.loss.value
    client = mlflow.MlflowClient()
    everywhere = [one.experiment_id for one in client.search_experiments()]
    (run,) = client.search_runs(everywhere, "tags.`augsearch.kind` = 'distillation'")
    shown = run.data.metrics["student/accuracy_percent"]
    assert shown == pytest.approx(100 * found.student.accuracy.value, abs=0.01)
    # The chain goes on with it.
    classifier = finetune("student", data=small_images(), output="classifier", device="cpu")
    assert "student" in classifier.start


@pytest.mark.long
def test_the_longer_it_learns_the_more_it_is_like_its_teacher(teacher):
    taught(output="short", steps=4)
    taught(output="long", steps=120)
    # Standardised features have no direction in common: a constant answer has a loss of 1.
    losses = [
        [look.loss for look in open_pretrained(Path(name)).found.looks][-1]
        for name in ("short", "long")
    ]
    assert losses[1] < 0.75 < losses[0] < 1.1, losses


@pytest.mark.long
def test_stopped_it_goes_on_and_ends_alike(teacher):
    taught(output="whole")
    with pytest.raises(RuntimeError, match="pulled the plug"):
        taught(output="parts", progress=StopsAt(9))
    assert not Path("parts/distill.json").exists()
    taught(output="parts")
    first, second = (Path(name, "model.safetensors").read_bytes() for name in ("whole", "parts"))
    assert first == second
    before = Path("parts/distill.json").stat().st_mtime_ns
    again = taught(output="parts")
    assert again.loss == taught(output="whole").loss
    assert Path("parts/distill.json").stat().st_mtime_ns == before


@pytest.mark.long
def test_weights_as_they_came_can_teach(teacher):
    weights = str(Path("teacher/model.safetensors").resolve())
    encoder = EncoderConfig(**WIDE.model_dump(exclude_defaults=True) | {"weights": weights})
    study = full_config(steps=4).model_copy(update={"encoder": encoder})
    found = distill(study, policy="SimCLR s=1", data=small_images(), output="student", device="cpu")
    assert found.policy == "SimCLR s=1" and found.steps == 4
    assert found.taught_by.startswith("small_resnet (")


@pytest.mark.long
def test_without_labels_nothing_says_what_it_is_worth(teacher):
    images = small_images()
    blank = replace(images, labels=np.full_like(images.labels, -1))
    found = taught(data=blank)
    assert found.loss is None and found.student.accuracy is None
    assert "No sealed image" in found.description
    assert "loss" not in json.loads(Path("student/distill.json").read_text())


@pytest.mark.long
def test_bad_input_is_said(teacher):
    with pytest.raises(ConfigError, match=r"--temperature: softens a classifier's answers"):
        taught(temperature=3)
    with pytest.raises(ConfigError, match=r"--student torchvision/resnet18: .* a smaller one"):
        taught(student="torchvision/resnet18")
    with pytest.raises(ConfigError, match=r"--steps 0: must be 1 or more"):
        taught(steps=0)
    with pytest.raises(ConfigError, match=r"standard: its encoder begins from nothing"):
        distill("standard", policy="SimCLR s=1", data=small_images())
    with pytest.raises(StudyError, match=r"no study 'teachr'.*, or a directory that `finetune`"):
        distill("teachr", data=small_images())
    Path("empty").mkdir()
    with pytest.raises(ConfigError, match=r"empty: holds neither finetune\.json nor pretrain\.js"):
        distill("empty", data=small_images())
    Path("student").mkdir()
    Path("student/note.txt").touch()
    with pytest.raises(ConfigError, match=r"student: holds files that do not belong"):
        taught()
    go(output="classifier")
    with pytest.raises(ConfigError, match=r"--policy: the policy in the classifier's directory"):
        distill("classifier", policy="SimCLR s=1", data=small_images())


class Channels(nn.Module):
    def forward(self, views):
        return views.mean(dim=(2, 3))


def teacher_of(seen, normalised, student):
    return FeatureTeacher.of(
        "it",
        "0",
        Encoder(Channels(), 3),
        seen,
        normalised=normalised,
        student=student,
        device=torch.device("cpu"),
    )


def test_a_teacher_sees_views_as_it_was_trained_to_and_says_nothing_by_what_never_varies():
    torch.manual_seed(0)
    pixels = torch.rand(40, 3, 4, 4)
    pixels[:, 2] = 0.25
    own, other = ((0.1, 0.2, 0.3), (0.5, 0.6, 0.7)), ((0.4, 0.3, 0.2), (0.2, 0.3, 0.1))

    def normal(pair):
        mean, std = (torch.tensor(part).view(1, 3, 1, 1) for part in pair)
        return (pixels - mean) / std

    seen = Channels()(normal(own))
    teacher = teacher_of(seen, own, other)
    wanted = teacher.features(normal(other), at_once=7)
    torch.testing.assert_close(wanted[:, :2], ((seen - seen.mean(0)) / seen.std(0))[:, :2])
    assert (wanted[:, 2] == 0).all()
    assert FeatureTeacher.loss(3 * wanted, wanted) == pytest.approx(0, abs=1e-5)
    assert FeatureTeacher.loss(-wanted, wanted) == pytest.approx(2, abs=1e-5)
    assert not any(p.requires_grad for p in teacher.encoder.parameters())
