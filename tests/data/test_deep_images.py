"""`load_images` on files of more than 8 bits: one window for all, which notes name."""

from pathlib import Path

import numpy as np
from data.deep_files import write_png
from data.pictures import picture
from PIL import Image

from augsearch.data.config import DataConfig
from augsearch.data.imageset import ImageSet


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
