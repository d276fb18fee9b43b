"""`docs/ops.md` is in step with the catalogue, and its pictures are there."""

import numpy as np
import pytest
from PIL import Image

from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.space.catalogue import OPERATIONS
from tools.ops_page.__main__ import PAGE, PICTURES
from tools.ops_page.scenes import scenes
from tools.ops_page.strips import UNIFORM, strips_of
from tools.ops_page.text import page_text

STRIPS = [strip for operation in OPERATIONS.values() for strip in strips_of(operation)]


def test_the_text_is_that_of_the_catalogue():
    assert PAGE.read_text(encoding="utf-8") == page_text(), "run `python -m tools.ops_page`"


def test_there_is_a_picture_for_every_strip_and_no_other():
    assert {path.name for path in PICTURES.iterdir()} == {strip.file for strip in STRIPS}


@pytest.mark.parametrize("strip", STRIPS, ids=lambda strip: strip.file)
def test_a_picture_has_its_columns_and_is_small(strip):
    path = PICTURES / strip.file
    with Image.open(path) as picture:
        assert picture.width == 100 * len(strip.columns) - 4
    assert path.stat().st_size < 60_000


def test_uniform_numbers_fit_the_implementations():
    for name, numbers in UNIFORM.items():
        assert len(numbers) == IMPLEMENTATIONS[name].slots, name


def test_scenes_are_drawn_from_their_seeds():
    first, second = scenes(32), scenes(32)
    assert first.shape == (3, 3, 32, 32)
    assert np.array_equal(first, second)


def test_a_strip_goes_from_the_identity_to_the_bound_past_the_default():
    (strip,) = strips_of(OPERATIONS["rotation"])
    assert [column.values["degrees"] for column in strip.columns] == [0, 15, 45, 90, 135, 180]
    assert [column.title for column in strip.columns][:2] == ["degrees 0", "default 15"]
