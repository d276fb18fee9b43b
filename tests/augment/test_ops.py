"""Every operation of the catalogue keeps the same promises; a new entry is tested by itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from augsearch.augment.draws import Draws
from augsearch.augment.executor import apply_ops
from augsearch.augment.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.kornia_ops import IMPLEMENTATIONS
from augsearch.space.catalogue import OPERATIONS, Parameter
from augsearch.space.policy import POLICY_OPS

CPU = torch.device("cpu")
SHAPES = [
    (6, 3, 32, 32),
    (6, 1, 32, 32),
    (3, 3, 24, 40),
    (3, 1, 40, 24),
    (1, 3, 32, 32),
    (1, 1, 17, 19),
]


def pictures(n: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Smooth coloured shapes with some grain, as photographs have, on 8-bit levels."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((n, channels, 5, 5), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(
        coarse, size=(height, width), mode="bicubic", align_corners=True
    )
    grain = torch.from_numpy(rng.normal(0, 0.03, smooth.shape).astype(np.float32))
    return ((smooth * 0.8 + 0.1 + grain).clamp(0, 1) * 255).round() / 255


def render(name, images, values, seed=0, rows=None):
    """The operation on `images`, which stand in rows `rows` (default: all) of their batch."""
    rows = torch.arange(len(images)) if rows is None else rows
    draws = Draws(seed, 0, 0, (0,), int(rows.max()) + 1, CPU)
    u = draws.uniform(name, IMPLEMENTATIONS[name].slots)[rows]
    return IMPLEMENTATIONS[name].apply(
        images, u, values, lambda slot, shape: draws.field(name, rows, shape, slot)
    )


def strongest(parameter: Parameter) -> float:
    return parameter.low if parameter.identity == parameter.high else parameter.high


def values_at(name: str, share: float) -> dict[str, float]:
    """Every parameter that far between its identity and its strongest value."""
    values = {}
    for parameter in OPERATIONS[name].parameters:
        start = parameter.low if parameter.identity is None else parameter.identity
        value = start + (strongest(parameter) - start) * share
        values[parameter.name] = round(value) if parameter.integer else value
    return values


WITH_MAGNITUDE = [
    name for name, op in OPERATIONS.items() if any(p.identity is not None for p in op.parameters)
]
# The crop's ratio has a test of its own: how far apart the ratios of its boxes are.
MAGNITUDES = [
    (name, p)
    for name, op in OPERATIONS.items()
    for p in op.parameters
    if p.identity is not None and (name, p.name) != ("resized_crop", "ratio")
]
RANDOM = [name for name in OPERATIONS if IMPLEMENTATIONS[name].slots or name == "salt_and_pepper"]


def test_catalogue_and_implementations_name_the_same_operations():
    assert list(IMPLEMENTATIONS) == list(OPERATIONS)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_range_shape_and_type(name, shape):
    images = pictures(*shape)
    for share in (0.3, 1.0):
        out = render(name, images, values_at(name, share))
        assert out.shape == images.shape
        assert out.dtype == torch.float32
        assert out.isfinite().all()
        assert out.min() >= 0
        assert out.max() <= 1


@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("name", OPERATIONS)
def test_black_and_white_images_stay_finite_and_in_range(name, level):
    out = render(name, torch.full((2, 3, 32, 32), level), values_at(name, 1.0))
    assert out.isfinite().all()
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", WITH_MAGNITUDE)
def test_zero_strength_changes_nothing(name, shape):
    images = pictures(*shape)
    images[0, :, :2] = 1.0
    # Warps interpolate at positions that are whole pixels up to rounding.
    warps = ("rotation", "affine", "perspective")
    tolerance = 1e-4 if name in warps else 1e-6
    assert (render(name, images, values_at(name, 0.0)) - images).abs().max() <= tolerance


@pytest.mark.parametrize("name", OPERATIONS)
def test_rows_do_not_see_each_other(name):
    images, values = pictures(6, 3, 32, 32), values_at(name, 0.6)
    before = render(name, images, values)
    images[2] = 1 - images[2]
    after = render(name, images, values)
    others = [0, 1, 3, 4, 5]
    assert torch.equal(after[others], before[others])
    alone = render(name, images[3:4], values, rows=torch.tensor([3]))
    assert (alone[0] - after[3]).abs().max() <= 1e-6


@pytest.mark.parametrize("name", RANDOM)
def test_two_rows_of_one_image_differ(name):
    images = pictures(1, 3, 32, 32).repeat(12, 1, 1, 1)
    out = render(name, images, values_at(name, 0.6))
    assert any(not torch.equal(out[0], other) for other in out[1:])


@pytest.mark.parametrize(("name", "parameter"), MAGNITUDES, ids=lambda x: getattr(x, "name", x))
def test_effect_grows_with_strength(name, parameter):
    images = pictures(96, 3, 32, 32)
    idle = values_at(name, 0.0)
    effects = []
    for share in (0.0, 0.06, 0.25, 1.0):
        values = dict(idle)
        values[parameter.name] = parameter.identity + share * (
            strongest(parameter) - parameter.identity
        )
        if parameter.integer:
            values[parameter.name] = round(values[parameter.name])
        out = render(name, images, values)
        effects.append((out - images).abs().mean().item())
    assert effects[-1] > effects[0] + 1e-3
    assert all(later >= 0.95 * earlier for earlier, later in pairwise(effects))


@pytest.mark.parametrize("name", OPERATIONS)
def test_gate_opens_as_often_as_it_should(name):
    images = pictures(1, 3, 16, 16).repeat(400, 1, 1, 1)
    op = POLICY_OPS[name](op=name, p=0.3, **values_at(name, 1.0))
    out = apply_ops(images, [op], Draws(0, 0, 0, (0,), 400, CPU))
    changed = (out != images).flatten(1).any(1)
    drawn = Draws(0, 0, 0, (0,), 400, CPU).uniform(name, 1)[:, 0] < 0.3
    assert not changed[~drawn].any()
    assert changed[drawn].float().mean() > 0.7  # some draws, such as 8 bits, change nothing
    assert abs(drawn.float().mean() - 0.3) < 0.08


@pytest.mark.parametrize("name", [n for n, op in OPERATIONS.items() if op.colour_only])
def test_colour_operations_leave_grey_images_alone(name):
    images = pictures(4, 1, 32, 32)
    assert torch.equal(render(name, images, values_at(name, 1.0)), images)


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
