"""What an operation does to large images, seen on small ones, is what it does to small ones."""

from __future__ import annotations

import json
import sys
import warnings
from functools import cache
from types import ModuleType

import pytest
import torch

from augsearch.augment.build import Renderer, build_views
from augsearch.augment.draws import Draws
from augsearch.augment.export.export import export_policy
from augsearch.augment.export.to_torchvision import WITHOUT_TORCHVISION
from augsearch.augment.ops import grain
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.errors import CarryOverWarning
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.handbook.carry_over import CARRY_OVER_FILE, carry_over_note
from augsearch.space.policy import FoundOn, Policy
from augsearch.testing.carry_over import (
    BOUNDS,
    REFERENCE,
    carried_share,
    natural_pictures,
    typical_values,
)

GRAINED = [name for name, operation in OPERATIONS.items() if operation.grained]
CPU = torch.device("cpu")


@cache
def pictures(size: int, n: int = 8) -> torch.Tensor:
    return grain.resized(natural_pictures(n, 3, 224), size, size)


def share(name, size, n=8, **values):
    values = typical_values(OPERATIONS[name]) | values
    return carried_share(name, IMPLEMENTATIONS[name], values, pictures(size, n))


def one_op(name, **values):
    values = typical_values(OPERATIONS[name]) | values
    return Policy.model_validate({"ops": [{"op": name, **values}]})


def found_at(policy, size):
    """The policy, which says that it was found on images of that size."""
    where = FoundOn(image_size=size, fit="crop", mean=(0.5,), std=(0.2,))
    return policy.model_copy(update={"found_on": where})


def exported(policy, target, size):
    """The exported file, run."""
    module = sys.modules["exported"] = ModuleType("exported")  # dataclasses look there
    source = export_policy(policy, target, size)
    exec(compile(source, "exported.py", "exec", dont_inherit=True), vars(module))
    return module


@pytest.mark.parametrize("size", [96, 224])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_carries_over_or_says_that_it_does_not(name, size):
    low, high = BOUNDS
    if name == "gaussian_blur":  # the default sigma is a third of a pixel at 32
        assert share(name, size) > high
        assert OPERATIONS[name].limits
        assert "gaussian_blur" in carry_over_note(found_at(one_op(name), REFERENCE), size)
    else:
        assert low <= share(name, size) <= high
        assert carry_over_note(found_at(one_op(name), REFERENCE), size) == ""


def test_a_blur_of_a_pixel_carries_over():
    for sigma in (1.0, 2.0):
        assert BOUNDS[0] <= share("gaussian_blur", 96, 24, sigma=sigma / REFERENCE) <= BOUNDS[1]
        policy = found_at(one_op("gaussian_blur", sigma=sigma / REFERENCE), REFERENCE)
        assert carry_over_note(policy, 224) == ""


@pytest.mark.parametrize("name", [name for name in GRAINED if name != "salt_and_pepper"])
@pytest.mark.parametrize("size", [45, 100])
def test_cells_need_not_be_whole_pixels(name, size):
    assert 0.9 <= share(name, size) <= 1.1


@pytest.mark.parametrize(("size", "said"), [(48, True), (100, True), (128, False), (200, False)])
def test_dead_pixels_say_where_their_cells_are_no_whole_pixels(size, said):
    assert (share("salt_and_pepper", size) < BOUNDS[0]) == said
    for found, used in ((REFERENCE, size), (size, 224)):
        note = carry_over_note(found_at(one_op("salt_and_pepper"), found), used)
        assert bool(note) == said
        assert not said or f"no whole pixels at {size}" in note


def test_the_table_in_the_docs_is_what_is_measured():
    stored = json.loads(CARRY_OVER_FILE.read_text())
    assert list(stored["ops"]) == list(OPERATIONS)
    for name in OPERATIONS:
        row = stored["ops"][name]
        assert share(name, 96, stored["count"]) == pytest.approx(row["spectrum"]["96"], rel=0.02)
        if name != "gaussian_blur":
            ratios = [ratio for sizes in row.values() for ratio in sizes.values()]
            assert all(BOUNDS[0] <= ratio <= BOUNDS[1] for ratio in ratios), name


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize(("coarse", "fine"), [(32, 224), (32, 100), (32, 33), (4, 5), (48, 336)])
def test_what_is_enlarged_comes_back(coarse, fine, smooth):
    there = grain.enlarging(coarse, fine, CPU, smooth=smooth)
    back = grain.averaging(fine, coarse, CPU)
    assert (back @ there - torch.eye(coarse)).abs().max() < 1e-4
    assert back.sum(1).allclose(torch.ones(coarse))
    assert there.sum(1).allclose(torch.ones(fine), atol=1e-4)


def test_noise_keeps_its_variance_in_whole_cells():
    cells = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pixels = grain.spread(cells, 224, 224)
    assert pixels.allclose(cells.repeat_interleave(7, 2).repeat_interleave(7, 3), atol=1e-5)


@pytest.mark.parametrize(
    ("height", "width", "share", "cells"),
    [
        (32, 32, 1 / 32, (32, 32)),
        (32, 47, 1 / 32, (32, 47)),
        (224, 448, 1 / 32, (32, 64)),
        (100, 150, 1 / 32, (32, 48)),
        (224, 224, 0.004464, (224, 224)),
        (16, 24, 1 / 32, (32, 48)),
    ],
)
def test_cells_are_shares_of_the_shorter_side(height, width, share, cells):
    assert grain.grid_of(torch.empty(1, 3, height, width), share) == cells


def test_where_a_cell_is_a_pixel_nothing_is_resampled():
    images, seen = pictures(32), []

    def compute(given):
        seen.append(given)
        return given

    for fine in (True, False):
        assert grain.carried(images, 1 / 32, compute, fine=fine) is images
    assert all(one is images for one in seen)
    assert grain.spread(images, 32, 32) is images


@pytest.mark.parametrize("name", GRAINED)
def test_pixels_are_drawn_for_cells_alone(name):
    """At 224 an operation asks for no more numbers than at 32."""

    def drawn(size):
        asked = []

        def field(slot, shape):
            asked.append(shape)
            return torch.full((2, *shape), 0.3)

        u = torch.full((2, IMPLEMENTATIONS[name].slots), 0.6)
        values = typical_values(OPERATIONS[name])
        IMPLEMENTATIONS[name].apply(pictures(size)[:2].clone(), u, values, field)
        return asked

    assert drawn(224) == drawn(32)


@pytest.mark.parametrize("name", ["gaussian_noise", "salt_and_pepper", "rain"])
@pytest.mark.parametrize("size", [(16, 16), (24, 40)], ids=str)
def test_cells_finer_than_pixels_average_out(name, size):
    """What is drawn is what the grid would be, averaged over pixels."""
    grey = torch.full((6, 3, *size), 0.5)
    values = typical_values(OPERATIONS[name])
    draws, rows = Draws(0, 0, 0, (0,), 6, CPU), torch.arange(6)

    def effect(images):
        out = IMPLEMENTATIONS[name].apply(
            images.clone(),
            draws.uniform(name, IMPLEMENTATIONS[name].slots),
            values,
            lambda slot, shape: draws.field(name, rows, shape, slot),
        )
        return out - images

    cells = effect(torch.full((6, 3, *grain.grid_of(grey, values["grain"])), 0.5))
    seen = grain.resized(cells, *size)
    assert (effect(grey) - seen).abs().max() < 1e-5
    assert seen.square().mean() < 0.6 * cells.square().mean()


@pytest.mark.parametrize("size", [48, 100])
def test_both_executors_work_on_the_same_cells(size):
    images = (pictures(size) * 255).round().byte()
    for name in GRAINED:
        reference, fused = (
            Renderer.build(one_op(name), executor)(images, size, seed=3)
            for executor in ("kornia", "auto")
        )
        assert (reference - fused).abs().mean() < 5e-4, name


@pytest.mark.parametrize("name", [name for name in GRAINED if name not in WITHOUT_TORCHVISION])
def test_exported_transforms_work_on_cells(name):
    def seen(size):
        images = pictures(size)
        transform = exported(one_op(name), "torchvision", size).build_transform()
        torch.manual_seed(1)
        out = torch.stack([transform(image)[0] for image in images])
        return grain.resized(out - images, REFERENCE, REFERENCE).square().mean().sqrt()

    assert 0.85 <= seen(96) / seen(REFERENCE) <= 1.15


def test_an_exported_kornia_file_has_our_views_on_cells():
    ops = [{"op": name, "p": 0.7, **typical_values(OPERATIONS[name])} for name in GRAINED]
    policy = Policy.model_validate({"ops": ops})
    theirs = exported(policy, "kornia", 48).build_views(seed=5)(pictures(48))
    ours = policy.build(48, seed=5, executor="kornia")(pictures(48))
    for a, b in zip(theirs, ours, strict=True):
        assert torch.equal(a, b)


AT_32 = {"image_size": 32, "fit": "crop", "mean": [0.5], "std": [0.2]}
FOUND = {"ops": [{"op": "gaussian_blur", "sigma": 0.009}], "found_on": AT_32, "name": "mine"}


@pytest.mark.parametrize("build", [build_views, Policy.build])
def test_building_at_another_size_says_what_need_not_mean_the_same(build):
    policy = Policy.model_validate(FOUND)
    with pytest.warns(CarryOverWarning) as caught:
        build(policy, 224)
    (warning,) = caught
    assert str(warning.message) == (
        "policy 'mine' was found at 32 pixels and is used at 224, where it need not mean the same: "
        "gaussian_blur has a sigma of at most 0.29 pixels at 32, where it blurs less than at 224"
    )
    assert warning.filename == __file__
    assert str(warning.message) in " ".join(
        line.removeprefix("# ") for line in export_policy(policy, "kornia", 224).splitlines()
    )


@pytest.mark.parametrize(
    "policy",
    [
        FOUND | {"found_on": AT_32 | {"image_size": 224}},
        {"ops": FOUND["ops"]},
        FOUND | {"ops": [{"op": "gaussian_blur", "sigma": 0.05}]},
        FOUND | {"ops": [{"op": "gaussian_blur", "p": 0.0}]},
        FOUND | {"ops": [{"op": "jpeg"}, {"op": "gaussian_noise"}]},
    ],
    ids=["the same size", "size not known", "wide", "gate closed", "grained"],
)
def test_nothing_is_said_of_what_carries_over(policy):
    built = Policy.model_validate(policy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built.build(224)
    assert "need not mean" not in export_policy(built, "kornia", 224)


def test_members_of_groups_and_operations_of_ones_own_are_named(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from augsearch import CustomOp\n"
        "darken = CustomOp('Darken.', (), 0, lambda images, u, values, field: images / 2)\n"
    )
    members = [{"op": "gaussian_blur", "name": "soft"}, {"op": "invert"}]
    ops = [
        {"op": "one_of", "ops": members},
        {"op": "custom", "of": f"{tmp_path / 'mine.py'}:darken"},
    ]
    note = carry_over_note(found_at(Policy.model_validate({"ops": ops}), 96), 48)
    assert "soft has a sigma of at most 0.48 pixels at 48, where it blurs less than at 96" in note
    assert "darken is code of your own" in note
    assert "invert" not in note
