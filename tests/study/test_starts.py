"""Studies whose encoder starts from weights, or is the user's own, from end to end."""

import shutil

import pytest
import timm
import torch
from safetensors.torch import save_file
from small_study import STUDY, small_images, small_space

from augsearch.bench.bench import FROZEN, UNTRAINED
from augsearch.errors import ConfigError, StudyError
from augsearch.progress import Quiet
from augsearch.space.yaml_file import load_model
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest
from augsearch.study_file import StudyConfig
from augsearch.verbs.ablate import ablate
from augsearch.verbs.certify import certify_study
from augsearch.verbs.report import report_study
from augsearch.verbs.run import run_study

NET = """
from torch import nn

from augsearch import CustomEncoder


def build(in_channels, image_size):
    return nn.Sequential(
        nn.Conv2d(in_channels, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
    )


network = CustomEncoder(build=build, mean=(0.4,), std=(0.3,))
"""


class Noted(Quiet):
    def __init__(self):
        self.notes = []

    def note(self, sentence):
        self.notes.append(sentence)


@pytest.fixture
def study_file(tmp_path):
    """A study of one's own network, whose weights lie beside it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "net.py").write_text(NET)
    torch.manual_seed(0)
    space: dict = {}
    exec(NET, space)
    save_file(space["network"].build(3, 16).state_dict(), home / "w.safetensors")
    text = STUDY.replace("LEARNING_RATE", "0.001").replace(
        "encoder: {width: 8, stages: 2, stem: stride2}",
        "encoder: {name: custom, file: net.py, weights: w.safetensors, frozen_stages: 1}",
    )
    (home / "study.yaml").write_text(text)
    return home / "study.yaml"


def setup_of(study, **more):
    request = StudyRequest(small_space(), data=small_images(), study=study, **more)
    return prepare(request, progress=Quiet())


@pytest.mark.long
def test_ones_own_network_and_its_weights_go_through_every_verb(study_file, tmp_path):
    images, progress = small_images(), Noted()
    result = run_study(small_space(), data=images, study=study_file, name="s", progress=progress)
    floor = next(policy for policy in result.policies if policy.kind == "floor")
    assert floor.name == FROZEN
    assert len(set(floor.confirmed_scores)) > 1  # the labels differ, the weights do not
    written = load_model(StudyConfig, result.files["study.json"])
    assert written.encoder.code == setup_of(study_file).config.encoder.code
    assert (result.files["study.json"].parent / "net.py").read_text() == NET
    certify_study("s", data=images, random=4, seeds=1)
    page = report_study("s", data=images).read_text()
    assert "frozen pretrained encoder" in page
    assert "w.safetensors" in page
    found = ablate(small_space(), data=images, study=study_file, mode="leave-one-out", replicates=2)
    assert all(cell.mean is not None for cell in found.cells)
    again = run_study(small_space(), data=images, study=study_file, name="s")
    assert again.verdict == result.verdict


@pytest.mark.long
def test_files_may_move_but_not_change(study_file, tmp_path):
    images = small_images()
    run_study(small_space(), data=images, study=study_file, name="s")
    moved = tmp_path / "elsewhere"
    shutil.copytree(study_file.parent, moved)
    run_study(small_space(), data=images, study=moved / "study.yaml", name="s")
    (moved / "net.py").write_text(NET + "\n# another version\n")
    with pytest.raises(StudyError, match=r"encoder\.code"):
        run_study(small_space(), data=images, study=moved / "study.yaml", name="s")
    shutil.copy(study_file.parent / "net.py", moved / "net.py")
    torch.manual_seed(5)
    space: dict = {}
    exec(NET, space)
    save_file(space["network"].build(3, 16).state_dict(), moved / "w.safetensors")
    with pytest.raises(StudyError, match="weights"):
        run_study(small_space(), data=images, study=moved / "study.yaml", name="s")


def test_weights_are_in_the_name_and_settings_of_a_study(study_file):
    one = setup_of(study_file)
    scratch = setup_of(
        load_model(StudyConfig, study_file).model_copy(update={"encoder": StudyConfig().encoder})
    )
    assert one.settings["weights"] == one.bench.start.digest
    assert "weights" not in scratch.settings
    assert one.name != scratch.name
    assert (one.bench.floor, scratch.bench.floor) == (FROZEN, UNTRAINED)
    assert one.bench.mean == (0.4,) * 3


def test_the_floor_is_the_weights_as_they_came(study_file):
    bench = setup_of(study_file).bench
    run = bench.pretraining(small_space().policy({
        "resized_crop.scale_min": 0.5, "color_jitter.brightness": 0.0, "color_jitter.hue": 0.0,
    }), replicate=3, steps=4)  # fmt: skip
    bench.untrained(replicate=3, scored="validation")
    for name, tensor in run.encoder.body.state_dict().items():
        assert torch.equal(tensor, bench.start.state[name])


@pytest.mark.parametrize(
    ("build", "said"),
    [
        ("return 3", "want a torch.nn.Module"),
        ("raise OSError('no such thing')", "raises OSError: no such thing"),
        ("return nn.Conv2d(in_channels, 4, 3).bias", "want a torch.nn.Module"),
        ("return nn.Sequential(nn.Flatten(), nn.ReLU())", "no parameters that learn"),
        ("return Pairs()", "depend on the other"),
    ],
)
def test_a_network_that_breaks_its_promises_is_refused_before_anything(study_file, build, said):
    (study_file.parent / "net.py").write_text(
        "import torch\nfrom torch import nn\nfrom augsearch import CustomEncoder\n\n"
        "class Pairs(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.w = nn.Linear(2, 4)\n"
        "    def forward(self, x):\n        m = x.mean((1, 2, 3))\n"
        "        return self.w(torch.stack([m, m - m.mean()], 1))\n\n"
        f"def build(in_channels, image_size):\n    {build}\n\n"
        "network = CustomEncoder(build=build)\n"
    )
    with pytest.raises(ConfigError) as refused:
        setup_of(study_file)
    assert said in str(refused.value)
    assert "net.py" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_with_two_networks_wants_a_name(study_file):
    (study_file.parent / "net.py").write_text(NET + "\nother = network\n")
    with pytest.raises(ConfigError, match="it has: network, other"):
        setup_of(study_file)


def test_the_study_of_timms_own_weights_says_what_it_took_for_granted(tmp_path):
    model = timm.create_model("test_resnet", num_classes=3)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    text = STUDY.replace("LEARNING_RATE", "0.001").replace(
        "encoder: {width: 8, stages: 2, stem: stride2}",
        "encoder: {name: timm/test_resnet, weights: w.pth}",
    )
    (tmp_path / "study.yaml").write_text(text)
    progress = Noted()
    request = StudyRequest(small_space(), data=small_images(), study=tmp_path / "study.yaml")
    prepare(request, progress=progress)
    assert any("normalised by mean" in note for note in progress.notes)
    assert any("not used: fc.weight, fc.bias" in note for note in progress.notes)
