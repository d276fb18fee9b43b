"""The reference executor does what Kornia's own classes do with the same parameters."""

from __future__ import annotations

import math

import kornia
import kornia.augmentation as K
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from augsearch.augment.draws import Draws, gaussian
from augsearch.augment.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.resample import crop_and_resize

N, SIZE = 6, 32
DRAWS = Draws(5, 0, 0, (0,), N, torch.device("cpu"))
ROWS = torch.arange(N)


@pytest.fixture
def images() -> torch.Tensor:
    rng = np.random.default_rng(1)
    coarse = torch.from_numpy(rng.random((N, 3, 9, 9), dtype=np.float32))
    return torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bilinear")


def ours(name, images, **values):
    u = DRAWS.uniform(name, IMPLEMENTATIONS[name].slots)
    out = IMPLEMENTATIONS[name].apply(
        images, u, values, lambda slot, shape: DRAWS.field(name, ROWS, shape, slot)
    )
    return out, u


def kornias(augmentation, images, **params):
    """A Kornia augmentation driven by explicit parameters for every row."""
    given = {
        "batch_prob": torch.ones(N),
        "forward_input_shape": torch.tensor(images.shape),
        **params,
    }
    return augmentation(images, params=given)


def near(first, second, tolerance=2e-6):
    assert (first - second).abs().max() <= tolerance


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


def test_sharpness(images):
    out, u = ours("sharpness", images, amount=3.0)
    near(out, kornias(K.RandomSharpness(p=1.0), images, sharpness=1 + 3 * u[:, 0]))


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
    out = IMPLEMENTATIONS["motion_blur"].apply(images, u, {"length": 8 / SIZE}, lambda *_: u)
    near(out, kornia.filters.motion_blur(images, 5, 0.0, 0.0))


def test_rotation_and_affine(images):
    out, u = ours("rotation", images, degrees=40.0)
    driven = K.RandomAffine(40.0, padding_mode="reflection", align_corners=True, p=1.0)
    centre = torch.full((N, 2), (SIZE - 1) / 2)
    still = {"shear_x": torch.zeros(N), "shear_y": torch.zeros(N)}
    expected = kornias(
        driven,
        images,
        angle=-40 * (2 * u[:, 0] - 1),  # clockwise here, anticlockwise in `rotate`
        center=centre,
        translations=torch.zeros(N, 2),
        scale=torch.ones(N, 2),
        **still,
    )
    near(out, expected, 1e-4)
    out, u = ours("affine", images, translate=0.2, zoom=1.3, shear=20.0)
    expected = kornias(
        driven,
        images,
        angle=torch.zeros(N),
        center=centre,
        translations=0.2 * SIZE * (2 * u[:, 0:2] - 1),
        scale=(1.3 ** (2 * u[:, 2:3] - 1)).expand(-1, 2),
        shear_x=20 * (2 * u[:, 3] - 1),
        shear_y=20 * (2 * u[:, 4] - 1),
    )
    near(out, expected, 1e-4)


def test_perspective_inside_the_moved_corners(images):
    out, u = ours("perspective", images, distortion=0.4)
    end = SIZE - 1.0
    corners = torch.tensor([[0.0, 0.0], [end, 0.0], [end, end], [0.0, end]]).expand(N, 4, 2)
    inwards = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    moved = corners + 0.2 * SIZE * u.view(N, 4, 2) * inwards
    driven = K.RandomPerspective(0.4, align_corners=True, p=1.0)
    expected = kornias(driven, images, start_points=corners, end_points=moved)
    covered = kornias(driven, torch.ones_like(images), start_points=corners, end_points=moved)
    inside = covered > 0.999
    assert inside.float().mean() > 0.5
    near(out[inside], expected[inside], 1e-4)


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


@pytest.mark.parametrize("size", [(SIZE, SIZE), (12, 20), (64, 64)], ids=str)
def test_crop_is_torchvisions_antialiased_crop(images, size):
    u = DRAWS.uniform("resized_crop", CROP_SLOTS)
    boxes = crop_boxes(u, {"scale_min": 0.1, "ratio": 2.0}, SIZE, SIZE)
    out = crop_and_resize(images, boxes, size)
    for image, box, result in zip(images, boxes.int().tolist(), out, strict=True):
        left, top, width, height = box
        near(tv.resized_crop(image, top, left, height, width, list(size), antialias=True), result)


def test_crop_is_kornias_crop_when_it_enlarges(images):
    out, u = ours("resized_crop", images, scale_min=0.1, ratio=4 / 3)
    left, top, width, height = crop_boxes(u, {"scale_min": 0.1, "ratio": 4 / 3}, SIZE, SIZE).T
    right, bottom = left + width - 1, top + height - 1
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    driven = K.RandomResizedCrop((SIZE, SIZE), cropping_mode="slice", align_corners=False)
    expected = kornias(
        driven,
        images,
        src=torch.stack([torch.stack(corner, -1) for corner in corners], 1),
        dst=torch.zeros(N, 4, 2),
        input_size=torch.full((N, 2), SIZE),
        output_size=torch.full((N, 2), SIZE),
    )
    near(out, expected, 1e-5)


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
