"""The cache of decoded images: right before it is fast, and done without where it cannot be."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from data.pictures import CONFIG, picture
from PIL import Image

from augsearch.data.cache import clear_cache, default_cache_dir, load_images
from augsearch.data.decoding import spool
from augsearch.data.decoding.decode_all import decode_files
from augsearch.errors import OutputError


def test_second_run_decodes_nothing(root: Path, load) -> None:
    first = load(root)
    again = load(root)
    assert len(load.decoded) == 7
    assert isinstance(again.images, np.memmap)
    assert not again.images.flags.writeable
    np.testing.assert_array_equal(first.images, again.images)
    for field in fields(first):
        before, now = getattr(first, field.name), getattr(again, field.name)
        assert np.array_equal(before, now) if isinstance(before, np.ndarray) else before == now


def test_moved_and_touched_files_are_found_again(root: Path, load, tmp_path: Path) -> None:
    first = load(root)
    shutil.copytree(root, tmp_path / "elsewhere")
    os.utime(root / "u.png", ns=(1, 1))
    assert load(root).digest == load(tmp_path / "elsewhere").digest == first.digest
    assert len(load.decoded) == 7


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


def test_what_was_used_lately_stays_for_the_run_that_works_with_it(root: Path, load) -> None:
    load(root)
    cache = root.parent / "cache"
    month = 30 * 86400
    for file in [*cache.rglob("*"), *cache.glob("*/*")]:
        os.utime(file, (0, file.stat().st_mtime - month - 60))
    load(root)  # finds them, and says so
    assert clear_cache(cache, unused_days=30) == 0
    for file in cache.glob("*/*"):
        os.utime(file, (0, file.stat().st_mtime - month - 60))
    assert clear_cache(cache, unused_days=31) == 0
    assert clear_cache(cache, unused_days=30) > 7 * 64
    assert not list(cache.glob("*/*"))


@pytest.mark.parametrize("key", ["counts", "same", "windows", "notes"])
def test_facts_that_were_changed_are_not_believed(root: Path, load, key) -> None:
    first = load(root)
    (file,) = (root.parent / "cache").rglob("facts.json")
    facts = json.loads(file.read_text())
    changed = {"counts": [7, 0, 0, 0, 0, 0, 0], "same": [0] * 7, "windows": [["p", 0, 1]]}
    file.write_text(json.dumps(facts | {key: changed.get(key, ["no word of this is true"])}))
    again = load(root)
    assert len(load.decoded) == 14
    assert again.notes == first.notes and again.digest == first.digest


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
