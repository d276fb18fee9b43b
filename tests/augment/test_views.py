"""From a batch to two views."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from reference_views import two_views

from augsearch.augment.baselines import simclr
from augsearch.augment.build import Renderer
from augsearch.augment.ops.resample import resize
from augsearch.errors import DataError
from augsearch.space.policy import Policy


def batch(*shape: int) -> torch.Tensor:
    return torch.randint(
        0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def policy(**sections) -> Policy:
    return Policy.model_validate(sections)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(32, 32), (48, 48), (24, 40), (20, 20)], ids=str)
@pytest.mark.parametrize(
    "chosen",
    [simclr(1), policy(ops=[{"op": "gamma"}, {"op": "resized_crop"}]), policy(ops=[])],
    ids=["crop first", "crop later", "empty"],
)
def test_views_have_the_promised_form(chosen, size, channels):
    for view in two_views(chosen, batch(5, channels, *size), 32, seed=0):
        assert view.shape == (5, channels, 32, 32)
        assert view.dtype == torch.float32
        assert view.is_contiguous(memory_format=torch.channels_last)
        assert 0 <= view.min() <= view.max() <= 1


def test_uint8_and_float_input_give_the_same_views():
    images = batch(6, 3, 32, 32)
    whole = two_views(simclr(1), images, 32, seed=0)
    floats = two_views(simclr(1), images.float() / 255, 32, seed=0)
    assert all(map(torch.equal, whole, floats))
    with pytest.raises(DataError, match="from 0 to 255"):
        two_views(simclr(1), images.float().clamp(0, 255).index_fill(2, torch.tensor([0]), 0.0)
                  .index_fill(2, torch.tensor([1]), 255.0), 32, seed=0)  # fmt: skip


def test_a_leading_crop_is_cut_from_the_larger_image():
    fine = (torch.arange(128) % 2 * 255).to(torch.uint8).expand(40, 1, 128, 128)  # 1-pixel stripes
    crop = {"op": "resized_crop", "scale_min": 0.05}
    first, _ = two_views(policy(ops=[crop]), fine, 32, seed=0)
    # Small crops show the stripes, which a resize to 32 pixels before the crop would wash out.
    contrast = first.flatten(1).std(1)
    assert contrast.max() > 0.2
    washed, _ = two_views(policy(ops=[{"op": "horizontal_flip"}, crop]), fine, 32, seed=0)
    assert washed.flatten(1).std(1).max() < 0.05


def test_where_the_gate_of_a_leading_crop_is_closed_the_image_is_resized():
    images = batch(40, 3, 64, 64)
    first, _ = two_views(policy(ops=[{"op": "resized_crop", "p": 0.5}]), images, 32, seed=0)
    whole = resize(images.float() / 255, (32, 32))
    same = (first - whole).abs().flatten(1).amax(1) < 1e-5
    assert 8 < same.sum() < 32


def test_a_leading_crop_draws_the_same_boxes_at_the_views_own_size():
    """The direct crop and the ordinary operation agree where both are defined."""
    images = batch(16, 3, 32, 32)
    crop = {"op": "resized_crop", "p": 0.5}
    direct, _ = two_views(policy(ops=[crop]), images, 31, seed=0)
    ordinary, _ = two_views(policy(ops=[crop]), images, 32, seed=0)
    assert (resize(ordinary.contiguous(), (31, 31)) - direct).abs().mean() < 0.05


def test_separate_lists_are_drawn_as_a_shared_list_is():
    images = batch(8, 3, 32, 32)
    shared = simclr(1)
    separate = Policy(view1=shared.ops, view2=shared.ops)
    for one, other in zip(
        two_views(shared, images, 32, seed=0), two_views(separate, images, 32, seed=0), strict=True
    ):
        assert (one - other).abs().max() <= 1e-6


def test_each_view_has_its_own_operations():
    images = batch(4, 3, 32, 32)
    chosen = policy(view1=[{"op": "invert"}], view2=[])
    first, second = two_views(chosen, images, 32, seed=0)
    assert torch.allclose(first, 1 - second)


def near(views, others):
    """Alike up to rounding, and to blurs that are skipped as too weak to see."""
    return all((a - b).abs().max() < 1e-4 for a, b in zip(views, others, strict=True))


def test_the_module_counts_its_calls():
    images = batch(4, 3, 40, 40)
    module: Any = simclr(1).build(image_size=32, seed=5)
    first, later = module(images), module(images)
    assert not torch.equal(first[0], later[0])
    assert near(later, two_views(simclr(1), images, 32, seed=5, step=1))
    module.set_step(0)
    assert all(map(torch.equal, module(images), first))
    assert module.state_dict() == {"_extra_state": {"step": 1, "starts": {}}}


def test_the_module_in_evaluation_mode_only_resizes():
    images = batch(4, 3, 40, 40)
    module = simclr(1).build(image_size=32).eval()
    first, second = module(images)
    assert torch.equal(first, second)
    assert torch.equal(first, resize(images.float() / 255, (32, 32)))


def test_the_view_function_of_the_training_loop():
    images = batch(4, 1, 32, 32)
    views_of = Renderer.build(simclr(0.5)).function(3, 2)
    assert near(
        views_of(images, 7), two_views(simclr(0.5), images, 32, seed=3, replicate=2, step=7)
    )
    assert not torch.equal(views_of(images, 7)[0], views_of(images, 8)[0])
    small, _ = Renderer.build(simclr(0.5)).function(3, 2, image_size=16)(images, 0)
    assert small.shape == (4, 1, 16, 16)
