"""Geometry: the reference executor does what Kornia's own classes do, and torchvision's crop."""

from __future__ import annotations

import math

import kornia
import kornia.augmentation as K
import pytest
import torch
from kornia_parity import DRAWS, ROWS, SIZE, N, kornias, near, ours
from torchvision.transforms.v2 import functional as tv

from augsearch.augment.draws import Draws
from augsearch.augment.ops.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.ops.resample import crop_and_resize


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
