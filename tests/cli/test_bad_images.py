"""Images and labels that cannot be used: refused in one line, with exit code 2.

The line says what, where and what would be right; a few bad files are skipped and named. Every
case goes through the command line's entry point.
"""

import os
from pathlib import Path

import pytest
from command_line import STUDY, dry_run, write_images
from PIL import Image

pytestmark = pytest.mark.usefixtures("files")


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
    assert "pretrain.batch_size 64 is larger than the 22 images to train on" in (
        " ".join(dry_run(cli, "--data", "images").out.split())
    )


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
