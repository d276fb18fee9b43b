"""`augsearch export`: what it writes where, what it says, what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import augsearch
from augsearch.augment.baselines import simclr
from augsearch.augment.export.targets import ENDINGS, usual_name
from augsearch.errors import ExportWarning, OutputError

EXPORT = ("export", "--policy", "policy.yaml", "--to")


@pytest.fixture(autouse=True)
def policy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(simclr(1).to_yaml())


@pytest.mark.parametrize("target", ENDINGS)
def test_each_target_has_a_file_of_its_kind_and_may_be_exported_again(cli, target):
    name = usual_name(target)
    for _ in range(2):
        said = cli(*EXPORT, target, "--image-size", "64")
        assert (said.code, said.out.splitlines()[0]) == (0, f"wrote {name}")
    text = Path(name).read_text()
    readers = {".py": lambda: compile(text, name, "exec"), ".json": lambda: json.loads(text)}
    readers.get(Path(name).suffix, lambda: yaml.safe_load(text))()


def test_help_lists_the_targets(cli):
    said = " ".join(cli("export", "--help").out.split())
    assert ", ".join(ENDINGS) in said.replace("│ ", "")


def test_what_differs_is_on_the_terminal_and_refused_with_strict(cli):
    said = cli(*EXPORT, "solo-learn")
    lines = said.out.splitlines()
    assert lines[1] == "what differs from the policy, in solo-learn:"
    assert "  approximated: resized_crop: cubic interpolation, instead of linear" in lines
    text = Path("views_solo_learn.yaml").read_text()
    assert all(f"# - {line.strip()}\n" in text for line in lines[2:])
    Path("views_solo_learn.yaml").unlink()
    assert (
        "cannot be written for solo-learn as it is"
        in cli(*EXPORT, "solo-learn", "--strict").refusal
    )
    assert not Path("views_solo_learn.yaml").exists()
    assert cli(*EXPORT, "dino", "--strict").out == "wrote views_dino.py\n"


def test_nothing_left_of_a_policy_is_refused(cli):
    Path("policy.yaml").write_text("ops: [{op: elastic}]\n")
    assert "none of its operations" in cli(*EXPORT, "lightly-train").refusal


@pytest.mark.parametrize(
    "theirs", ["train()\n", "# exported by augsearch, then by hand\n", "\n", "\0\xff"]
)
def test_a_file_of_somebody_else_stays(cli, theirs):
    file = Path("views_kornia.py")
    file.write_text(theirs)
    line = cli(*EXPORT, "kornia").refusal
    assert "--output views_kornia.py: is there and was not exported by augsearch" in line
    assert file.read_text() == theirs
    assert cli(*EXPORT, "kornia", "--force").code == 0
    assert file.read_text() != theirs


def test_an_export_may_take_the_place_of_another_but_not_the_policys(cli):
    assert cli(*EXPORT, "json", "--output", "mine").code == 0
    assert cli(*EXPORT, "solo-learn", "--output", "mine").code == 0
    assert yaml.safe_load(Path("mine").read_text())[0]["crop_size"] == 224
    Path("empty").touch()
    assert cli(*EXPORT, "json", "--output", "empty").code == 0
    line = cli(*EXPORT, "json", "--output", "policy.yaml", "--force").refusal
    assert "is what the policy is made of" in line
    Path("here").mkdir()
    assert "--output here: cannot be written" in cli(*EXPORT, "json", "--output", "here").refusal


def test_the_same_from_python():
    exported = augsearch.export("policy.yaml", "solo-learn", "mine.yaml", image_size=224)
    assert exported.path == Path("mine.yaml")
    assert (
        "approximated: gaussian_blur: sigma 0.1 to 2 pixels, instead of up to 2" in exported.remarks
    )
    with pytest.warns(ExportWarning, match="mine.yaml differs from the policy: approximated"):
        augsearch.write_export("policy.yaml", "solo-learn", "mine.yaml")
    Path("mine.yaml").write_text("mine: yes\n")
    with pytest.raises(OutputError, match="was not exported by augsearch"):
        augsearch.export("policy.yaml", "solo-learn", "mine.yaml")
    assert augsearch.export("policy.yaml", "json", "mine.yaml", force=True).remarks == ()
