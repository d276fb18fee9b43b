"""Colour, channels and light: the reference executor does what Kornia's own classes do."""

from __future__ import annotations

import math

import kornia
import kornia.augmentation as K
import pytest
import torch
from kornia_parity import DRAWS, ROWS, SIZE, N, kornias, near, ours

from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS


def test_color_jitter(images):
    out, u = ours("color_jitter", images, brightness=0.4, contrast=0.5, saturation=0.6, hue=0.2)
    expected = kornias(
        K.ColorJitter(0.4, 0.5, 0.6, 0.2, p=1.0),
        images,
        order=torch.tensor([0, 1, 2, 3]),
        brightness_factor=1 + 0.4 * (2 * u[:, 0] - 1),
        contrast_factor=1 + 0.5 * (2 * u[:, 1] - 1),
        saturation_factor=1 + 0.6 * (2 * u[:, 2] - 1),
        hue_factor=0.2 * (2 * u[:, 3] - 1),
    )
    near(out, expected, 1e-5)


def test_gamma(images):
    out, u = ours("gamma", images, gamma=2.0)
    near(
        out,
        kornias(
            K.RandomGamma(p=1.0),
            images,
            gamma_factor=2.0 ** (2 * u[:, 0] - 1),
            gain_factor=torch.ones(N),
        ),
    )


def test_solarize(images):
    out, u = ours("solarize", images, threshold_min=0.2)
    near(
        out,
        kornias(
            K.RandomSolarize(p=1.0),
            images,
            thresholds=0.2 + 0.8 * u[:, 0],
            additions=torch.zeros(N),
        ),
    )


def test_posterize(images):
    out, u = ours("posterize", images, bits_min=3)
    bits = 3 + (6 * u[:, 0]).floor().int()
    near(out, kornias(K.RandomPosterize(p=1.0), images, bits_factor=bits))


def test_equalize_autocontrast_invert_grayscale_flips(images):
    near(ours("equalize", images)[0], kornias(K.RandomEqualize(p=1.0), images))
    near(ours("autocontrast", images)[0], kornias(K.RandomAutoContrast(p=1.0), images))
    near(ours("invert", images)[0], kornias(K.RandomInvert(p=1.0), images))
    near(ours("grayscale", images)[0], kornias(K.RandomGrayscale(p=1.0), images))
    near(ours("horizontal_flip", images)[0], kornias(K.RandomHorizontalFlip(p=1.0), images))


def test_clahe(images):
    out, u = ours("clahe", images, clip_limit=8.0)
    for row in range(N):
        limit = float(1 + 7 * u[row, 0])
        near(out[row], kornia.enhance.equalize_clahe(images[row], limit, (2, 2)))


def test_plasma_shadow(images):
    out, u = ours("plasma_shadow", images, shade=0.5)
    level = -1

    def random(size, **_):
        nonlocal level
        level += 1
        return DRAWS.field("plasma_shadow", ROWS, tuple(size[1:]), level)

    plasma = kornia.contrib.diamond_square(
        (N, 1, SIZE, SIZE), 0.1 + 0.6 * u[:, 0], random_fn=random
    )
    expected = kornias(
        K.RandomPlasmaShadow(p=1.0),
        images,
        roughness=u[:, 0],
        plasma=plasma,
        shade_quantity=u[:, 1],
        shade_intensity=-0.5 * u[:, 2],
    )
    near(out, expected)


def test_rgb_shift(images):
    out, u = ours("rgb_shift", images, shift=0.3)
    red, green, blue = (0.3 * (2 * u - 1)).T
    near(out, kornias(K.RandomRGBShift(p=1.0), images, r_shift=red, g_shift=green, b_shift=blue))


def test_channel_shuffle(images):
    every = [[1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 2, 1], [1, 0, 2]]
    out, u = ours("channel_shuffle", images)
    order = torch.tensor(every)[(5 * u[:, 0]).long()]
    near(out, kornias(K.RandomChannelShuffle(p=1.0), images, channels=order), 0)
    u = (torch.arange(5.0)[:, None] + 0.5) / 5
    picture = torch.arange(3.0).view(1, 3, 1, 1).expand(5, 3, 2, 2)
    out = IMPLEMENTATIONS["channel_shuffle"].apply(picture, u, {}, lambda *_: u)
    assert out[:, :, 0, 0].long().tolist() == every


@pytest.mark.parametrize("lost", [1, 2])
def test_channel_dropout(images, lost):
    _, u = ours("channel_dropout", images, channels=2)
    u[:, 0] = (lost - 0.5) / 2
    out = IMPLEMENTATIONS["channel_dropout"].apply(images, u, {"channels": 2}, lambda *_: u)
    chosen = (3 * u[:, 1:]).long()
    others = torch.tensor([[1, 2], [0, 2], [0, 1]])[chosen[:, 0]]
    expected = kornias(
        K.RandomChannelDropout(lost, p=1.0),
        images,
        batch_idx=ROWS[:, None],
        channel_idx=chosen if lost == 1 else others,
    )
    near(out, expected, 0)


def test_planckian_jitter_is_kornias_relative_to_daylight(images):
    driven = K.RandomPlanckianJitter(p=1.0)
    places = torch.tensor([0, 3, 7, 10, 17, 24])
    u = (torch.where(places < 7, (places - 7) / 7, (places - 7) / 17)[:, None] + 1) / 2
    dark = images * 0.3  # so that nothing saturates
    out = IMPLEMENTATIONS["planckian_jitter"].apply(dark, u, {"shift": 1.0}, lambda *_: u)
    daylight = torch.tensor([driven.pl[7, 0], 1.0, driven.pl[7, 1]]).view(1, 3, 1, 1)
    near(out, kornias(driven, dark / daylight, idx=places), 1e-5)


@pytest.mark.parametrize("name", ["plasma_brightness", "plasma_contrast"])
def test_plasma_brightness_and_contrast(images, name):
    values = {"gain": 0.6} if name == "plasma_brightness" else {"amount": 1.0}
    _, u = ours(name, images, **values)
    u[:, 1] = 1.0 if name == "plasma_contrast" else u[:, 1]  # Kornia's contrast has no strength
    levels = iter(range(9))

    def field(slot, shape):
        return DRAWS.field(name, ROWS, shape, slot)

    plasma = kornia.contrib.diamond_square(
        (N, 1, SIZE, SIZE),
        0.1 + 0.6 * u[:, 0],
        random_fn=lambda size, **_: field(next(levels), tuple(size[1:])),
    )
    out = IMPLEMENTATIONS[name].apply(images, u, {"grain": 1 / SIZE, **values}, field)
    driven = {
        "plasma_brightness": K.RandomPlasmaBrightness(p=1.0),
        "plasma_contrast": K.RandomPlasmaContrast(p=1.0),
    }[name]
    given = {"roughness": u[:, 0], "plasma": plasma, "intensity": 0.6 * u[:, 1]}
    near(out, kornias(driven, images, **given))


def test_linear_illuminations(images):
    ramp = torch.linspace(0, 1, SIZE)
    y, x = torch.meshgrid(ramp, ramp, indexing="ij")
    sides = torch.stack([y, 1 - y, x, 1 - x])
    corners = torch.stack([x + y, 1 - x + y, 1 + x - y, 2 - x - y]) / 2
    for name, driven, ramps in (
        ("linear_illumination", K.RandomLinearIllumination(p=1.0), sides),
        ("linear_corner_illumination", K.RandomLinearCornerIllumination(p=1.0), corners),
    ):
        out, u = ours(name, images, gain=0.4)
        gain = 0.4 * (2 * u[:, 0] - 1).view(-1, 1, 1, 1)
        gradient = gain * ramps[(4 * u[:, 1]).long()][:, None]
        near(out, kornias(driven, images, gradient=gradient.expand_as(images)))


def test_corner_illumination_has_kornias_four_corners():
    bounds = (torch.tensor([0.0]), torch.tensor([1.0]))
    torch.manual_seed(0)
    drawn = K.RandomLinearCornerIllumination(gain=1.0, sign=1.0, p=1.0).generate_parameters(
        torch.Size((64, 1, SIZE, SIZE))
    )["gradient"]
    u = torch.tensor([[1.0, (corner + 0.5) / 4] for corner in range(4)])
    black = torch.zeros(4, 1, SIZE, SIZE)
    out = IMPLEMENTATIONS["linear_corner_illumination"].apply(
        black, u, {"gain": 1.0}, lambda *_: bounds[0]
    )
    distance = (drawn[:, None] - out[None]).abs().amax((2, 3, 4))  # [64, 4]
    assert distance.amin(1).max() < 1e-5
    assert len(set(distance.argmin(1).tolist())) == 4


def test_gaussian_illumination_is_kornias_spot():
    grey = torch.full((N, 1, SIZE, SIZE), 0.5)
    out, u = ours("gaussian_illumination", grey, gain=0.3)
    kernel = kornia.filters.gaussian
    spots = [
        kernel(
            SIZE,
            SIZE * (0.2 + 0.8 * u[:, slot + 1, None]),
            mean=SIZE * (0.1 + 0.8 * u[:, slot, None]),
        )
        for slot in (1, 3)
    ]
    spot = kornia.enhance.normalize_min_max((spots[0][:, :, None] * spots[1][:, None])[:, None])
    gradient = 0.3 * (2 * u[:, 0] - 1).view(-1, 1, 1, 1) * spot
    # Kornia's normalisation adds an epsilon to the spot's range.
    near(out, kornias(K.RandomGaussianIllumination(p=1.0), grey, gradient=gradient), 1e-3)


def test_grayscale_of_a_known_colour():
    image = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    out = IMPLEMENTATIONS["grayscale"].apply(image, torch.zeros(1, 0), {}, lambda *_: image)
    assert math.isclose(out[0, 1, 0, 0].item(), 0.299, abs_tol=1e-6)
