"""Do new images look like old ones, and what is different about them?"""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from augsearch.data.appearance import MOST, NAMES, appearance, drift, spread_rows
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces


@pytest.fixture(scope="module")
def surfaces():
    return draw_surfaces(SurfaceSpec(images_per_class=60, seed=1))


def looks(image_set):
    return appearance(image_set, np.arange(len(image_set)))


def changed(image_set, change):
    pixels = np.clip(change(image_set.images / 255.0), 0, 1)
    return dataclasses.replace(image_set, images=(255 * pixels).round().astype(np.uint8))


@pytest.mark.long
def test_other_pictures_of_the_same_surfaces_look_alike(surfaces):
    others = draw_surfaces(SurfaceSpec(images_per_class=60, seed=2))
    found = drift(looks(surfaces), looks(others))
    assert found.auc == pytest.approx(0.5, abs=0.1)
    assert found.shifts == {}
    assert found.sentence.startswith("The images look alike")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "name", "sign"),
    [
        (lambda x: x * 0.5, "brightness", -1),
        (lambda x: x * np.array([1.3, 1.0, 1.0])[:, None, None], "red against green", 1),
        (lambda x: (x + np.roll(x, 1, -1) + np.roll(x, 1, -2)) / 3, "fine detail", -1),
        (
            lambda x: x + np.random.default_rng(0).normal(0, 0.1, x.shape),
            "fine detail",
            1,
        ),
    ],
)
def test_what_has_changed_is_named(surfaces, change, name, sign):
    others = changed(draw_surfaces(SurfaceSpec(images_per_class=60, seed=2)), change)
    found = drift(looks(surfaces), looks(others))
    assert found.auc > 0.64
    assert np.sign(found.shifts[name]) == sign
    assert name in found.sentence


@pytest.mark.long
def test_other_surfaces_ask_for_another_search(surfaces):
    others = draw_surfaces(SurfaceSpec(label="hue", images_per_class=60, seed=2))
    assert drift(looks(surfaces), looks(others)).sentence.endswith("search again.")


@pytest.mark.long
def test_appearance_is_of_a_bounded_number_of_images_grey_ones_too(surfaces):
    large = draw_surfaces(SurfaceSpec(images_per_class=200))
    rows = spread_rows(np.arange(len(large)))
    assert len(rows) == MOST and rows[0] == 0 and rows[-1] == len(large) - 1
    grey = dataclasses.replace(surfaces, images=surfaces.images.mean(1, keepdims=True).astype("u1"))
    found = appearance(grey, np.array([0, 5, 7])).numbers
    assert found.shape == (3, len(NAMES)) and np.isfinite(found).all()
    assert (found[:, 2:5] == 0).all()


@pytest.mark.long
def test_few_images_that_do_not_differ_are_seldom_said_to():
    said = []
    for seed in range(20):
        images = draw_surfaces(SurfaceSpec(images_per_class=8, seed=seed))
        one_each = np.unique(images.groups, return_index=True)[1]
        order = np.random.default_rng(seed).permutation(one_each)[:24]
        found = drift(*(appearance(images, np.sort(part)) for part in (order[:12], order[12:])))
        said.append("images differ" in found.sentence and "So few" not in found.sentence)
    assert sum(said) <= 3


@pytest.mark.slow
def test_images_are_compared_at_one_size(surfaces):
    def decoded(seed, side):
        images = draw_surfaces(SurfaceSpec(images_per_class=60, seed=seed, image_size=96))
        pictures = [Image.fromarray(pixels) for pixels in images.images.transpose(0, 2, 3, 1)]
        pixels = [np.asarray(p.resize((side, side), Image.Resampling.LANCZOS)) for p in pictures]
        return dataclasses.replace(images, images=np.stack(pixels).transpose(0, 3, 1, 2))

    small, large = decoded(1, 32), decoded(2, 48)
    every = np.arange(len(small))
    assert drift(appearance(small, every), appearance(large, every)).auc > 0.64
    found = drift(appearance(small, every), appearance(large, every, side=32))
    assert found.sentence.startswith("The images look alike")
    with pytest.raises(ValueError, match="do not have the detail of 48"):
        appearance(small, every, side=48)


def test_two_groups_are_too_few_to_tell(surfaces):
    found = looks(surfaces)
    few = dataclasses.replace(found, groups=np.repeat([0, 1], [350, 10])[: len(found.groups)])
    assert drift(found, few).sentence.startswith(
        ("The images look alike", "There are too few images")
    )
