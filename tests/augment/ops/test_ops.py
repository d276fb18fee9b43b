"""Every operation of the catalogue keeps the same promises; a new entry is tested by itself."""

from __future__ import annotations

from itertools import pairwise

import kornia.augmentation as K
import pytest
import torch

from augsearch.augment.draws import Draws
from augsearch.augment.ops.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.space.catalogue import COVERED, LEFT_OUT, OPERATIONS
from augsearch.testing.ops import CHECKS, Case, pictures

CPU = torch.device("cpu")
WARPS = ("rotation", "affine", "perspective", "elastic", "thin_plate_spline", "fisheye")
CASES = {
    name: Case(
        operation,
        IMPLEMENTATIONS[name],
        interpolates=name in WARPS,
        # Kornia's codec and its CLAHE look at what they are given.
        reads_back=name in ("jpeg", "clahe"),
        # How far apart the ratios of its boxes are is tested below.
        effect_elsewhere=("ratio",) if name == "resized_crop" else (),
    )
    for name, operation in OPERATIONS.items()
}


def render(name, images, values):
    return CASES[name].render(images, values)


def values_at(name, share):
    return CASES[name].values(share)


@pytest.mark.long
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", OPERATIONS)
def test_promises(name, check):
    check(CASES[name])


def test_catalogue_and_implementations_name_the_same_operations():
    assert list(IMPLEMENTATIONS) == list(OPERATIONS)


def test_every_2d_augmentation_of_kornia_is_covered_or_left_out_for_a_reason():
    bases = (K.AugmentationBase2D, K.MixAugmentationBaseV2)
    exported = {
        name
        for name in K.__all__
        if isinstance(kind := getattr(K, name), type)
        and issubclass(kind, bases)
        and "Base" not in name
        and not name.endswith("3D")
    }
    assert not COVERED.keys() & LEFT_OUT.keys()
    assert exported == COVERED.keys() | LEFT_OUT.keys()
    assert set(COVERED.values()) == set(OPERATIONS)
    assert all(LEFT_OUT.values())


def test_jitter_draws_the_same_brightness_with_and_without_colour():
    images = pictures(4, 1, 32, 32)
    values = values_at("color_jitter", 0.3)
    grey = render("color_jitter", images, values)
    idle = {**values, "saturation": 0.0, "hue": 0.0}
    assert torch.equal(render("color_jitter", images, idle), grey)


def test_directions():
    """What a wrong sign or axis would show."""
    images = torch.zeros(200, 1, 16, 16)
    images[:, :, 0, 0] = 1  # one bright corner
    corners = [(0, 0), (15, 0), (15, 15), (0, 15)]
    turned = render("rotate90", images, {})
    lit = [next(c for c in corners if out[0, c[0], c[1]] == 1) for out in turned]
    counts = [lit.count(c) for c in corners]
    assert counts[0] == 0
    assert all(40 < count < 95 for count in counts[1:])
    assert render("horizontal_flip", images, {})[0, 0, 0, 15] == 1
    assert render("vertical_flip", images, {})[0, 0, 15, 0] == 1
    grey = torch.full((200, 1, 16, 16), 0.5)
    lit_from = render("linear_illumination", grey, {"gain": 0.4}) - 0.5
    strongest_side = lit_from.abs().mean((1, 3)).argmax(1)
    assert {0, 15} <= set(strongest_side.tolist())
    assert (lit_from.mean((1, 2, 3)) > 0).float().mean().sub(0.5).abs() < 0.15
    shadow = render("plasma_shadow", grey, {"shade": 0.4})
    assert shadow.max() <= 0.5
    assert shadow.mean() < 0.45


def test_motion_blur_keeps_brightness_and_goes_one_way():
    images = torch.zeros(32, 1, 33, 33)
    images[:, :, 16, 16] = 1
    out = render("motion_blur", images, {"length": 0.5, "grain": 1 / 33})
    assert torch.allclose(out.sum((1, 2, 3)), torch.ones(32), atol=1e-4)
    y, x = torch.meshgrid(torch.arange(33.0) - 16, torch.arange(33.0) - 16, indexing="ij")
    weights = out[:, 0]
    spread = torch.stack(
        [(weights * a * b).sum((1, 2)) for a, b in ((x, x), (x, y), (x, y), (y, y))], dim=-1
    ).view(-1, 2, 2)
    narrow, wide = torch.linalg.eigvalsh(spread).unbind(-1)
    assert wide.max() > 10  # a line of 16 pixels has the variance 16^2 / 12
    assert narrow.max() < 0.5


def test_crops_cover_the_documented_shares():
    u = Draws(0, 0, 0, (0,), 4000, CPU).uniform("resized_crop", CROP_SLOTS)
    left, top, width, height = crop_boxes(u, {"scale_min": 0.08, "ratio": 4 / 3}, 224, 224).T
    share = width * height / 224**2
    assert 0.075 < share.min() < 0.09
    assert share.max() > 0.97
    ratio = width / height
    assert ratio.min() > 0.72
    assert ratio.max() < 1.38
    assert (left >= 0).all()
    assert (top >= 0).all()
    assert (left + width <= 224).all()
    assert (top + height <= 224).all()
    assert abs((left / (224 - width).clamp(min=1)).mean() - 0.5) < 0.05


def test_crop_ratios_spread_with_the_ratio():
    u = Draws(0, 0, 0, (0,), 2000, CPU).uniform("resized_crop", CROP_SLOTS)
    spreads = []
    for ratio in (1.0, 1.2, 2.0, 4.0):
        _, _, width, height = crop_boxes(u, {"scale_min": 0.1, "ratio": ratio}, 224, 224).T
        spreads.append((width / height).log().abs().mean().item())
    assert spreads[0] < 0.01
    assert all(later > earlier + 0.05 for earlier, later in pairwise(spreads))


@pytest.mark.parametrize("size", [(32, 32), (17, 26)], ids=str)
def test_jigsaw_moves_every_pixel_to_one_place(size):
    images = torch.arange(1.0, size[0] * size[1] + 1).view(1, 1, *size).repeat(40, 1, 1, 1)
    out = render("jigsaw", images, {"grid": 5})
    assert torch.equal(out.flatten(1).sort(1).values, images.flatten(1))
    moved = (out != images).flatten(1).float().mean(1)
    assert 0.1 < (moved == 0).float().mean() < 0.4  # one grid of five has one piece
    assert moved.max() > 0.85


def test_rain_covers_up_to_the_documented_share():
    black = torch.zeros(200, 1, 64, 64)
    for amount, length in ((0.1, 0.1), (0.3, 0.3), (0.3, 0.02)):
        out = render("rain", black, {"amount": amount, "length": length, "slant": 20.0})
        covered = (out > 0).float().mean((1, 2, 3))
        assert covered.max() <= amount
        assert covered.max() > 0.7 * amount  # drops overlap
        assert abs(covered.mean() / (amount / 2) - 1) < 0.25


def test_planckian_jitter_goes_from_warm_to_cold():
    grey = torch.full((300, 3, 4, 4), 0.4)
    red, green, blue = render("planckian_jitter", grey, {"shift": 0.5})[..., 0, 0].T
    assert torch.equal(green, grey[:, 1, 0, 0])
    warm, cold = (red > blue + 1e-4), (blue > red + 1e-4)
    assert 0.4 < warm.float().mean() < 0.6
    assert 0.4 < cold.float().mean() < 0.6
    assert (red[warm] > 0.4).all()
    assert (blue[warm] < 0.4).all()


def test_channel_dropout_loses_one_or_two_channels_all_as_often():
    white = torch.ones(1200, 3, 2, 2)
    kept = render("channel_dropout", white, {"channels": 2})[..., 0, 0]
    assert set(kept.sum(1).tolist()) == {1.0, 2.0}
    assert (kept.mean(0) - 0.5).abs().max() < 0.05
    once = render("channel_dropout", white, {"channels": 1})[..., 0, 0]
    assert (once.sum(1) == 2).all()
    assert (once.mean(0) - 2 / 3).abs().max() < 0.05


def test_fisheye_shrinks_the_middle_towards_it():
    """A ring keeps its place only at the centre of the lens."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 65), torch.linspace(-1, 1, 65), indexing="ij")
    radius = (x**2 + y**2).sqrt()
    ring = ((radius - 0.5).abs() < 0.05).float().expand(50, 1, 65, 65)
    out = render("fisheye", ring, {"amount": 1.0, "centre": 0.0})[:, 0, 22:43, 22:43]
    spread = (out * radius[22:43, 22:43]).sum((1, 2)) / out.sum((1, 2)).clamp(min=1e-3)
    assert out.sum((1, 2)).max() > 10  # part of it has come in from 0.5
    assert spread.max() < 0.5
