"""The part of the graph that resizes does to a tensor what decoding does to a file."""

import numpy as np
import pytest
import torch
from PIL import Image

from augsearch.data.config import DataConfig
from augsearch.data.decoding.decode import decode_file
from augsearch.deploying.pixels import Pixels

SIZES = [(7, 9), (16, 16), (17, 40), (41, 33), (150, 60), (90, 301), (400, 611)]


def picture(height, width, channels, seed=0):
    """Something with edges and gradients, as cameras see it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(2, height // 6), max(2, width // 6), channels), np.uint8)
    image = Image.fromarray(coarse[..., 0] if channels == 1 else coarse)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    return pixels.reshape(height, width, channels)


def fitted(pixels, size, fit, channels=None):
    channels = channels or pixels.shape[-1]
    part = Pixels(size, channels, fit, (0.0,) * channels, (1.0,) * channels)
    squares = part(torch.from_numpy(np.array(pixels))[None])[0]
    return (255 * squares).permute(0, 2, 3, 1).numpy()


def decoded(pixels, size, fit, tmp_path, channels="auto"):
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.save(tmp_path / "p.png")
    return decode_file(
        tmp_path / "p.png", DataConfig(image_size=size, fit=fit, channels=channels)
    ).pixels


@pytest.mark.parametrize("fit", ["crop", "squash", "pad", "tile"])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_what_decoding_does(fit, channels, tmp_path):
    for place, (height, width) in enumerate(SIZES):
        for size in (8, 16, 33):
            if fit == "tile" and min(height, width) < size:
                continue
            pixels = picture(height, width, channels, place)
            found, wanted = (
                fitted(pixels, size, fit),
                decoded(pixels, size, fit, tmp_path).astype(float),
            )
            assert found.shape == wanted.shape
            # Pillow 13 chooses which axis comes first, and rounds after each.
            assert np.abs(found - wanted).max() <= 5 and np.abs(found - wanted).mean() < 0.5


def test_columns_first_it_is_exact(tmp_path):
    """Where Pillow resizes columns first, as it does unless a picture is tall."""
    for height, width, size in ((60, 90, 16), (400, 611, 32), (33, 50, 40), (128, 128, 96)):
        pixels = picture(height, width, 3)
        off = np.abs(fitted(pixels, size, "crop") - decoded(pixels, size, "crop", tmp_path))
        assert off.max() <= 1.001 and (off > 0.5).mean() < 1e-3


def test_a_grey_network_takes_colour_and_the_other_way_round(tmp_path):
    colour = picture(40, 60, 3)
    wanted = decoded(colour, 16, "crop", tmp_path, channels="grey")
    assert np.abs(fitted(colour, 16, "crop", channels=1) - wanted).max() <= 1.001
    grey = picture(40, 60, 1)
    wanted = decoded(grey, 16, "crop", tmp_path, channels="colour")
    assert wanted.shape[-1] == 3
    assert np.abs(fitted(grey, 16, "crop", channels=3) - wanted).max() <= 1.001


@pytest.mark.parametrize("given", [2, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_other_numbers_of_channels_are_no_picture(given, channels):
    with pytest.raises((IndexError, RuntimeError)):
        fitted(np.zeros((20, 20, given), np.uint8), 16, "crop", channels=channels)


@pytest.mark.parametrize("fit", ["crop", "squash", "pad", "tile"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_too_few_pixels_are_no_picture(fit, channels):
    sizes = [(0, 5), (5, 0), *([(15, 40), (40, 15)] if fit == "tile" else [])]
    for height, width in sizes:
        with pytest.raises((IndexError, RuntimeError)):
            fitted(np.zeros((height, width, channels), np.uint8), 16, fit)


def test_bands_stay_bands():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 5), np.uint8)
    assert (fitted(pixels, 16, "crop").round() == pixels).all()


def test_squares_of_the_right_size_are_left_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    for fit in ("crop", "squash", "pad", "tile"):
        assert (fitted(pixels, 24, fit).round() == pixels).all()
    strip = np.concatenate([pixels, pixels[::-1], pixels[:, ::-1]], axis=1)
    tiles = fitted(strip, 24, "tile").round()
    assert (tiles == np.stack([pixels, pixels[::-1], pixels[:, ::-1]])).all()
