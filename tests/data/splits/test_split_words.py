"""What docs/data.md says of the words for a split is what happens."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augsearch.data.cache import load_images
from augsearch.data.config import DataConfig
from augsearch.data.listing.sources import SPLIT_NAMES
from augsearch.data.splits.splits import sealed_split
from augsearch.errors import DataError

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


def split_of(root, words):
    """Side of images a0, b0, a1, ... for a word each."""
    rng = np.random.default_rng(0)
    lines = ["path,label,split"]
    for number, word in enumerate(words):
        for label in "ab":
            name = f"{label}{number}.png"
            pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name)
            lines.append(f"{name},{label},{word}")
    (root / "labels.csv").write_text("\n".join(lines))
    images = load_images(root, DataConfig(image_size=12))
    test = {images.paths[row] for row in sealed_split(images).test}
    return ["test" if f"a{number}.png" in test else "pool" for number in range(len(words))]


@pytest.mark.parametrize("word", ["val", "Valid", "validation"])
def test_validation_is_sealed_where_there_is_no_test_and_searched_on_where_there_is(tmp_path, word):
    for name, words, sides in (
        ("alone", ["train", word] * 3, ["pool", "test"] * 3),
        ("beside", ["train", word, "TEST"] * 2, ["pool", "pool", "test"] * 2),
        ("empty", ["", "testing"] * 3, ["pool", "test"] * 3),
    ):
        root = tmp_path / name
        root.mkdir()
        assert split_of(root, words) == sides, name


def test_every_word_is_documented_and_others_are_refused(tmp_path):
    section = DOCS.read_text().partition("## Splits")[2].partition("\n## ")[0]
    table = "".join(re.findall(r"^\|.*\|$", section, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", table)) >= set(SPLIT_NAMES)
    with pytest.raises(DataError, match="split 'holdout'"):
        split_of(tmp_path, ["train", "holdout"])
