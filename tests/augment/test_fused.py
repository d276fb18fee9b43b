"""The fused executor draws what the reference draws, and renders it as well or better."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest
import torch

from augsearch.augment.baselines import BASELINES
from augsearch.augment.build import Renderer
from augsearch.augment.draws import Draws
from augsearch.augment.fused.coordinates import COORDINATES
from augsearch.augment.fused.plan import fuse, run_fused
from augsearch.augment.fused.pointwise import POINTWISE
from augsearch.augment.fused.smoothing import blur_by_matrix, blur_by_sum, weights
from augsearch.augment.views import plan_views
from augsearch.errors import ConfigError, DataError
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config, preset_names
from augsearch.space.searched import Range
from augsearch.space.space import load_space
from augsearch.testing.ops import pictures

LEVEL = 1 / 255
KNOWN = [*COORDINATES, *POINTWISE, "gaussian_blur"]
# Each of these moves pixels off their grid, where the reference samples once for each of them.
SAMPLING = ("resized_crop", "rotation", "affine", "perspective", "fisheye")


def policy(*ops, **views):
    return Policy.model_validate({"ops": list(ops)} if ops else views)


def bytes_of(n: int, channels: int, height: int, width: int) -> torch.Tensor:
    return (pictures(n, channels, height, width) * 255).round().to(torch.uint8)


def both(chosen: Policy, images: torch.Tensor, size: int = 32, **key):
    """The views by the reference and by the fused executor."""
    key = {"seed": 0, **key}
    return (
        Renderer.build(chosen, "kornia")(images, size, **key),
        Renderer.build(chosen, "auto")(images, size, **key),
    )


def strong(name: str, share: float = 0.8) -> dict[str, float]:
    values = {}
    for p in OPERATIONS[name].parameters:
        start = p.low if p.identity is None else p.identity
        far = p.low if p.identity == p.high else p.high
        values[p.name] = start + (far - start) * share
        if p.integer:
            values[p.name] = round(values[p.name])
    return values


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", KNOWN)
def test_every_known_operation_agrees_with_the_reference(name, channels):
    reference, fused = both(
        policy({"op": name, "p": 0.7, **strong(name)}), bytes_of(48, channels, 32, 32)
    )
    assert (reference - pictures(48, channels, 32, 32).repeat(2, 1, 1, 1)).abs().max() > 0.01 or (
        channels == 1 and OPERATIONS[name].colour_only
    )
    gap = (reference - fused).abs()
    # A perspective sends pixels at its horizon infinitely far; mirrored back, rounding decides.
    assert (gap > 1e-4).float().mean() <= (0.002 if name == "perspective" else 0)
    assert fused.min() >= 0
    assert fused.max() <= 1
    assert fused.is_contiguous(memory_format=torch.channels_last)


def random_policy(number: int) -> Policy:
    """Every other one from a preset, the rest any operations in any order."""
    source = random.Random(number)
    if number % 2:
        names = preset_names("spaces")
        space = load_space(find_config(names[number // 2 % len(names)], "spaces"))
        point = {
            axis.name: source.uniform(axis.form.low, axis.form.high)
            if isinstance(axis.form, Range)
            else source.choice(axis.form.choices)
            for axis in space.axes()
        }
        return space.policy(point)
    names = source.sample(KNOWN, source.randint(1, 6))
    ops = [{"op": n, "p": source.random(), **strong(n, source.random())} for n in names]
    if len(ops) > 3:
        ops[1:] = [ops[1], {"op": "one_of", "ops": ops[2:]}]
    return policy(*ops)


def samplings(chosen: Policy) -> int:
    """How many operations move pixels off their grid, in the view with most of them."""
    walked = [[op, *getattr(op, "ops", ())] for ops in chosen.views for op in ops]
    return sum(op.op in SAMPLING for ops in walked for op in ops)


@pytest.mark.long
def test_random_policies_agree_with_the_reference_within_two_levels():
    """As good as exactly, unless pixels are sampled once instead of several times."""
    images = bytes_of(4, 3, 32, 32)
    gaps: dict[bool, list[float]] = {True: [], False: []}
    for number in range(260):
        chosen = random_policy(number)
        reference, fused = both(chosen, images, seed=number)
        gaps[samplings(chosen) > 1].append(float((reference - fused).abs().mean()) / LEVEL)
    assert max(gaps[False]) <= 0.001
    assert max(gaps[True]) <= 2
    assert np.mean(gaps[True]) <= 0.5
    assert min(map(len, gaps.values())) >= 60


def scene(n: int, size: int) -> torch.Tensor:
    """The same smooth pictures at any resolution, band-limited well below 32 pixels."""
    rng = np.random.default_rng(0)
    place = (torch.arange(size) + 0.5) / size
    y, x = torch.meshgrid(place, place, indexing="ij")
    picture = torch.zeros(n, 3, size, size)
    for _ in range(24):
        wave = torch.from_numpy(rng.uniform(-11, 11, (2, n, 3, 1, 1)).astype(np.float32))
        phase = torch.from_numpy(rng.uniform(0, 1, (n, 3, 1, 1)).astype(np.float32))
        picture += torch.cos(2 * np.pi * (wave[0] * x + wave[1] * y + phase))
    return (picture / 24 + 0.5).clamp(0, 1)


def test_one_sampling_is_nearer_to_the_truth_than_three():
    """The truth: the same policy at eight times the resolution, averaged down afterwards."""
    fine = scene(16, 256)
    coarse = torch.nn.functional.avg_pool2d(fine, 8)
    chosen = policy(
        {"op": "rotation", "degrees": 30},
        {"op": "affine", "translate": 0.1, "zoom": 1.2, "shear": 10},
        {"op": "rotation", "name": "again", "degrees": 20},
    )
    truth = Renderer.build(chosen, "kornia")(fine, 256, seed=1)
    truth = torch.nn.functional.avg_pool2d(truth, 8)[..., 4:-4, 4:-4]
    reference, fused = both(chosen, coarse, seed=1)
    errors = [
        float((views[..., 4:-4, 4:-4] - truth).abs().mean()) / LEVEL for views in (reference, fused)
    ]
    assert errors[1] < 0.8 * errors[0], errors


@pytest.mark.parametrize("shape", [(48, 48), (64, 40), (24, 24), (20, 50), (32, 32)])
def test_sources_of_any_size_become_views_of_the_size(shape):
    images = bytes_of(6, 3, *shape)
    jitter, crop = {"op": "color_jitter", "hue": 0.1}, {"op": "resized_crop", "p": 0.7}
    for ops in ([crop, {"op": "horizontal_flip", "p": 0.5}, jitter], [jitter]):
        reference, fused = both(policy(*ops), images)
        assert fused.shape == (12, 3, 32, 32)
        assert (reference - fused).abs().max() < 1e-4


@pytest.mark.parametrize("name", BASELINES)
def test_the_views_of_a_batch_do_not_depend_on_its_size(name):
    images = bytes_of(70, 3, 32, 32)
    renderer = Renderer.build(BASELINES[name])
    whole, part = renderer(images, 32, seed=3), renderer(images[:7], 32, seed=3)
    assert (whole[:7] - part[:7]).abs().max() < 1e-6
    assert (whole[70:77] - part[7:]).abs().max() < 1e-6
    assert torch.equal(whole, renderer(images, 32, seed=3))


def test_views_with_operations_of_their_own():
    chosen = policy(
        view1=[{"op": "resized_crop"}, {"op": "invert"}], view2=[{"op": "gaussian_noise"}]
    )
    reference, fused = both(chosen, bytes_of(5, 3, 32, 32))
    assert (reference - fused).abs().max() < 1e-5


def test_a_policy_without_operations_only_resizes():
    images = bytes_of(3, 1, 32, 32)
    _, fused = both(policy(view1=[], view2=[]), images)
    assert torch.equal(fused, (images.float() / 255).repeat(2, 1, 1, 1))


def test_images_given_as_floats_are_left_as_they_are():
    images = pictures(4, 3, 32, 32)
    before = images.clone()
    Renderer.build(policy({"op": "invert"}, {"op": "color_jitter", "hue": 0.5}))(images, 32, seed=0)
    assert torch.equal(images, before)


def test_what_is_done_last_is_done_to_both_views():
    images = bytes_of(4, 3, 32, 32)
    for executor in ("kornia", "fused"):
        renderer = Renderer.build(policy({"op": "invert"}), executor)
        plain = renderer(images, 32, seed=0)
        doubled = renderer(images, 32, seed=0, finish=lambda pixels: pixels.mul_(2))
        assert torch.equal(doubled, 2 * plain)


def test_mixed_precision_leaves_the_pixels_alone():
    images = bytes_of(4, 3, 48, 48)
    renderer = Renderer.build(
        policy({"op": "resized_crop"}, {"op": "gaussian_blur", "sigma": 0.09})
    )
    plain = renderer(images, 32, seed=0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(renderer(images, 32, seed=0), plain)


def test_what_it_does_not_know_runs_on_the_reference_and_is_named():
    chosen = policy({"op": "resized_crop"}, {"op": "clahe", "p": 0.5}, {"op": "equalize"})
    renderer = Renderer.build(chosen)
    assert renderer.fallbacks == ("clahe", "equalize")
    assert renderer.executor == "fused; kornia: clahe, equalize"
    reference, fused = both(chosen, bytes_of(6, 3, 32, 32))
    assert (reference - fused).abs().mean() < 0.5 * LEVEL  # a pixel may change its histogram's bin
    assert Renderer.build(chosen, "kornia").executor == "kornia"
    assert Renderer.build(BASELINES["SimCLR s=1"], "fused").executor == "fused"
    with pytest.raises(ConfigError, match=r"does not know clahe, equalize; use `executor: auto`"):
        Renderer.build(chosen, "fused")


@pytest.mark.parametrize("executor", ["kornia", "fused"])
@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(2, 8, 8, 3, dtype=torch.uint8), r"shape \[2, 8, 8, 3\]"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), r"shape \[3, 8, 8\]"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.float64), "type torch.float64"),
        (torch.full((2, 3, 8, 8), 2.0), "run from 2 to 2"),
        (torch.full((2, 3, 8, 8), torch.nan), "run from nan"),
    ],
)
def test_images_of_another_form_are_refused(executor, images, words):
    with pytest.raises(DataError, match=words):
        Renderer.build(policy({"op": "invert"}), executor)(images, 8, seed=0)


def test_both_ways_of_blurring_agree():
    images = pictures(5, 3, 32, 32)
    for radius in (1, 4, 31):
        weight = weights(torch.linspace(0.001, radius / 3, 5), radius)
        assert (blur_by_sum(images, weight) - blur_by_matrix(images, weight)).abs().max() < 1e-5


FUSED_ONLY = policy(*({"op": name, "p": 0.5, **strong(name)} for name in KNOWN))


@pytest.mark.parametrize("size", [32, 48])
def test_nothing_waits_for_the_device(size):
    """On `meta` tensors, which hold no numbers, whatever looked at one would raise."""
    plans = [fuse(steps) for steps in plan_views(FUSED_ONLY).lists]
    assert plans[0].fallbacks == ()
    images = torch.empty(8, 3, size, size, dtype=torch.uint8, device="meta")

    def draws_of(views):
        return Draws(0, 0, 0, views, 8, images.device)

    with torch.no_grad():
        assert run_fused(plans, images, 32, draws_of).shape == (16, 3, 32, 32)
        looking = [fuse(plan_views(policy({"op": "clahe"})).lists[0])]
        with pytest.raises((NotImplementedError, RuntimeError)):
            run_fused(looking, images, 32, draws_of)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_colour_is_the_same_and_one_graph_serves_all_policies():
    images = bytes_of(40, 3, 32, 32)
    graphs = []
    torch._dynamo.reset()
    for values in ({"hue": 0.3}, {"brightness": 0.5, "contrast": 0.2}, {"saturation": 0.9}):
        chosen = policy({"op": "color_jitter", "p": 0.7, **values})
        plain = Renderer.build(chosen)(images, 32, seed=0)
        compiled = Renderer.build(chosen, compile=True)(images, 32, seed=0)
        assert (plain - compiled).abs().max() < 1e-5
        graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
    assert graphs == [graphs[0]] * 3
    assert graphs[0] >= 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_nothing_waits_for_a_cuda_device():
    images = bytes_of(8, 3, 48, 48).cuda()
    renderer = Renderer.build(FUSED_ONLY, "fused")
    renderer(images, 32, seed=0)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        views = renderer(images, 32, seed=0, step=1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    here = renderer(images.cpu(), 32, seed=0, step=1)
    assert (views.cpu() - here).abs().mean() < LEVEL
