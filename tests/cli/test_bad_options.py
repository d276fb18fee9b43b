"""Options, places and names that cannot be: refused in one line, with exit code 2.

The line says what, where and what would be right. Every case goes
through the command line's entry point.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from command_line import SPACE, dry_run, write_images

from augsearch.store.database import open_storage
from augsearch.store.study_store import Store

pytestmark = pytest.mark.usefixtures("files")


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
