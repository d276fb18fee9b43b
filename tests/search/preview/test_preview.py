"""The contact sheet: what it shows is what training sees, and what its words say."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from augsearch.augment.build import Renderer
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.errors import ConfigError
from augsearch.search.preview.op_strips import op_strips, ops_of_policy, ops_of_space
from augsearch.search.preview.sheet import preview
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.space.space import Space, load_space
from augsearch.verbs.preview import write_preview

CROP = {"op": "resized_crop", "scale_min": 0.3}


@pytest.fixture(scope="module")
def surfaces():
    return draw_surfaces(SurfaceSpec(image_size=32, images_per_class=2))


def policy_of(*ops, name="mine", **sections):
    return Policy.model_validate({"name": name, **(sections or {"ops": ops})})


def strips_of(policy, image):
    found = op_strips(ops_of_policy(policy), image[None], seed=0, executor="auto")
    return {strip.title: strip for strip in found}


def test_views_are_those_of_training(surfaces):
    policy = policy_of(CROP, {"op": "color_jitter", "brightness": 0.5})
    shown = preview(policy, surfaces).rows
    views = Renderer.build(policy).function(0, 0)(torch.from_numpy(surfaces.images[:8]), 0)
    for row, (_, *seen) in enumerate(shown):
        for view, pixels in zip(views, seen, strict=False):
            np.testing.assert_array_equal(pixels, (255 * view[row]).round().byte().numpy())


def test_policy_and_baseline_draw_the_same_numbers(surfaces):
    positive, negative = policy_of(CROP, name="plain"), policy_of(CROP, {"op": "invert"})
    for _, *seen in preview(negative, surfaces, baseline=positive).rows:
        for view in (0, 1):
            np.testing.assert_allclose(255.0 - seen[view], seen[2 + view], atol=1)


def test_the_seed_decides_the_picture(surfaces):
    policy = policy_of(CROP, {"op": "gaussian_noise", "std": 0.1})
    first, again, other = (preview(policy, surfaces, seed=seed).pages for seed in (0, 0, 1))
    assert first == again != other


def test_a_policy_that_is_the_baseline_is_shown_once(surfaces):
    policy = policy_of(CROP)
    found = preview(policy, surfaces, baseline=policy_of(CROP, name="theirs"))
    assert found.notes == ("these views are also those of the baseline theirs",)
    assert [len(row) for row in found.rows] == [3, 3]


def test_an_operation_grows_from_nothing_to_its_value(surfaces):
    image = torch.from_numpy(surfaces.images[1])
    policy = policy_of({"op": "gaussian_blur", "p": 0.2, "sigma": 0.04}, CROP)
    strip = strips_of(policy, image)["gaussian_blur, in 20 % of views"]
    np.testing.assert_array_equal(strip.images[0], image.numpy())
    detail = [float(np.abs(np.diff(each.astype(float))).mean()) for each in strip.images]
    assert detail == sorted(detail, reverse=True) and detail[4] < 0.7 * detail[0]
    label = "sigma: largest standard deviation as a share of the shorter side"
    assert strip.values == ((label, ("0 %", "1 %", "2 %", "3 %", "4 %")),)


def test_the_draw_that_is_shown_is_a_strong_one(surfaces):
    """A rotation by up to 40 degrees turns by nearly as much, and in equal parts."""
    square = np.zeros((1, 32, 32), dtype=np.uint8)
    square[:, 2:16, 12:20] = 255  # a mark above the centre
    strip = strips_of(policy_of({"op": "rotation", "degrees": 40}), torch.from_numpy(square))
    angles = []
    for image in strip["rotation, in every view"].images:
        y, x = np.nonzero(image[0] > 127)
        angles.append(abs(np.degrees(np.arctan2(x.mean() - 15.5, 15.5 - y.mean()))))
    assert 30 < angles[4] < 43
    np.testing.assert_allclose(angles, np.linspace(0, angles[4], 5), atol=2.5)


def test_an_operation_without_a_strength_shows_each_outcome_once(surfaces):
    image = torch.from_numpy(surfaces.images[1])
    strips = strips_of(policy_of({"op": "rotate90"}, {"op": "vertical_flip", "p": 0.5}), image)
    turns = strips["rotate90, in every view"]
    assert turns.values == (("", ("off", "on", "on", "on")),)
    assert {each.tobytes() for each in turns.images} == {
        torch.rot90(image, times, (1, 2)).numpy().tobytes() for times in range(4)
    }
    flips = strips["vertical_flip, in 50 % of views"].images
    np.testing.assert_array_equal(flips[1], image.flip(1).numpy())
    assert len(flips) == 2


def test_titles_say_of_which_view_and_how_often(surfaces):
    members = [{"op": "invert"}, {"op": "gamma", "gamma": 2, "p": 0.5}, {"op": "invert", "p": 0,
               "name": "idle"}]  # fmt: skip
    group = {"op": "one_of", "name": "either", "p": 0.9, "ops": members}
    policy = policy_of(view1=[CROP, {"op": "solarize"}], view2=[CROP, group, {"op": "equalize"}])
    assert [title for title, _ in ops_of_policy(policy)] == [
        "resized_crop, in every view",
        "view 1: solarize, in every view",
        "invert (either), in 30 % of views",
        "gamma (either), in 15 % of views",
        "view 2: equalize, in every view",
    ]


def test_a_space_shows_the_far_ends_of_its_ranges():
    ops = dict(ops_of_space(load_space(find_config("factory", "spaces"))))
    assert list(ops)[:2] == ["resized_crop", "horizontal_flip"]
    assert ops["resized_crop"].values()["scale_min"] == 0.08
    assert ops["rotation"].values()["degrees"] == 45
    assert ops["color_jitter"].values()["brightness"] == 0.8


def test_grey_images_leave_colour_out(surfaces):
    grey = surfaces.images[:, :1]
    image_set = surfaces.__class__(**{**surfaces.__dict__, "images": grey})
    jitter = {"op": "color_jitter", "brightness": 0.4, "hue": 0.1}
    policy = policy_of(CROP, jitter, {"op": "grayscale"})
    found = preview(policy, image_set)
    assert found.notes == (
        "the images are grey; left out, as acting on colour: color_jitter.hue, grayscale",
    )
    assert list(strips_of(policy, torch.from_numpy(grey[0]))) == [
        "resized_crop, in every view",
        "color_jitter, in every view",
    ]


def test_a_space_alone_shows_its_middle():
    space = Space.model_validate(
        {"name": "narrow", "ops": [{"op": "rotation", "degrees": {"low": 0, "high": 30}}]}
    )
    found = write_preview(space=space, image_size=16)
    assert found.caption == "original, two views by middle of narrow and two by SimCLR s=1"
    assert [str(file) for file in found.files] == ["preview.png"]
    with Image.open(io.BytesIO(found.pages[0])) as picture:
        assert picture.width > 9 * 96


def test_images_of_six_bands_are_shown_by_their_first_three(surfaces):
    six = np.concatenate([surfaces.images, 255 - surfaces.images], axis=1)
    image_set = surfaces.__class__(**{**surfaces.__dict__, "images": six})
    shown = preview(policy_of(CROP), image_set)
    assert {image.shape[0] for row in shown.rows for image in row} == {6}
    for bands, colours in zip(shown.rows, preview(policy_of(CROP), surfaces).rows, strict=True):
        for six, three in zip(bands[:3], colours[:3], strict=True):
            assert (six[:3] == three).all()
    with Image.open(io.BytesIO(shown.pages[0])) as picture:
        assert picture.mode == "RGB"


def test_nothing_named_is_refused():
    with pytest.raises(ConfigError, match="a finished study, --policy FILE or --space SPACE"):
        write_preview()
