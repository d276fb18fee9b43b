"""`image_size: auto` takes the size at which classes can be told, and no larger one."""

import numpy as np
import pytest
from PIL import Image
from small_study import STUDY, small_images, small_space

from augsearch.data.config import DataConfig
from augsearch.errors import ConfigError
from augsearch.evaluate.probe import few_label_probe
from augsearch.progress import Quiet
from augsearch.space.yaml_file import parse_model
from augsearch.stats.crossed import MeanEstimate
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest
from augsearch.study.sizes import SizeChoice, SizeProbe, own_size
from augsearch.study_file import StudyConfig


class Noted(Quiet):
    def __init__(self):
        self.notes = []

    def note(self, sentence):
        self.notes.append(sentence)


def study(data="{image_size: auto}", more=""):
    text = STUDY.replace("LEARNING_RATE", "0.002").replace("{image_size: 16}", data)
    return parse_model(StudyConfig, text + more, "s.yaml")


def picture(rng, coarse, fine, side=96):
    """A grey picture with a blob in one half and a fine stripe pattern, each in two forms."""
    pixels = rng.normal(120, 12, (side, side))
    half = side // 2
    top = int(rng.integers(4, half - 20)) + (half if coarse else 0)
    left = int(rng.integers(4, half - 20))
    pixels[top : top + 16, left : left + 40] += 70
    # Stripes two pixels wide, up or across: at a third of the size they are one grey.
    phase = rng.integers(0, 4)
    stripes = 35 * np.sign(np.sin((np.arange(side) + phase + 0.5) * np.pi / 2))
    pixels += stripes[:, None] if fine else stripes[None, :]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def folder(path, mark, each=60):
    rng = np.random.default_rng(5)
    for label in (0, 1):
        (path / f"class{label}").mkdir(parents=True)
        for number in range(each):
            other = int(rng.integers(2))
            coarse, fine = (other, label) if mark == "fine" else (label, other)
            picture(rng, coarse, fine).save(path / f"class{label}" / f"{number}.png")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("mark", "sizes"), [("fine", {64, 96}), ("coarse", {32})])
def test_the_size_follows_the_mark(tmp_path, mark, sizes):
    data, progress = folder(tmp_path / "images", mark), Noted()
    request = StudyRequest(small_space(), data=data, study=study())
    setup = prepare(request, progress=progress)
    assert setup.config.data.image_size in sizes
    assert setup.image_set.image_size == setup.config.data.image_size
    table = [note for note in progress.notes if " pixels  " in note]
    assert [int(line.split()[0]) for line in table] == [32, 48, 64, 96]
    assert all("a trial takes about" in line for line in table)
    # Measured again it is the same study.
    assert prepare(request, progress=Quiet()).name == setup.name


def test_no_size_beyond_the_pictures_own_is_tried(tmp_path):
    rng = np.random.default_rng(0)
    for number, side in enumerate((60, 61, 300)):
        picture(rng, 0, 0, side).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"nothing")
    # A header of more pixels than any memory holds.
    bomb = (tmp_path / "0.png").read_bytes()
    (tmp_path / "bomb.png").write_bytes(bomb[:16] + 2 * b"\x7f\xff\xff\xff" + bomb[24:])
    names = ["0.png", "1.png", "2.png", "broken.png", "bomb.png"]
    assert own_size(tmp_path, names) == 61


def test_images_handed_over_in_python_have_a_size():
    images = small_images(image_size=24)
    request = StudyRequest(small_space(), data=images, study=study())
    assert prepare(request, progress=Quiet()).config.data.image_size == 24


def test_the_sealed_images_are_not_looked_at(tmp_path, monkeypatch):
    """They are black: had they been probed, nothing could be told."""
    seen = []
    from augsearch.study import sizes

    probe = few_label_probe

    def watched(features, labels, draws, config):
        seen.extend(np.concatenate([np.r_[draw.fit, draw.score] for draw in draws]).tolist())
        return probe(features, labels, draws, config)

    monkeypatch.setattr(sizes, "few_label_probe", watched)
    monkeypatch.setattr(sizes, "SIZES", (32,))
    data = folder(tmp_path / "images", "coarse", each=30)
    setup = prepare(StudyRequest(small_space(), data=data, study=study()), progress=Quiet())
    assert seen
    assert not set(seen) & set(setup.bench.split.test.tolist())


@pytest.mark.parametrize(
    ("losses", "taken"),
    [
        ((0.10, 0.05, None), 96),  # every smaller one loses
        ((0.10, 0.004, None), 64),  # what is lost at 64 is nothing
        ((0.10, 0.03, None), 96),  # too much to take the chance
        ((None, 0.02, 0.03), 32),
    ],
)
def test_the_smallest_size_without_a_loss_is_taken(losses, taken):
    probes = tuple(
        SizeProbe(size, 0.8, None if loss is None else MeanEstimate(loss, 0.02, 50, True), 60.0)
        for size, loss in zip((32, 64, 96), losses, strict=True)
    )
    choice = SizeChoice(probes, "the encoder with its weights")
    assert choice.chosen.size == taken
    assert f"{taken} pixels are taken" in choice.sentences[-1]


def test_it_is_refused_where_it_means_nothing(tmp_path):
    with pytest.raises(ConfigError, match="say how large tiles are"):
        study("{image_size: auto, fit: tile}")
    data = folder(tmp_path / "images", "coarse", each=8)
    free = study().model_copy(
        update={"evaluate": study().evaluate.model_copy(update={"score": "lidar"})}
    )
    with pytest.raises(ConfigError, match="say a size"):
        prepare(StudyRequest(small_space(), data=data, study=free), progress=Quiet())
    with pytest.raises(ValueError, match="not been chosen"):
        _ = DataConfig(image_size="auto").side


def test_a_word_that_is_none_is_refused_in_one_line():
    with pytest.raises(ConfigError) as refused:
        study("{image_size: large}")
    assert "\n" not in str(refused.value)
    assert "image_size" in str(refused.value)


@pytest.mark.long
def test_a_network_that_wants_larger_images_gets_them(tmp_path):
    data = folder(tmp_path / "images", "coarse", each=30)
    (tmp_path / "net.py").write_text(
        "from torch import nn\nfrom augsearch import CustomEncoder\n\n"
        "def build(channels, size):\n"
        "    return nn.Sequential(nn.Conv2d(channels, 8, 33, 8), nn.BatchNorm2d(8), nn.ReLU(),\n"
        "                         nn.AdaptiveAvgPool2d(1))\n\n"
        "network = CustomEncoder(build)\n"
    )
    text = STUDY.replace("LEARNING_RATE", "0.002").replace("{image_size: 16}", "{image_size: auto}")
    old = "encoder: {width: 8, stages: 2, stem: stride2}"
    text = text.replace(old, "encoder: {name: custom, file: net.py}")
    (tmp_path / "study.yaml").write_text(text)
    progress = Noted()
    request = StudyRequest(small_space(), data=data, study=tmp_path / "study.yaml")
    setup = prepare(request, progress=progress)
    assert setup.config.data.side >= 48
    table = [note for note in progress.notes if " pixels  " in note]
    assert [int(line.split()[0]) for line in table] == [48, 64, 96]


def test_few_images_are_said_to_be_few():
    wide = MeanEstimate(0.03, 0.2, 8, True)
    probes = (SizeProbe(32, 0.6, wide, 1.0), SizeProbe(64, 0.63, None, 2.0))
    assert (
        "too few labelled images to tell sizes apart"
        in SizeChoice(probes, "3 random encoders").sentences[-2]
    )
