"""What a directory says about its images, layout by layout."""

from pathlib import Path

import pytest

from augsearch.data.sources import ImageRecord, find_images
from augsearch.errors import DataError


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def write(root: Path, name: str, *lines: str) -> Path:
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def test_folders_of_classes(tmp_path: Path) -> None:
    touch(
        tmp_path, "rust/b.png", "rust/line 2/day/a.JPG", "ok/a.tiff", "Unlabeled/u.png", "top.bmp"
    )
    touch(tmp_path, "ok/.hidden.png", ".cache/a.png", "ok/notes.txt", "__MACOSX/ok/a.png")
    assert find_images(tmp_path) == (
        ImageRecord("Unlabeled/u.png"),
        ImageRecord("ok/a.tiff", "ok"),
        ImageRecord("rust/b.png", "rust"),
        ImageRecord("rust/line 2/day/a.JPG", "rust"),
        ImageRecord("top.bmp"),
    )


def test_a_flat_folder_is_unlabelled(tmp_path: Path) -> None:
    assert find_images(touch(tmp_path, "a.png", "b.png")) == (
        ImageRecord("a.png"),
        ImageRecord("b.png"),
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["train", "test"], ["test", "train"]),
        (["train", "val"], ["train", "test"]),
        (["Train", "Val", "Test"], ["test", "train", "train"]),
    ],
)
def test_split_folders(tmp_path: Path, parts: list[str], expected: list[str]) -> None:
    touch(tmp_path, *[f"{part}/rust/a.png" for part in parts], "unlabelled/a.png")
    unlabelled, *labelled = sorted(find_images(tmp_path), key=lambda record: bool(record.label))
    assert [record.split for record in labelled] == expected
    assert {record.label for record in labelled} == {"rust"}
    assert unlabelled == ImageRecord("unlabelled/a.png")


def test_train_beside_other_folders_is_a_class(tmp_path: Path) -> None:
    records = find_images(touch(tmp_path, "bus/a.png", "train/a.png"))
    assert [(record.label, record.split) for record in records] == [("bus", ""), ("train", "")]


def test_labels_table(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "b.png", "c.png", "sub/d.png", "e.png")
    write(
        tmp_path,
        "labels.csv",
        "\ufeffpath,label,group,split",
        "b.png,NA,part 1,train",
        "",
        'sub\\d.png,"rust, red",part 1,test',
        "./a.png,01,,",
        "c.png",
    )
    assert find_images(tmp_path) == (
        ImageRecord("a.png", "01"),
        ImageRecord("b.png", "NA", "part 1", "train"),
        ImageRecord("c.png"),
        ImageRecord("e.png"),
        ImageRecord("sub/d.png", "rust, red", "part 1", "test"),
    )


def test_groups_table_beside_folders(tmp_path: Path) -> None:
    touch(tmp_path, "ok/a.png", "rust/b.png", "rust/c.png")
    write(tmp_path, "groups.csv", "path,group", "ok/a.png,7", "rust/c.png,7")
    assert [record.group for record in find_images(tmp_path)] == ["7", None, "7"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,label", "a.png,x"], r"labels\.csv, row 1: columns are 'file,label'"),
        (["path,label,groups", "a.png,x,1"], r"not 'path,label\[,group\]\[,split\]'"),
        (["path:label", "a.png:x"], r"row 1: columns are 'path:label'"),
        ([""], r"labels\.csv is empty"),
        (["path,label", "a.png,x", "b.png,x,y"], r"labels\.csv is no comma-separated"),
        (["path,label", "a.png,x,y"], r"row 2: more cells than the 2 columns"),
        (["path,label", "a.png,x", "", "a.png,y"], r"rows 2 and 4: 'a.png' is named twice"),
        (["path,label", "a.png,x", "../b.png,x"], r"row 3: path '\.\./b\.png' must be relative"),
        (["path,label", "/b.png,x"], r"row 2: path '/b\.png' must be relative"),
        (["path,label", "C:\\b.png,x"], r"row 2: path .* must be relative"),
        (["path,label", ",x"], r"row 2: path '' must be relative"),
        (["path,label,split", "a.png,x,dev"], r"split 'dev' of 'a\.png' is none of train, val"),
        (
            ["path,label", "a.png,x", *[f"{name}.png,x" for name in "cdef"]],
            r"labels\.csv: 4 of 5 paths are no image below .*: 'c\.png' \(row 3\), 'd\.png' "
            r"\(row 4\), 'e\.png' \(row 5\), …$",
        ),
    ],
)
def test_faults_in_a_table_are_named(tmp_path: Path, lines: list[str], message: str) -> None:
    touch(tmp_path, "a.png", "b.png")
    with pytest.raises(DataError, match=message) as caught:
        find_images(write(tmp_path, "labels.csv", *lines))
    assert "\n" not in str(caught.value)


def test_directories_without_images(tmp_path: Path) -> None:
    file = touch(tmp_path, "notes.txt") / "notes.txt"
    with pytest.raises(DataError, match="nowhere does not exist"):
        find_images(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"notes\.txt is no directory"):
        find_images(file)
    with pytest.raises(DataError, match=r"no images in .* \(looked for \.png, "):
        find_images(tmp_path)


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.png")
    root = tmp_path / "root"
    root.mkdir()
    (root / "rust").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere" / "loop").symlink_to(root, target_is_directory=True)
    assert find_images(root) == (ImageRecord("rust/a.png", "rust"),)
