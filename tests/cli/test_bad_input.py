"""What a user can get wrong: one line that says what, where and what would be right; exit code 2.

Every case goes through the command line's entry point.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import SPACE, STUDY, write_images
from PIL import Image

from augsearch.store.database import open_storage
from augsearch.store.study_store import Store

pytestmark = pytest.mark.usefixtures("files")


def dry_run(cli, *more, space="space.yaml", study="study.yaml"):
    return cli("run", "--space", space, "--study", study, "--device", "cpu", "--dry-run", *more)


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


def test_missing_data_directory(cli):
    assert "nowhere does not exist" in dry_run(cli, "--data", "nowhere").refusal


def test_data_is_a_file(cli):
    assert "space.yaml is no directory" in dry_run(cli, "--data", "space.yaml").refusal


def test_no_images(cli):
    Path("images/pit").mkdir(parents=True)
    Path("images/pit/notes.txt").write_text("none yet")
    line = dry_run(cli, "--data", "images").refusal
    assert "no images in images" in line
    assert ".png" in line


def test_one_class_only(cli):
    write_images(pit=14)
    line = dry_run(cli, "--data", "images").refusal
    assert "two classes" in line
    assert "pit" in line


@pytest.mark.parametrize("folder", ["unlabelled", "."])
def test_no_labels_at_all(cli, folder):
    write_images(**{folder: 14})
    line = dry_run(cli, "--data", "images").refusal
    assert "label" in line
    assert "labels.csv" in line


def test_too_few_labelled_images_in_a_class(cli):
    write_images(pit=14, scratch=1)
    line = dry_run(cli, "--data", "images").refusal
    assert "scratch" in line
    assert "label more" in line


def test_many_unreadable_images(cli):
    write_images(pit=14, scratch=14)
    for number in range(5):
        Path(f"images/pit/{number}.png").write_bytes(b"\x89PNG broken")
    line = dry_run(cli, "--data", "images").refusal
    assert "5 of 28 image files are unreadable" in line
    assert "pit/0.png" in line


def test_classes_are_named_with_their_numbers(cli):
    write_images(pit=14, scratch=12, unlabelled=3)
    said = dry_run(cli, "--data", "images").out
    assert "classes: pit 14, scratch 12; without a label: 3; sealed test: " in said


def test_splits_among_other_folders(cli):
    for part in ("train", "test"):
        write_images(f"images/{part}", pit=8, scratch=8)
    write_images(masks=4)
    said = dry_run(cli, "--data", "images").out
    assert "folders of masks are left out: 4 images (masks/0.png, " in said
    assert "classes: pit 16, scratch 16; sealed test: 16 images, as the files say" in said
    write_images(**{"iconic-images": 4})
    line = dry_run(cli, "--data", "images").refusal
    assert "test, train are named like splits, iconic-images not: take it out" in line


@pytest.mark.parametrize("label", ["pit;scratch", "pit|scratch"])
def test_several_labels_of_one_image(cli, label):
    write_images(pit=3)
    Path("images/labels.csv").write_text(f"path,label\npit/0.png,{label}\npit/1.png,pit\n")
    line = dry_run(cli, "--data", "images").refusal
    assert f"labels.csv: '{label}' reads like several labels of one image" in line


def test_an_archive(cli):
    Path("images.zip").touch()
    assert "images.zip is no directory but an archive: unpack it" in (
        dry_run(cli, "--data", "images.zip").refusal
    )


@pytest.mark.parametrize("option", ["--data", "--output"])
def test_a_path_that_no_text_can_hold(cli, option):
    folder = Path(os.fsdecode(b"h\xe4rte"))
    folder.mkdir()
    write_images(pit=14, scratch=14)
    given = ("--data", "images", option, folder)[2 if option == "--data" else 0 :]
    assert f"{option} h\\xe4rte: the path is no plain text" in dry_run(cli, *given).refusal


def test_a_batch_above_the_number_of_images(cli):
    write_images(pit=14, scratch=14)
    Path("study.yaml").write_text(STUDY.replace("batch_size: 8", "batch_size: 64"))
    assert "pretrain.batch_size 64 is above the 22 images to train on" in (
        " ".join(dry_run(cli, "--data", "images").out.split())
    )


def test_every_problem_of_a_confirmation(cli):
    Path("study.yaml").write_text(STUDY.replace("seeds: 5", "seeds: 3, max_seeds: 2"))
    line = dry_run(cli).refusal
    assert "confirm.seeds: 3 are too few" in line
    assert "confirm.max_seeds: 2 does not fit: want at least 5" in line


@pytest.mark.slow
def test_a_study_of_names_that_no_text_can_hold(cli):
    """All the way to the files, the databases and MLflow."""
    names = [os.fsdecode(b"h\xe4rte"), "line\nbreak", "x" * 250]
    write_images(**dict.fromkeys(names, 14))
    (Path("images") / names[0] / "0.png").rename(Path("images") / os.fsdecode(b"\xff.png"))
    run = ["run", "--space", "space.yaml", "--study", "study.yaml", "--data", "images"]
    said = cli(*run, "--name", "odd", "--device", "cpu")
    assert said.code == 0, said.err
    assert "MLflow" not in said.out
    assert "h\\xe4rte" in Path("runs/odd/result.json").read_text(encoding="utf-8").replace(
        "\\\\", "\\"
    )
    assert "\\xff.png" in Path("runs/odd/split.csv").read_text(encoding="utf-8")


def test_a_few_unreadable_images_are_named_and_skipped(cli):
    write_images(pit=14, scratch=14)
    Path("images/pit/0.png").write_bytes(b"")
    said = dry_run(cli, "--data", "images")
    assert said.code == 0
    assert "1 of 28 image files are unreadable and were skipped: pit/0.png" in said.out
    assert "27 images" in said.out


def test_labels_of_missing_files(cli):
    write_images(pit=3)
    Path("images/labels.csv").write_text("path,label\npit/0.png,pit\npit/9.png,pit\n")
    line = dry_run(cli, "--data", "images").refusal
    assert "labels.csv" in line
    assert "'pit/9.png' (row 3)" in line


def test_labels_without_a_needed_column(cli):
    write_images(pit=3)
    Path("images/labels.csv").write_text("path,klass\npit/0.png,pit\n")
    line = dry_run(cli, "--data", "images").refusal
    assert "labels.csv" in line
    assert "label" in line


@pytest.mark.parametrize("device", ["gpu", "tpu:0", "meta"])
def test_unknown_device(cli, device):
    line = dry_run(cli, "--device", device).refusal
    assert f"unknown device {device!r}" in line
    assert "cuda" in line


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_cuda_asked_for_and_absent(cli):
    line = dry_run(cli, "--device", "cuda").refusal
    assert "'cuda' is not available" in line
    assert "cpu" in line


OPTIONS = {
    "no trials": (["--trials", "0"], "--trials 0"),
    "negative trials": (["--trials", "-3"], "--trials -3"),
    "empty subset": (["--subset", "0"], "--subset 0"),
    "subset below the classes": (["--subset", "1"], "subset"),
    "negative seed": (["--seed", "-1"], "--seed -1"),
    "name with a slash": (["--name", "a/b"], "--name a/b"),
    "name of nothing": (["--name", ""], "--name"),
    "name with a line break": (["--name", "a\nb"], "--name"),
    "storage of an unknown kind": (["--storage", "nonsense://here"], "nonsense://here"),
    "storage that is no URL": (["--storage", "studies.db"], "--storage studies.db"),
    "storage in no directory": (["--storage", "sqlite:///no/where.db"], "no/where.db"),
    "storage that is no database": (["--storage", "sqlite:///space.yaml"], "space.yaml"),
    "output is a file": (["--output", "space.yaml"], "--output space.yaml"),
    "output below a file": (["--output", "space.yaml/results"], "--output space.yaml/results"),
}


@pytest.mark.parametrize("stop", [True, False], ids=["dry run", "run"])
@pytest.mark.parametrize(("options", "word"), OPTIONS.values(), ids=OPTIONS)
def test_option(cli, options, word, stop):
    write_images(pit=14, scratch=14)
    run = ["run", "--space", "space.yaml", "--study", "study.yaml", "--data", "images"]
    line = cli(*run, *(["--dry-run"] if stop else []), *options).refusal
    assert word in line
    assert not Path("mlflow.db").exists()
    assert not Path("augsearch.db").exists()
    assert not Path("runs").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_read_only_output(cli):
    Path("locked").mkdir(mode=0o555)
    line = dry_run(cli, "--output", "locked/here").refusal
    assert "--output locked/here: cannot be written" in line


def test_a_cache_that_cannot_be_written_is_done_without(cli, monkeypatch):
    monkeypatch.setenv("AUGSEARCH_CACHE", "space.yaml/cache")
    write_images(pit=14, scratch=14)
    assert dry_run(cli, "--data", "images").code == 0


def test_old_mlflow_files(cli):
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("experiment_id: 0\n")
    line = dry_run(cli).refusal
    assert "./mlruns" in line
    assert "MLFLOW_TRACKING_URI" in line


def test_old_mlflow_files_do_not_matter_where_another_store_is_named(cli, monkeypatch):
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("experiment_id: 0\n")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    write_images(pit=14, scratch=14)
    assert dry_run(cli, "--data", "images").code == 0


@pytest.mark.parametrize("stop", [True, False], ids=["dry run", "run"])
def test_name_of_a_study_with_another_space(cli, finished_study, stop):
    for name in ("augsearch.db", "images"):
        source = finished_study / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, name)
    Path("space.yaml").write_text(SPACE.replace("high: 0.8", "high: 0.7"))
    run = ["run", "--space", "space.yaml", "--study", "study.yaml", "--data", "images"]
    said = cli(*run, "--name", "small", "--device", "cpu", *(["--dry-run"] if stop else []))
    line = said.refusal
    assert "color_jitter.brightness.high: 0.8 there, 0.7 here" in line
    assert "--name" in line
    assert "kept in the study" not in said.out


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


def test_a_space_of_colour_alone_for_grey_images(cli):
    for number in range(28):
        folder = Path("grey/pit" if number % 2 else "grey/scratch")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 9 * number).save(folder / f"{number}.png")
    for text in (
        "ops: [{op: grayscale, p: {low: 0.0, high: 1.0}}]",
        "ops: [{op: invert, p: 0.5}, {op: grayscale, p: {low: 0.0, high: 1.0}}]",
    ):
        Path("space.yaml").write_text(text)
        line = dry_run(cli, "--data", "grey").refusal
        assert "space.yaml: the images are grey, and all that is searched acts on colour" in line


def test_unknown_target_of_an_export(cli):
    line = cli("export", "--policy", "policy.yaml", "--to", "keras").refusal
    assert "--to keras" in line
    assert "torchvision" in line


@pytest.mark.parametrize("verb", [["preview"], ["export", "--to", "kornia"]])
@pytest.mark.parametrize("size", ["0", "-8"])
def test_impossible_image_size(cli, verb, size):
    line = cli(*verb, "--policy", "policy.yaml", "--image-size", size).refusal
    assert f"--image-size {size}" in line


def test_a_preview_too_large_to_look_at(cli):
    line = cli("preview", "--policy", "policy.yaml", "--image-size", "100000").refusal
    assert "--image-size 100000" in line


PREVIEWS = {
    "nothing to show": ([], "name what to show: a finished study, --policy FILE or --space SPACE"),
    "unknown baseline": (
        ["--policy", "policy.yaml", "--baseline", "simclr s=2"],
        "--baseline simclr s=2: there is no such baseline; did you mean 'SimCLR s=1'? there are: "
        "'crop only', 'SimCLR s=0.5', 'SimCLR s=1', 'TrivialAugment'",
    ),
    "unknown space": (["--space", "factry"], "did you mean the preset 'factory'?"),
    "no images": (
        ["--policy", "policy.yaml", "--data", "empty"],
        "no images in empty (looked for ",
    ),
    "unknown study": (["small"], "there is no study 'small': nothing is stored"),
    "study and policy": (
        ["small", "--policy", "policy.yaml"],
        "the study 'small' has a policy of its own; leave out --policy and --space, or the study's",
    ),
    "unknown operation": (["--policy", "unknown.yaml"], "unknown.yaml:2: "),
}


@pytest.mark.parametrize("name", PREVIEWS)
def test_previews_that_cannot_be(cli, name):
    Path("empty").mkdir()
    Path("unknown.yaml").write_text("ops:\n  - op: gausian_blur\n")
    arguments, expected = PREVIEWS[name]
    assert expected in cli("preview", *arguments).refusal
    assert not Path("preview.png").exists()


def test_a_preview_of_a_study_without_a_verdict(cli):
    Store(open_storage("sqlite:///augsearch.db"), "begun", settings={})
    assert "'begun' has no verdict yet" in cli("preview", "begun").refusal


def test_a_preview_of_a_study_whose_images_have_moved(cli, finished_study):
    shutil.copy(finished_study / "augsearch.db", "augsearch.db")
    Path(finished_study / "images").rename(finished_study / "elsewhere")
    try:
        line = cli("preview", "small").refusal
    finally:
        Path(finished_study / "elsewhere").rename(finished_study / "images")
    assert line.endswith(f"not at {finished_study / 'images'} any more; name them with --data")


@pytest.mark.parametrize("name", ["views.yaml", "views.jpeg2", "views.hdf5"])
def test_a_picture_in_no_format(cli, name):
    line = cli("preview", "--policy", "policy.yaml", "--output", name).refusal
    assert f"--output {name}: " in line
    assert not Path(name).exists()


@pytest.mark.parametrize("verb", [["preview"], ["export", "--to", "kornia"]])
def test_output_file_in_no_directory(cli, verb):
    line = cli(*verb, "--policy", "policy.yaml", "--output", "no/where").refusal
    assert "--output no/where: cannot be written" in line


def test_a_store_of_mlflow_that_is_none(cli):
    Path("mlflow.db").write_bytes(bytes(range(256)) * 20)
    line = cli("ui", "--port", "5391").refusal
    assert "MLflow cannot open sqlite:///" in line and "move the file away" in line


@pytest.mark.parametrize("verb", [["show", "nix"], ["delete", "nix", "--yes"]])
def test_unknown_study(cli, verb):
    assert "no study 'nix'" in cli("studies", *verb).refusal
    assert not Path("augsearch.db").exists()


def test_unknown_operation(cli):
    line = cli("ops", "gausian_blur").refusal
    assert line == "there is no operation 'gausian_blur'; did you mean 'gaussian_blur'?"


def test_a_port_that_is_none(cli):
    assert cli("ui", "--port", "700000").code == 2


def test_as_a_process_of_its_own():
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("experiment_id: 0\n")
    command = [sys.executable, "-c", "from augsearch.cli import main; main()", "ui"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr.startswith("augsearch: ./mlruns holds")
    assert said.stderr.count("\n") == 1
