"""Blur, noise and what covers pixels: the reference executor does what Kornia's classes do."""

from __future__ import annotations

import math

import kornia
import kornia.augmentation as K
import torch
from kornia_parity import DRAWS, ROWS, SIZE, N, kornias, near, ours

from augsearch.augment.draws import gaussian
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS


def test_sharpness(images):
    out, u = ours("sharpness", images, amount=3.0)
    near(out, kornias(K.RandomSharpness(p=1.0), images, sharpness=1 + 3 * u[:, 0]))


def test_gaussian_blur(images):
    out, u = ours("gaussian_blur", images, sigma=0.05)
    near(
        out,
        kornias(
            K.RandomGaussianBlur((11, 11), (0.01, 2.0), p=1.0), images, sigma=0.05 * SIZE * u[:, 0]
        ),
    )


def test_motion_blur_along_an_axis_is_kornias(images):
    u = torch.zeros(N, 2)
    u[:, 0] = 5 / 8  # of at most 8 pixels; angle 0
    out = IMPLEMENTATIONS["motion_blur"].apply(
        images, u, {"length": 8 / SIZE, "grain": 1 / SIZE}, None
    )
    near(out, kornia.filters.motion_blur(images, 5, 0.0, 0.0))


def test_erasing(images):
    out, u = ours("erasing", images, area=0.4, ratio=2.0)
    area, ratio = 0.4 * SIZE**2 * u[:, 0], 2.0 ** (2 * u[:, 1] - 1)
    wide, high = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    expected = kornias(
        K.RandomErasing(p=1.0),
        images,
        widths=wide,
        heights=high,
        xs=(u[:, 2] * (SIZE - wide + 1)).floor(),
        ys=(u[:, 3] * (SIZE - high + 1)).floor(),
        values=images.mean((1, 2, 3)),
    )
    near(out, expected)


def test_noise_and_jpeg(images):
    out, u = ours("gaussian_noise", images, std=0.1)
    noise = gaussian(DRAWS.field("gaussian_noise", ROWS, (3, SIZE, SIZE)))
    scaled = noise * 0.1 * u[:, 0].view(-1, 1, 1, 1)
    expected = kornias(K.RandomGaussianNoise(p=1.0), images, gaussian_noise=scaled)
    near(out, expected.clamp(0, 1))
    out, u = ours("jpeg", images, quality_min=20.0)
    near(out, kornias(K.RandomJPEG(p=1.0), images, jpeg_quality=20 + 80 * u[:, 0]), 1e-5)


def test_box_blur_is_kornias_at_whole_odd_lengths(images):
    for width in (1, 3, 5):
        u = torch.full((N, 1), width / 8)  # of at most 8 pixels
        out = IMPLEMENTATIONS["box_blur"].apply(
            images, u, {"length": 8 / SIZE, "grain": 1 / SIZE}, None
        )
        near(out, kornias(K.RandomBoxBlur((width, width), p=1.0), images))


def test_median_blur_is_kornias_at_three_pixels(images):
    u = torch.full((N, 1), 3 / 8)  # of at most 8 pixels
    out = IMPLEMENTATIONS["median_blur"].apply(
        images, u, {"length": 8 / SIZE, "grain": 1 / SIZE}, None
    )
    near(out, kornias(K.RandomMedianBlur((3, 3), p=1.0), images))


def test_median_blur_over_nine_pixels_is_the_median_of_cell_means(images):
    u = torch.ones(N, 1)
    out = IMPLEMENTATIONS["median_blur"].apply(
        images, u, {"length": 9 / SIZE, "grain": 1 / SIZE}, lambda *_: u
    )
    means = kornia.filters.box_blur(images, (3, 3))
    cells = torch.stack([means.roll((y, x), (2, 3)) for y in (-3, 0, 3) for x in (-3, 0, 3)])
    inside = (..., slice(3, -3), slice(3, -3))
    near(out[inside], cells.median(0).values[inside])


def test_rain(images):
    out, u = ours("rain", images, amount=0.4, length=0.4, slant=40.0)
    tall = (0.4 * SIZE * (0.25 + 0.75 * u[:, 1])).round()
    wide = (tall * torch.tan(math.radians(40) * (2 * u[:, 2] - 1))).round()
    drops = (0.4 * SIZE**2 * u[:, 0] / tall).floor()
    most = int(drops.max())
    expected = kornias(
        K.RandomRain(p=1.0),
        images,
        number_of_drops_factor=drops.long(),
        drop_height_factor=tall.long(),
        drop_width_factor=wide.long(),
        coordinates_factor=DRAWS.field("rain", ROWS, (most, 2)),
    )
    assert 0.05 < (out == 200 / 255).float().mean() < 0.4
    assert wide.min() < -1
    assert wide.max() > 1
    near(out, expected, 0)


def test_snow(images):
    out, u = ours("snow", images, brightness=3.0, coverage=0.9)
    expected = kornias(
        K.RandomSnow(p=1.0), images, brightness=1 + 2 * u[:, 0], snow_coefficient=0.9 * u[:, 1]
    )
    assert (out != images).any(1).float().mean() > 0.1
    near(out, expected, 1e-5)
