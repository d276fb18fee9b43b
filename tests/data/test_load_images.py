"""`load_images`: rows, notes and digests, and a cache that is right before it is fast."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data.deep_files import write_png
from PIL import Image

from augsearch.data import cache as cache_module
from augsearch.data.cache import clear_cache, default_cache_dir, load_images
from augsearch.data.config import DataConfig
from augsearch.data.decoding import spool
from augsearch.data.decoding.decode_all import decode_files
from augsearch.data.imageset import UNLABELLED, ImageSet, normalisation
from augsearch.errors import DataError, OutputError

CONFIG = DataConfig(image_size=8)


def picture(path: Path, seed: int, *, colour: bool = False) -> Path:
    shape = (8, 8, 3) if colour else (8, 8)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes of three pictures and an unlabelled one."""
    for seed, name in enumerate(["ok/a", "ok/b", "ok/c", "rust/a", "rust/b", "rust/c", "u"]):
        picture(tmp_path / "set" / f"{name}.png", seed)
    return tmp_path / "set"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`load_images` with a cache of its own; `.decoded` lists the files decoded so far."""

    def counting(files, *rest):
        decoded.extend(file.name for file in files)
        return decode_files(files, *rest)

    def load(root: Path, config: DataConfig = CONFIG) -> ImageSet:
        return load_images(root, config, cache_dir=tmp_path / "cache")

    decoded: list[str] = []
    load.decoded = decoded  # type: ignore[attr-defined]  # a function with a list
    monkeypatch.setattr(cache_module, "decode_files", counting)
    return load


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


def test_second_run_decodes_nothing(root: Path, load) -> None:
    first = load(root)
    again = load(root)
    assert len(load.decoded) == 7
    assert isinstance(again.images, np.memmap)
    assert not again.images.flags.writeable
    np.testing.assert_array_equal(first.images, again.images)
    assert replace(first, images=again.images, labels=again.labels, groups=again.groups) == again


def test_moved_and_touched_files_are_found_again(root: Path, load, tmp_path: Path) -> None:
    first = load(root)
    shutil.copytree(root, tmp_path / "elsewhere")
    os.utime(root / "u.png", ns=(1, 1))
    assert load(root).digest == load(tmp_path / "elsewhere").digest == first.digest
    assert len(load.decoded) == 7


def test_images_are_known_by_their_content_however_decoded(root: Path, load) -> None:
    first, larger = load(root), load(root, DataConfig(image_size=16))
    assert first.keys == larger.keys and first.digest != larger.digest
    assert len(set(first.keys)) == len({first.images[i].tobytes() for i in range(len(first))})


def test_changed_content_is_seen_under_an_old_time(root: Path, load) -> None:
    path = picture(root / "u.bmp", 20)
    before = load(root)
    stat = path.stat()
    picture(path, 21)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    after = load(root)
    assert after.digest != before.digest
    assert (after.images[6] != before.images[6]).any()


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


@pytest.mark.parametrize("damage", ["truncate", "flip", "facts"])
def test_damaged_cache_is_decoded_again(root: Path, load, damage: str) -> None:
    expected = np.array(load(root).images)
    (pixels,) = (root.parent / "cache").glob("pixels/*/pixels.npy")
    if damage == "truncate":
        os.truncate(pixels, 300)
    elif damage == "flip":
        content = bytearray(pixels.read_bytes())
        content[-1] ^= 1
        pixels.write_bytes(content)
    else:
        (pixels.parent / "facts.json").write_text("{")
    np.testing.assert_array_equal(load(root).images, expected)
    load(root)
    assert len(load.decoded) == 14


def test_unwritable_cache_is_done_without(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    images = load_images(root, CONFIG, cache_dir=blocked)
    assert len(images) == 7
    assert "are not kept" in images.notes[0]


def test_pixels_that_are_too_many_for_memory_go_through_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set" / "deep").mkdir(parents=True)
    for seed in range(4):
        picture(tmp_path / "set" / "deep" / f"c{seed}.png", seed, colour=seed == 2)
    for name, level in (("d", 300), ("e", 60_000)):
        deep = Image.fromarray(np.full((20, 20), level, dtype=np.uint16))
        deep.save(tmp_path / "set" / "deep" / f"{name}.png")
    expected = load_images(tmp_path / "set", CONFIG, cache_dir=tmp_path / "one")
    files = [tmp_path / "set" / path for path in expected.paths]
    monkeypatch.setattr(spool, "MEMORY_BYTES", 1000)
    with ThreadPoolExecutor(2) as pool:
        decoded = decode_files(files, CONFIG, pool, scratch=tmp_path)
    assert isinstance(decoded.images, np.memmap)
    np.testing.assert_array_equal(decoded.images, expected.images)
    found = load_images(tmp_path / "set", CONFIG, cache_dir=tmp_path / "two")
    np.testing.assert_array_equal(found.images, expected.images)
    assert found.digest == expected.digest
    assert found.notes == expected.notes
    assert len(list((tmp_path / "two").glob("pixels/*"))) == 1


def test_a_full_disk_is_one_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self, pixels):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.Spool, "keep", full)
    with pytest.raises(OutputError, match=r"No space left on device; free some space"):
        load_images(root, CONFIG, cache_dir=tmp_path / "cache")


def test_cache_dir_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGSEARCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / "augsearch"
    monkeypatch.setenv("AUGSEARCH_CACHE", str(tmp_path / "own"))
    assert default_cache_dir() == tmp_path / "own"


def test_clearing_the_cache_leaves_other_files_alone(root: Path, load) -> None:
    load(root)
    cache = root.parent / "cache"
    (cache / "mine.txt").touch()
    assert clear_cache(cache) > 7 * 64
    assert [path.name for path in cache.iterdir()] == ["mine.txt"]
    assert clear_cache(cache) == 0
    load(root)
    assert len(load.decoded) == 14


def test_progress_reaches_the_end_with_and_without_cache(root: Path, tmp_path: Path) -> None:
    for _ in range(2):
        calls: list[tuple[int, int]] = []
        load_images(
            root,
            CONFIG,
            progress=lambda *done, calls=calls: calls.append(done),
            cache_dir=tmp_path / "cache",
        )
        assert calls[-1] == (7, 7)


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


def test_deep_files_share_one_depth(tmp_path: Path, load) -> None:
    (tmp_path / "set").mkdir()
    for name, value in (("dark", 200), ("dim", 900), ("bright", 4000)):
        Image.fromarray(np.full((8, 8), value, np.uint16)).save(tmp_path / "set" / f"{name}.png")
    images = load(tmp_path / "set")
    assert images.images[:, 0, 0, 0].tolist() == [249, 12, 56]
    assert "0 is shown as black, 4095 as white" in images.notes[0]


def grey_levels(images: ImageSet) -> int:
    return min(len(np.unique(picture)) for picture in images.images)


def deep(path: Path, values) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values).astype(np.uint16)).save(path)


def test_one_hot_pixel_darkens_nothing(tmp_path: Path, load) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        values = rng.integers(0, 4096, (16, 16))
        deep(tmp_path / "clean" / f"{number}.png", values)
        values[3, 4] = 65535 if number == 0 else values[3, 4]
        deep(tmp_path / "hot" / f"{number}.png", values)
    clean, hot = load(tmp_path / "clean"), load(tmp_path / "hot")
    np.testing.assert_array_equal(clean.images[1:], hot.images[1:])
    assert "1 files hold values outside (" in hot.notes[0] and "data.window" in hot.notes[0]
    assert "clipped" not in clean.notes[0]


def test_a_narrow_range_keeps_its_grey_levels(tmp_path: Path, load) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        values = rng.integers(29500, 29800, (8, 8))
        values[:2] = 0  # no data
        deep(tmp_path / "set" / f"{number}.png", values)
    images = load(tmp_path / "set")
    assert grey_levels(images) > 35
    assert "0 lies far from all other values and is taken for no data" in images.notes[0]


def test_colours_and_greys_of_twelve_bits_share_a_window(tmp_path: Path, load) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4000, (8, 8, 3))
    write_png(tmp_path / "set" / "colour.png", values)
    deep(tmp_path / "set" / "grey.png", values[..., 0])
    picture(tmp_path / "set" / "shallow.png", 3)
    images = load(tmp_path / "set")
    np.testing.assert_array_equal(
        images.images[0].transpose(1, 2, 0), np.round(values / 4095 * 255)
    )
    np.testing.assert_array_equal(images.images[0, 0], images.images[1, 0])
    with Image.open(tmp_path / "set" / "shallow.png") as file:
        np.testing.assert_array_equal(images.images[2, 0], np.asarray(file))
    assert any("files of more than 8 bits (2)" in note for note in images.notes)


def test_a_window_of_ones_own(tmp_path: Path, load) -> None:
    deep(tmp_path / "set" / "a.png", np.linspace(0, 4000, 64).reshape(8, 8))
    own = load(tmp_path / "set", DataConfig(image_size=8, window=(1000, 2000)))
    assert own.images.min() == 0 and own.images.max() == 255
    assert "1000 is shown as black, 2000 as white, as data.window says" in own.notes[0]
    assert own.digest != load(tmp_path / "set").digest
    picture(tmp_path / "other" / "a.png", 1)
    other = load(tmp_path / "other", DataConfig(image_size=8, window=(1000, 2000)))
    assert "data.window changes nothing: no file has more than 8 bits" in other.notes[0]


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
        "nearly the same as others: 2, in 1 sets of up to 2 (such as ok/a.png and ok/dim.png)"
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
    assert "of which only the first is used: 1 (ok/pages.tif)" in note


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
