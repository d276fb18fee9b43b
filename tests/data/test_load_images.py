"""`load_images`: rows, notes, groups and digests."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from data.pictures import picture
from PIL import Image

from augsearch.data import cache as cache_module
from augsearch.data.config import DataConfig
from augsearch.data.imageset import UNLABELLED, normalisation
from augsearch.errors import DataError


def test_rows_follow_the_paths(root: Path, load) -> None:
    images = load(root)
    assert images.name == "set"
    assert images.classes == ("ok", "rust")
    assert images.paths[3:5] == ("rust/a.png", "rust/b.png")
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1, UNLABELLED]
    assert images.groups.tolist() == list(range(7))
    assert images.images.shape == (7, 1, 8, 8)
    assert images.notes == ()
    with Image.open(root / "rust" / "a.png") as file:
        np.testing.assert_array_equal(images.images[3, 0], np.asarray(file))


def test_images_are_known_by_their_content_however_decoded(root: Path, load) -> None:
    first, larger = load(root), load(root, DataConfig(image_size=16))
    assert first.keys == larger.keys and first.digest != larger.digest
    assert len(set(first.keys)) == len({first.images[i].tobytes() for i in range(len(first))})


def test_digest_tells_labels_groups_splits_and_decoding_apart(tmp_path: Path, load) -> None:
    for seed, name in enumerate("abc"):
        picture(tmp_path / "set" / f"{name}.png", seed)
    tables = [
        "path,label\na.png,x\nb.png,y\n",
        "path,label\na.png,x\nb.png,z\n",
        "path,label,group\na.png,x,1\nb.png,y,1\n",
        "path,label,split\na.png,x,test\nb.png,y,\n",
    ]
    digests = []
    for table in tables:
        (tmp_path / "set" / "labels.csv").write_text(table)
        digests.append(load(tmp_path / "set").digest)
    digests.append(load(tmp_path / "set", DataConfig(image_size=8, fit="squash")).digest)
    assert len(set(digests)) == 5
    # Group names do not count, only who shares one.
    (tmp_path / "set" / "labels.csv").write_text(tables[2].replace(",1", ",part"))
    assert load(tmp_path / "set").digest == digests[2]


def test_few_unreadable_files_are_skipped_and_listed(root: Path, load) -> None:
    (root / "ok" / "b.png").write_bytes(b"broken")
    for images in (load(root), load(root)):
        assert "ok/b.png" not in images.paths
        assert len(images) == len(images.images) == 6
        assert images.notes == (
            "1 of 7 image files are unreadable and were skipped: "
            "ok/b.png (not an image of a known format)",
        )


def test_many_unreadable_files_are_refused(root: Path, load) -> None:
    for name in ("ok/a", "ok/b", "rust/a", "rust/b"):
        (root / f"{name}.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"4 of 7 .* unreadable: ok/a\.png \(not an image .*; …$"):
        load(root)


def test_copies_share_a_group_and_contradictions_are_noted(root: Path, load) -> None:
    shutil.copy(root / "ok" / "a.png", root / "ok" / "z.png")
    shutil.copy(root / "ok" / "b.png", root / "rust" / "z.png")
    images = load(root)
    group = dict(zip(images.paths, images.groups.tolist(), strict=True))
    assert group["ok/a.png"] == group["ok/z.png"]
    assert len(set(group.values())) == 7
    assert images.notes == (
        "exact copies under different labels: ok/b.png and rust/z.png (such pictures: 1)",
    )


def test_one_colour_picture_makes_the_set_colour_unless_told_otherwise(root: Path, load) -> None:
    assert load(root).channels == 1
    picture(root / "ok" / "d.png", 30, colour=True)
    mixed = load(root)
    assert mixed.channels == 3
    assert (mixed.images[0] == mixed.images[0, :1]).all()
    assert load(root, DataConfig(image_size=8, channels="grey")).channels == 1


def test_later_fields_at_their_defaults_leave_old_digests_as_they_are(root: Path, load) -> None:
    images = load(root)
    labels = [None if label < 0 else images.classes[label] for label in images.labels]
    settings = {"image_size": 8, "fit": "crop", "channels": "auto"}
    facts = [
        [key, label, row, ""]
        for row, (key, label) in enumerate(zip(images.keys, labels, strict=True))
    ]
    assert images.digest == cache_module._hash([1, settings, *facts])


def twins_of(image: Image.Image, folder: Path) -> None:
    """The same pixels as other programs would save them."""
    image.save(folder / "level.png", compress_level=1)
    image.save(folder / "other.bmp")
    image.save(folder / "packed.tif", compression="tiff_lzw")
    image.convert("RGB").save(folder / "colour.png")


def test_the_same_pixels_are_one_group_however_saved(root: Path, load) -> None:
    before = load(root)
    with Image.open(root / "ok" / "a.png") as image:
        twins_of(image, root / "ok")
    images = load(root)
    group = dict(zip(images.paths, images.groups.tolist(), strict=True))
    alike = {group[f"ok/{name}"] for name in ("a.png", "level.png", "other.bmp", "packed.tif")}
    assert alike == {group["ok/colour.png"]}
    assert len(set(group.values())) == len(set(before.groups.tolist())) == 7
    assert images.notes == ()


def test_a_photograph_and_its_copy_without_loss_are_one_group(root: Path, load) -> None:
    """The one is decoded at a fraction of its size, the other at its own."""
    small = np.random.default_rng(5).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(small).resize((300, 300)).save(root / "rust" / "photo.jpg")
    with Image.open(root / "rust" / "photo.jpg") as image:
        image.save(root / "rust" / "copy.png")
        image.save(root / "rust" / "near.jpg", quality=60)
    images = load(root, DataConfig(image_size=32))
    group = dict(zip(images.paths, images.groups.tolist(), strict=True))
    assert group["rust/photo.jpg"] == group["rust/copy.png"] != group["rust/near.jpg"]


def test_near_twins_are_counted_and_grouped_on_request(root: Path, load) -> None:
    with Image.open(root / "ok" / "a.png") as image:
        image.point(lambda value: value * 0.8 + 9).save(root / "ok" / "dim.png")
    told, grouped, quiet = (
        load(root, DataConfig(image_size=8, near_duplicates=what))
        for what in ("report", "group", "ignore")
    )
    assert (
        "near duplicates: 2 images in 1 set of up to 2 (such as ok/a.png and ok/dim.png)"
        in (told.notes[0])
    )
    assert grouped.notes == quiet.notes == ()
    assert len(set(told.groups.tolist())) == len(set(quiet.groups.tolist())) == 8
    assert len(set(grouped.groups.tolist())) == 7
    assert len(load.decoded) == 8  # once: how twins are treated is no matter of pixels
    assert told.digest == quiet.digest != grouped.digest
    (root / "groups.csv").write_text("path,group\nok/a.png,1\nok/dim.png,1\n")
    assert load(root).notes == ()


def test_groups_that_share_a_picture_stay_together(root: Path, load) -> None:
    shutil.copy(root / "ok" / "a.png", root / "ok" / "z.png")
    (root / "groups.csv").write_text("path,group\nok/a.png,1\nok/b.png,1\nok/z.png,2\nok/c.png,2\n")
    images = load(root)
    assert len({images.groups[images.paths.index(f"ok/{name}.png")] for name in "abcz"}) == 1
    assert "exact copies under different groups: ok/a.png and ok/z.png" in images.notes[0]


def test_files_of_several_pages_are_counted(root: Path, load) -> None:
    with Image.open(root / "ok" / "a.png") as image:
        image.save(root / "ok" / "pages.tif", save_all=True, append_images=[image.rotate(90)])
    (note,) = load(root).notes
    assert "files with several pages or frames: 1 (ok/pages.tif); only the first is used" in note


def test_a_class_that_vanished_is_named(root: Path, load) -> None:
    (root / "dent").mkdir()
    (root / "dent" / "a.png").write_bytes(b"broken")
    assert "classes of which no file could be read: dent" in load(root).notes


def test_names_that_no_text_can_hold_are_escaped(root: Path, load) -> None:
    (root / "ok" / "a.png").rename(root / "ok" / os.fsdecode(b"h\xe4\n.png"))
    paths = load(root).paths
    assert "ok/h\\xe4\\n.png" in paths
    assert "\n".join(paths).encode("utf-8").count(b"\n") == 6


def test_tiles_share_label_and_group(tmp_path: Path, load) -> None:
    for seed, (name, width) in enumerate([("ok", 24), ("rust", 16)]):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, width), dtype=np.uint8)
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "set" / name / "a.png")
    images = load(tmp_path / "set", DataConfig(image_size=8, fit="tile"))
    assert images.labels.tolist() == [0, 0, 0, 1, 1]
    assert images.groups.tolist() == [0, 0, 0, 1, 1]
    assert images.paths[2:4] == ("ok/a.png#2", "rust/a.png#0")


def test_normalisation_is_that_of_all_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8), dtype=np.uint8)
    images[:, 2] = 7
    mean, std = normalisation(images)
    np.testing.assert_allclose(mean, (images / 255).mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std[:2], (images / 255).std(axis=(0, 2, 3))[:2], rtol=1e-6)
    assert std[2] == 1 / 255
