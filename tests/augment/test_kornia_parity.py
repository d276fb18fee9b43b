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
from augsearch.augment.ops.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.ops.resample import crop_and_resize

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
        images,
        u,
        {"grain": 1 / SIZE, **values},
        lambda slot, shape: DRAWS.field(name, ROWS, shape, slot),
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
    out = IMPLEMENTATIONS["motion_blur"].apply(
        images, u, {"length": 8 / SIZE, "grain": 1 / SIZE}, None
    )
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


def test_elastic(images):
    sigma = 0.08 * SIZE
    driven = K.RandomElasticTransform(
        (17, 17),
        (sigma, sigma),
        (1.0, 1.0),
        align_corners=True,
        padding_mode="reflection",
        p=1.0,
    )
    out, u = ours("elastic", images, displacement=0.05, smoothness=0.08)
    noise = 2 * DRAWS.field("elastic", ROWS, (2, SIZE, SIZE)) - 1
    kernel = kornia.filters.get_gaussian_kernel1d(17, sigma)
    deviation = (kernel**2).sum() / math.sqrt(3)  # of smoothed uniform noise
    pixels = 0.05 * SIZE * u[:, 0].view(-1, 1, 1, 1) / deviation
    assert (out - images).abs().max() > 0.1
    near(out, kornias(driven, images, noise=noise * pixels * 2 / (SIZE - 1)), 1e-5)


def test_elastic_shifts_have_the_documented_deviation():
    size = 96
    ramp = torch.linspace(0.2, 0.8, size).expand(64, 1, size, size)
    u = torch.ones(64, 1)
    draws = Draws(5, 0, 0, (0,), 64, torch.device("cpu"))
    out = IMPLEMENTATIONS["elastic"].apply(
        ramp,
        u,
        {"displacement": 0.02, "smoothness": 0.05, "grain": 1 / size},
        lambda slot, shape: draws.field("elastic", torch.arange(64), shape, slot),
    )
    inside = (out - ramp)[..., 16:-16, 16:-16] / 0.6 * (size - 1) / size
    assert abs(inside.std() - 0.02) < 0.001
    assert abs(inside.mean()) < 0.0025


def test_thin_plate_spline(images):
    out, u = ours("thin_plate_spline", images, distortion=0.4)
    corners = [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]
    points = torch.tensor(corners).expand(N, 5, 2)
    moved = points + 0.4 * (2 * u.view(N, 5, 2) - 1)
    driven = K.RandomThinPlateSpline(align_corners=True, padding_mode="reflection", p=1.0)
    assert (out - images).abs().max() > 0.1
    near(out, kornias(driven, images, src=points, dst=moved), 1e-4)


def test_fisheye_inside_the_image(images):
    _, u = ours("fisheye", images, amount=1.0, centre=0.5)
    u[:, 0] = 1.0  # Kornia's bending has no strength
    out = IMPLEMENTATIONS["fisheye"].apply(images, u, {"amount": 1.0, "centre": 0.5}, lambda *_: u)
    bounds = (torch.tensor([-0.5, 0.5]), torch.tensor([-0.5, 0.5]), torch.tensor([0.9, 1.0]))
    driven = K.RandomFisheye(*bounds, p=1.0)
    given = {
        "center_x": 0.5 * (2 * u[:, 1] - 1),
        "center_y": 0.5 * (2 * u[:, 2] - 1),
        "gamma": 0.9 + 0.1 * u[:, 3],
    }
    covered = kornias(driven, torch.ones_like(images), **given) > 0.999
    assert covered.float().mean() > 0.2
    near(out[covered], kornias(driven, images, **given)[covered], 1e-4)


def test_jigsaw(images):
    out, u = ours("jigsaw", images, grid=8)
    keys = DRAWS.field("jigsaw", ROWS, (64,))
    grids = (1 + (8 * u[:, 0]).floor()).int().tolist()
    assert {2, 4, 8} & set(grids)
    for row, grid in enumerate(grids):
        if SIZE % grid or grid == 1:
            continue
        order = keys[row, : grid**2].argsort()  # row by row; Kornia fills column by column
        driven = K.RandomJigsaw((grid, grid), p=1.0)
        given = {"batch_prob": torch.ones(1), "forward_input_shape": torch.tensor(out[:1].shape)}
        given["permutation"] = order.view(grid, grid).T.reshape(1, -1)
        near(out[row], driven(images[row : row + 1], params=given)[0], 0)


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
