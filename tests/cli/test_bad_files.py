"""Space, study and policy files that cannot be used: refused in one line, with exit code 2.

The line says what, where and what would be right. Every case goes
through the command line's entry point.
"""

from pathlib import Path

import pytest
from command_line import STUDY, dry_run, write_images

pytestmark = pytest.mark.usefixtures("files")

SPACES = {
    "unknown op": ("  - op: colour_gitter\n", ["space.yaml:3:", "colour_gitter", "color_jitter"]),
    "range outside bounds": (
        "  - op: color_jitter\n    hue: {low: 0.0, high: 0.9}\n",
        ["space.yaml:4:", "color_jitter.hue", "0.9", "0.5"],
    ),
    "low above high": (
        "  - op: color_jitter\n    hue: {low: 0.4, high: 0.1}\n",
        ["space.yaml:4:", "color_jitter.hue", "low", "0.4", "0.1"],
    ),
    "misspelt key": (
        "  - op: color_jitter\n    brightnes: 0.4\n",
        ["space.yaml:4:", "'brightnes'", "did you mean 'brightness'?"],
    ),
    "value of another kind": (
        "  - op: color_jitter\n    hue: strong\n",
        ["space.yaml:4:", "color_jitter.hue", "strong"],
    ),
    "nothing searched": (
        "  - op: horizontal_flip\n    p: 0.5\n",
        ["space.yaml: is a policy, not a space", "nothing is searched"],
    ),
}


@pytest.mark.long
@pytest.mark.parametrize(("ops", "words"), SPACES.values(), ids=SPACES)
def test_space_file(cli, ops, words):
    Path("space.yaml").write_text("name: mine\nops:\n" + ops)
    line = dry_run(cli).refusal
    assert all(word in line for word in words), line


TEXTS = {
    "empty list of ops": ("name: mine\nops: []\n", ["space.yaml:", "the space is empty", "`ops`"]),
    "empty file": ("", ["space.yaml", "mapping"]),
    "no mapping": ("- op: invert\n", ["space.yaml", "mapping"]),
    "not YAML": ("name: [1\nops: 2\n", ["space.yaml:2:", "not valid YAML"]),
    "a key twice": ("name: a\nname: b\n", ["space.yaml:2:", "'name'", "twice"]),
}


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS)
def test_space_text(cli, text, words):
    Path("space.yaml").write_text(text)
    line = dry_run(cli).refusal
    assert all(word in line for word in words), line


def test_space_file_in_another_encoding(cli):
    Path("space.yaml").write_bytes("name: Maß\n".encode("latin-1"))
    assert "space.yaml: is not a text file in UTF-8" in dry_run(cli).refusal


@pytest.mark.parametrize("option", ["space", "study"])
def test_unknown_preset(cli, option):
    line = dry_run(cli, **{option: "factroy.yaml" if option == "space" else "standart"}).refusal
    assert ("'factory'" if option == "space" else "'standard'") in line


STUDIES = {
    "metric": ("draws: 10", "draws: 10, metric: sharpness", ["study.yaml:5:", "evaluate.metric"]),
    "key": ("labels_per_class", "label_per_class", ["study.yaml:5:", "'labels_per_class'?"]),
    "sampler": ("trials: 2", "sampler: {kind: tpee}, trials: 2", ["study.yaml:6:", "tpee"]),
    "budget": ("seeds: 5, steps: 4", "seeds: 5, steps: 3", ["study.yaml", "confirm.steps 3"]),
    "few seeds": ("seeds: 5", "seeds: 3", ["study.yaml:7:", "confirm.seeds", "at least five"]),
    "encoder": (
        "{width: 4, stages: 1}",
        "{name: torchvision/resnet19}",
        ["torchvision/resnet19", "torchvision/resnet18"],
    ),
}


@pytest.mark.parametrize(("right", "wrong", "words"), STUDIES.values(), ids=STUDIES)
def test_study_file(cli, right, wrong, words):
    Path("study.yaml").write_text(STUDY.replace(right, wrong))
    write_images(pit=14, scratch=14)
    line = dry_run(cli, "--data", "images").refusal
    assert all(word in line for word in words), line


def test_every_problem_of_a_confirmation(cli):
    Path("study.yaml").write_text(STUDY.replace("seeds: 5", "seeds: 3, max_seeds: 2"))
    line = dry_run(cli).refusal
    assert "confirm.seeds: 3 are too few" in line
    assert "confirm.max_seeds: 2 does not fit: want at least 5" in line


def test_policy_file_missing_or_malformed(cli):
    for verb in (["preview"], ["export", "--to", "kornia"]):
        assert "nowhere.yaml: cannot be read" in cli(*verb, "--policy", "nowhere.yaml").refusal
        Path("bad.yaml").write_text("name: bad\nops:\n  - op: invert\n    q: 1\n")
        line = cli(*verb, "--policy", "bad.yaml").refusal
        assert line.startswith("bad.yaml:4: ")
        assert "unknown key 'q'" in line


def test_a_space_is_no_policy(cli):
    line = cli("export", "--to", "kornia", "--policy", "space.yaml").refusal
    assert line.startswith("space.yaml:4: ")
    assert "ranges, choices and strengths belong in a space (augsearch run --space)" in line


@pytest.mark.parametrize(
    ("option", "file", "kind"), [("space", "study.yaml", "space"), ("study", "space.yaml", "study")]
)
def test_a_file_under_the_wrong_option(cli, option, file, kind):
    line = dry_run(cli, **{option: file}).refusal
    assert line.startswith(f"{file}:")
    assert f"file (--study), not in a {kind}" in line or f"(--space), not in a {kind}" in line
