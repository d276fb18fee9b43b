"""What a directory says about its images, layout by layout."""

import os
from pathlib import Path

import pytest
from PIL import Image

from augsearch.data.listing.sources import ImageRecord, find_images
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


def heard(root: Path) -> tuple[tuple[ImageRecord, ...], str]:
    """The records, and all that was said."""
    said: list[str] = []
    return find_images(root, said.append), "\n".join(said)


SPLIT = ("train/ok/a.png", "train/rust/a.png", "test/ok/b.png", "test/rust/b.png")


@pytest.mark.parametrize("folder", ["ground_truth", "mask", "GT", "Annotations"])
def test_folders_of_masks_beside_splits_are_left_out_and_said(tmp_path: Path, folder: str) -> None:
    records, said = heard(touch(tmp_path, *SPLIT, f"{folder}/rust/b_mask.png"))
    assert {(record.label, record.split) for record in records} == {
        (label, split) for label in ("ok", "rust") for split in ("train", "test")
    }
    assert f"folders of masks are left out: 1 images ({folder}/rust/b_mask.png)" in said


@pytest.mark.parametrize("others", [["iconic-images/a.png"], ["extra/a.png", "more/ok/a.png"]])
def test_splits_beside_other_folders_are_refused(tmp_path: Path, others: list[str]) -> None:
    names = ", ".join(path.partition("/")[0] for path in others)
    with pytest.raises(DataError, match=f"test, train are named like splits, {names} not: take"):
        find_images(touch(tmp_path, *SPLIT, *others))


def test_one_split_of_classes_beside_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train are named like splits, extra not"):
        find_images(touch(tmp_path, *SPLIT[:2], "extra/a.png"))


def test_the_layout_of_mvtec_ad_is_known(tmp_path: Path) -> None:
    touch(tmp_path, "train/good/a.png", "test/good/b.png", "test/crack/c.png")
    records, said = heard(touch(tmp_path, "ground_truth/crack/c_mask.png"))
    assert [(record.label, record.split) for record in records] == [
        ("crack", "test"),
        ("good", "test"),
        ("good", "train"),
    ]
    assert "classes that the training part lacks: crack" in said


@pytest.mark.parametrize(
    ("train", "test"),
    [("train2017", "val2017"), ("Train_images", "test-set"), ("images_train", "images_val")],
)
def test_other_names_of_splits(tmp_path: Path, train: str, test: str) -> None:
    records = find_images(touch(tmp_path, f"{train}/ok/a.png", f"{test}/ok/b.png"))
    assert sorted(record.split for record in records) == ["test", "train"]
    assert {record.label for record in records} == {"ok"}


def test_splits_inside_the_classes(tmp_path: Path) -> None:
    paths = [f"{label}/{part}/a.png" for label in ("ok", "rust") for part in ("train", "test")]
    records, said = heard(touch(tmp_path, *paths))
    assert [(record.label, record.split) for record in records] == [
        ("ok", "test"), ("ok", "train"), ("rust", "test"), ("rust", "train"),
    ]  # fmt: skip
    assert "inside each class are taken as splits" in said
    records, said = heard(touch(tmp_path, "ok/a.png"))
    assert {record.split for record in records} == {""}
    assert "they are not taken as splits" in said


@pytest.mark.parametrize("inner", [("ok", "rust"), ("train", "test")])
def test_one_folder_around_all_is_pointed_out(tmp_path: Path, inner: tuple[str, str]) -> None:
    paths = [f"images/{name}/a.png" for name in inner]
    records, said = heard(touch(tmp_path, *paths, "masks/a.png"))
    assert {record.label for record in records} == {"images"}
    assert f"if {', '.join(sorted(inner))} are what is meant, name {tmp_path / 'images'}" in said


def test_masks_beside_their_images(tmp_path: Path) -> None:
    touch(tmp_path, "ok/a.png", "ok/a_mask.png", "ok/b.jpg", "ok/b-GT.png", "ok/gas_mask.png")
    records, said = heard(tmp_path)
    assert [record.path for record in records] == ["ok/a.png", "ok/b.jpg", "ok/gas_mask.png"]
    assert "masks beside their images are left out: 2 images (ok/a_mask.png, ok/b-GT.png)" in said
    write(tmp_path, "labels.csv", "path,label", "ok/a_mask.png,mask", "ok/a.png,ok")
    assert "ok/a_mask.png" in [record.path for record in find_images(tmp_path)]


def test_masks_alone_are_images(tmp_path: Path) -> None:
    records = find_images(touch(tmp_path, "gt/a.png", "masks/b.png"))
    assert [record.label for record in records] == ["gt", "masks"]


def test_a_class_may_be_called_mask(tmp_path: Path) -> None:
    for paths in (["mask/a.png", "no_mask/a.png"], ["train/mask/a.png", "test/no_mask/a.png"]):
        root = tmp_path / paths[0].partition("/")[0]
        records, said = heard(touch(root, *paths))
        assert {record.label for record in records} == {"mask", "no_mask"}
        assert "the folder mask is taken as a class" in said


def test_namesakes_with_another_suffix_are_pointed_out(tmp_path: Path) -> None:
    _, said = heard(touch(tmp_path, "ok/a.png", "ok/a.jpg", "ok/b.png"))
    assert "only in their suffix: 1 (such as ok/a.jpg and ok/a.png)" in said


def test_hidden_images_are_counted_and_rubbish_is_not(tmp_path: Path) -> None:
    touch(tmp_path, "ok/a.png", ".ipynb_checkpoints/a.png", "ok/.b.png", "ok/._a.png", "Thumbs.db")
    _, said = heard(touch(tmp_path, "__MACOSX/ok/a.png", "ok/.DS_Store"))
    assert said == (
        "images in hidden files or folders are left out: 2 (.ipynb_checkpoints/a.png, ok/.b.png)"
    )


def test_every_suffix_that_pillow_reads(tmp_path: Path) -> None:
    names = [f"ok/{suffix}.{suffix}" for suffix in ("jfif", "JPE", "apng", "tga", "j2k", "dib")]
    assert len(find_images(touch(tmp_path, *names))) == 6


def test_images_of_other_names_are_known_by_their_content(tmp_path: Path) -> None:
    touch(tmp_path, "ok/a.png", "ok/notes.txt", "rust/x.HEIC", "rust/y.heic")
    for name, kind in (("0001", "PNG"), ("shot.dat", "JPEG"), ("scan.img", "TIFF")):
        Image.new("L", (4, 4)).save(tmp_path / "ok" / name, kind)
    records, said = heard(tmp_path)
    assert [Path(record.path).name for record in records] == [
        "0001",
        "a.png",
        "scan.img",
        "shot.dat",
    ]
    assert "cannot read them as images: 2 .heic (rust/x.HEIC), 1 .txt (ok/notes.txt)" in said
    assert "folders without a single image: rust" in said


def test_pipes_and_links_that_lead_nowhere(tmp_path: Path) -> None:
    touch(tmp_path, "ok/a.png")
    os.mkfifo(tmp_path / "ok" / "pipe.png")
    os.mkfifo(tmp_path / "ok" / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "ok" / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "ok" / "to_pipe.png").symlink_to("pipe.png")
    (tmp_path / "ok" / "zero.png").symlink_to("/dev/zero")
    records, said = heard(tmp_path)
    assert [record.path for record in records] == ["ok/a.png", "ok/gone.png"]
    assert "3 .png (ok/pipe.png)" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is locked to root")
def test_a_locked_folder_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "ok/a.png")
    (tmp_path / "rust").mkdir(mode=0)
    with pytest.raises(DataError, match=r"rust cannot be read \(Permission denied\)"):
        find_images(tmp_path)


def test_paths_in_another_spelling(tmp_path: Path) -> None:
    touch(tmp_path, "ha\u0308rte.png", "B.PNG", "c.png", "C.png")
    write(tmp_path, "labels.csv", "path,label", "h\u00e4rte.png,x", "b.png,y", "c.png,z")
    assert [record.label for record in find_images(tmp_path)] == ["y", None, "z", "x"]


@pytest.mark.parametrize(
    "labels",
    [["a;b"], ["a|b"], ["['a', 'b']"], ["a,b", "a"], ["a,b", "b,c", "a,c"], ["a", "b", "a+b"]],
)
def test_several_labels_of_one_image_are_refused(tmp_path: Path, labels: list[str]) -> None:
    rows = [f'{number}.png,"{label}"' for number, label in enumerate([*labels, "zzz"])]
    touch(tmp_path, *[row.partition(",")[0] for row in rows])
    with pytest.raises(DataError, match=r"labels\.csv: .* reads like several labels of one image"):
        find_images(write(tmp_path, "labels.csv", "path,label", *rows))


def test_folders_may_be_called_by_any_name_unless_they_join_two_classes(tmp_path: Path) -> None:
    assert len(find_images(touch(tmp_path, "a;b/a.png", "c+d/a.png"))) == 2
    with pytest.raises(DataError, match="'a;b' reads like several labels"):
        find_images(touch(tmp_path, "a/a.png", "b/a.png"))


def test_columns_of_several_labels_are_refused(tmp_path: Path) -> None:
    write(touch(tmp_path, "a.png"), "labels.csv", "path,label,label2", "a.png,x,y")
    with pytest.raises(DataError, match="several labels of one image are not supported yet"):
        find_images(tmp_path)


ALIKE = [("1", "1.0"), ("ok", "OK"), ("ok", "ok "), ("01", "1"), ("h\u00e4rte", "ha\u0308rte")]


@pytest.mark.parametrize("names", ALIKE)
def test_names_that_look_alike_are_pointed_out(tmp_path: Path, names: tuple[str, str]) -> None:
    records, said = heard(touch(tmp_path, *[f"{name}/a.png" for name in names]))
    assert {record.label for record in records} == set(names)
    assert "labels that look alike are counted as different: " in said
    _, said = heard(touch(tmp_path / "other", "1_0/a.png", "10/a.png", "nan/a.png", "b/a.png"))
    assert said == ""


def test_groups_that_look_alike_are_pointed_out(tmp_path: Path) -> None:
    touch(tmp_path, "ok/a.png", "ok/b.png")
    write(tmp_path, "groups.csv", "path,group", "ok/a.png,3", "ok/b.png,3.0")
    _, said = heard(tmp_path)
    assert "groups that look alike are counted as different: '3' and '3.0'" in said


def test_names_that_no_text_can_hold(tmp_path: Path) -> None:
    for name in (b"h\xe4rte", b"a\nb"):
        (tmp_path / os.fsdecode(name)).mkdir()
        (tmp_path / os.fsdecode(name) / os.fsdecode(b"\xff.png")).touch()
    assert [record.label for record in find_images(tmp_path)] == ["a\\nb", "h\\xe4rte"]


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
        (["path,label,split", "a.png,x,dev"], r"split 'dev' of 'a\.png' is not one of train, val"),
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
    (tmp_path / "away").symlink_to("nowhere")
    with pytest.raises(DataError, match="away is a link that leads nowhere"):
        find_images(tmp_path / "away")
    archive = touch(tmp_path, "set.zip") / "set.zip"
    with pytest.raises(DataError, match=r"set\.zip is no directory but an archive: unpack it"):
        find_images(archive)
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
