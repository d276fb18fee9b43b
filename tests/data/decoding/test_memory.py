"""Large pictures wait for memory, or are refused, and little of it is taken beside the pixels."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import tifffile
from PIL import Image

from augsearch.data.config import DataConfig
from augsearch.data.decoding import memory
from augsearch.data.decoding.decode_all import decode_files
from augsearch.data.decoding.memory import BYTES, LARGE, room_for
from augsearch.data.decoding.raw_files import deep_channels, read_sixteen_bits
from augsearch.data.decoding.window import Window
from augsearch.errors import DataError

SIDE = 2100
assert SIDE**2 > LARGE


@pytest.fixture
def free(monkeypatch):
    """`free(bytes)`: so many may be used for large pictures."""

    def set_free(count):
        found = SimpleNamespace(available=round(count / memory.SHARE))
        monkeypatch.setattr(psutil, "virtual_memory", lambda: found)

    return set_free


@pytest.mark.parametrize(("room", "together"), [(1.5, 1), (2.9, 2), (9, 4)])
def test_as_many_are_read_at_a_time_as_there_is_room_for(room, together):
    running, most, lock = 0, 0, threading.Lock()
    need = BYTES * SIDE**2

    def available():
        return SimpleNamespace(available=(room * need - memory._held) / memory.SHARE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "SHARE", 1.0)
        patch.setattr(psutil, "virtual_memory", available)

        def read(_):
            nonlocal running, most
            with room_for(SIDE, SIDE):
                with lock:
                    running += 1
                    most = max(most, running)
                time.sleep(0.05)
                with lock:
                    running -= 1

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(read, range(12)))
    assert most == together and memory._held == 0


def test_one_that_is_too_large_is_named_and_the_others_are_read(free, tmp_path):
    Image.new("RGBA", (SIDE, SIDE), "red").save(tmp_path / "large.png")
    Image.new("RGB", (40, 40), "red").save(tmp_path / "small.png")
    tifffile.imwrite(tmp_path / "bands.tif", np.zeros((SIDE, SIDE, 5), np.uint8),
                     photometric="minisblack", planarconfig="contig")  # fmt: skip
    files = [tmp_path / name for name in ("large.png", "small.png", "bands.tif")]
    free(10e6)
    with ThreadPoolExecutor(2) as pool:
        found = decode_files(files, DataConfig(image_size=8), pool)
    assert found.counts == (0, 1, 0)
    for place in (0, 2):
        assert "2100 × 2100 pixels take" in found.reasons[place]
        assert "0.0 GB may be used; cut or reduce it first" in found.reasons[place]
    free(10e9)
    with ThreadPoolExecutor(2) as pool:
        assert decode_files(files[:1], DataConfig(image_size=8), pool).counts == (1,)


def test_a_damaged_file_of_gigabytes_is_not_read_whole(tmp_path):
    path = tmp_path / "hole.png"
    Image.new("RGB", (40, 40)).save(path)
    with path.open("r+b") as file:
        file.seek(40)
        file.write(b"damage")
        file.truncate(200 << 30)  # a hole of more than any memory holds
    with ThreadPoolExecutor(1) as pool:
        assert decode_files([path], DataConfig(image_size=8), pool).counts == (0,)


def test_what_was_held_is_given_back_after_a_failure(free):
    free(1e9)
    with pytest.raises(ZeroDivisionError), room_for(SIDE, SIDE):
        raise ZeroDivisionError
    free(1)
    with pytest.raises(DataError), room_for(SIDE, SIDE):
        pass
    assert memory._held == 0


def colours(kind):
    return np.random.default_rng(0).integers(0, 60_000, (9, 7, kind)).astype(np.uint16)


WRITTEN = {
    "grey.png": (0, lambda path: Image.new("L", (7, 9), 5).save(path)),
    "colour.png": (0, lambda path: Image.new("RGB", (7, 9), "red").save(path)),
    "colour.jpg": (0, lambda path: Image.new("RGB", (7, 9), "red").save(path)),
    "colour16.tif": (3, lambda path: tifffile.imwrite(path, colours(3), photometric="rgb")),
    "alpha16.tif": (
        4,
        lambda path: tifffile.imwrite(path, colours(4), photometric="rgb", extrasamples=[2]),
    ),
    "colour16.ppm": (
        3,
        lambda path: path.write_bytes(b"P6 7 9 60000 " + colours(3).astype(">u2").tobytes()),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_depth_is_told_before_anything_is_read(name, tmp_path):
    channels, write = WRITTEN[name]
    write(tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert deep_channels(image) == channels
        assert (read_sixteen_bits(image, tmp_path / name) is not None) == (channels > 0)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (37, 5), (1300, 900), (900, 700, 3), (0, 4)])
def test_eight_bits_are_the_same_in_blocks(dtype, shape):
    rng = np.random.default_rng(1)
    values = rng.normal(2000, 3000, shape).astype(dtype)
    if dtype == np.float32 and values.size > 3:
        values.flat[:3] = np.nan, np.inf, -np.inf
    window = Window(300.0, 4095.0)
    scaled = (values.astype(np.float64) - 300) * (255 / (4095.0 - 300))
    known = np.nan_to_num(scaled, nan=0.0, posinf=255, neginf=0)
    assert (window.shown(values) == known.clip(0, 255).round().astype(np.uint8)).all()
