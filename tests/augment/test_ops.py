"""Every operation of the catalogue keeps the same promises; a new entry is tested by itself."""

from __future__ import annotations

from itertools import pairwise

import kornia.augmentation as K
import pytest
import torch

from augsearch.augment.draws import Draws
from augsearch.augment.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.kornia_ops import IMPLEMENTATIONS
from augsearch.space.catalogue import COVERED, LEFT_OUT, OPERATIONS
from augsearch.testing.ops import CHECKS, Case, pictures

CPU = torch.device("cpu")
WARPS = ("rotation", "affine", "perspective", "elastic", "thin_plate_spline", "fisheye")
CASES = {
    name: Case(
        operation,
        IMPLEMENTATIONS[name],
        interpolates=name in WARPS,
        # Kornia sharpens over 3 x 3 pixels; JPEG's blocks have 8 x 8.
        pixel_scale=name in ("sharpness", "jpeg"),
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
    out = render("motion_blur", images, {"length": 0.5})
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
