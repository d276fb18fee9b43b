"""A directory of pictures, and `load_images` with its eyes on what is decoded."""

from pathlib import Path

import pytest
from data.pictures import CONFIG, picture

from augsearch.data import cache as cache_module
from augsearch.data.cache import load_images
from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode_all import decode_files
from augsearch.data.imageset import ImageSet


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
