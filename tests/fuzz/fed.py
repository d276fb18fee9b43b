"""What is fed with bytes, and what it may do with them: take them, or refuse them in one line, in
two seconds, and if it refuses them in a gigabyte."""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from fuzz import whole_files

from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import (
    decode_file,
    large_files_allowed,
    picture_size,
    read_exactly,
    read_grey,
)
from augsearch.data.decoding.pixel_store import PIXELS_FILE, read_entry, write_entry
from augsearch.data.listing.files import list_files
from augsearch.data.listing.sources import find_images
from augsearch.errors import AugsearchError
from augsearch.piloting.runs import read_answers
from augsearch.simclr.encoders.checkpoint import read_states, recorded_normalisation
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.space.yaml_file import load_model
from augsearch.study_file import StudyConfig

SECONDS, BYTES = 2.0, 2**30
"""That what is refused may take."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
TAKEN = 30.0
"""Seconds that a file may take that turns out to be a picture of many million pixels."""
SUFFIXES = (".png", ".jpg", ".tif", ".gif", ".jp2", ".ico", "")
CONFIGS = tuple(
    DataConfig(image_size=8, **options)
    for options in (
        {},
        {"fit": "tile"},
        {"fit": "pad", "channels": "grey"},
        {"fit": "squash", "channels": "colour", "window": (0, 4095)},
        {"bands": (1,)},
        {"bands": (3, 1), "fit": "tile"},
    )
)


def image(content: bytes, folder: Path) -> None:
    """The first two bytes say how the rest is called and decoded."""
    how, suffix = (*content[:2], 0, 0)[:2]
    path = folder / f"a{SUFFIXES[suffix % len(SUFFIXES)]}"
    path.write_bytes(content[2:])
    config = CONFIGS[how % len(CONFIGS)]
    try:
        list_files(folder)
        with large_files_allowed():
            decode_file(path, config)
            read_exactly(path)
            read_grey(path)
            picture_size(path)
    finally:
        path.unlink()


def table(content: bytes, folder: Path) -> None:
    """Labels, and groups if the first byte is odd."""
    if not (folder / "sub").exists():
        (folder / "sub").mkdir()
        for name in ("a.png", "b.png", "sub/c.png"):
            (folder / name).touch()
    first = content[0] if content else 0
    path = folder / f"{('labels', 'groups')[first % 2]}.{('csv', 'tsv')[first // 2 % 2]}"
    path.write_bytes(content[1:])
    try:
        find_images(folder)
    finally:
        path.unlink()


def text(content: bytes, folder: Path) -> None:
    """YAML of a kind that the first byte says."""
    path = folder / "f.yaml"
    path.write_bytes(content[1:])
    model: Any = (Policy, Space, StudyConfig)[content[0] % 3 if content else 0]
    load_model(model, path)


def checkpoint(content: bytes, folder: Path) -> None:
    """Weights, with a suffix that the first byte says."""
    path = folder / ("w.pth", "w.safetensors")[content[0] % 2 if content else 0]
    path.write_bytes(content[1:])
    recorded_normalisation(path)
    read_states(path)


def array(content: bytes, folder: Path) -> None:
    """What pilots keep, or decoded pixels if the first byte is odd."""
    if not content or content[0] % 2 == 0:
        (folder / "a.npz").write_bytes(content[1:])
        found: object = read_answers(folder / "a.npz", 2)
    else:
        write_entry(folder / "cache", whole_files.DECODED)
        (folder / "cache" / PIXELS_FILE).write_bytes(content[1:])
        found = read_entry(folder / "cache")
        shutil.rmtree(folder / "cache", ignore_errors=True)
    if found is None:
        raise AugsearchError("damaged")


@dataclass(frozen=True)
class Fed:
    """A way in for files.

    Attributes:
        read: reads one.
        whole: files as they should be.
        first: bytes before the file, which say how it is read.
    """

    read: Callable[[bytes, Path], None]
    whole: Callable[[], tuple[bytes, ...]]
    first: int


@cache
def _images() -> tuple[bytes, ...]:
    return tuple(whole_files.images())


@cache
def _texts() -> tuple[bytes, ...]:
    root = Path(__file__).parents[2]
    files = [*root.glob("spaces/*.yaml"), *root.glob("studies/*.yaml")]
    short = sorted((f.read_bytes() for f in files), key=len)[:8]
    return (
        b"name: p\nschema_version: 1\nops:\n  - {op: gaussian_noise, p: 0.8, std: 0.1}\n",
        *short,
    )


KINDS = {
    "image": Fed(image, _images, 2),
    "table": Fed(table, lambda: whole_files.TABLES, 1),
    "text": Fed(text, _texts, 1),
    "array": Fed(array, cache(lambda: tuple(whole_files.arrays())), 1),
    "checkpoint": Fed(checkpoint, cache(lambda: tuple(whole_files.checkpoints())), 1),
}


def made(kind: str, seed: int) -> bytes:
    """Input number `seed` of a kind."""
    fed, rng = KINDS[kind], random.Random(f"{kind} {seed}")
    whole = fed.whole()
    if kind == "image" and rng.random() < 0.3:
        content = whole_files.tiff(rng)
        content = content if rng.random() < 0.7 else whole_files.changed(content, rng, whole)
    else:
        content = whole_files.changed(whole[seed % len(whole)], rng, whole)
    return rng.randbytes(fed.first) + content


class Broken(AssertionError):
    """An input did what none may do."""


class Slow(Broken):
    """It took too long."""


def check(kind: str, content: bytes, folder: Path) -> bool:
    """Whether an input was taken.

    Raises:
        Broken: it made a traceback, more than one line, or took too much time or memory.
    """
    try:
        return _checked(kind, content, folder)
    except Slow:  # the machine may be busy with something else
        return _checked(kind, content, folder)


def _checked(kind: str, content: bytes, folder: Path) -> bool:
    forget_peak()
    before, begin = psutil.Process().memory_info().rss, time.process_time()
    refused = ""
    try:
        KINDS[kind].read(content, folder)
    except AugsearchError as error:
        refused = str(error)
    except Exception as error:
        raise Broken(f"{type(error).__name__}: {error}") from error
    seconds, took = time.process_time() - begin, peak() - before
    if CONTROL.search(refused):
        raise Broken(f"no line: {refused!r}")
    if seconds > (SECONDS if refused else TAKEN):
        raise Slow(f"{seconds:.1f} s")
    if refused and took > BYTES:
        raise Broken(f"refused after {took / 2**30:.1f} GiB")
    return not refused


def forget_peak() -> None:
    """Linux counts this process's most memory from now on."""
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Bytes that this process has held at most since."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+)", status.read_text()) if status.exists() else None
    return 1024 * int(found[1]) if found else 0
