"""The executor: gates, order, groups, and numbers that nothing else moves."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

from augsearch.augment.baselines import BASELINES
from augsearch.augment.draws import Draws
from augsearch.augment.executor import check_images, plan, run_steps
from augsearch.errors import ConfigError, DataError
from augsearch.space.catalogue import OPERATIONS
from augsearch.space.policy import Policy

CPU = torch.device("cpu")


def pictures(n: int = 24, channels: int = 3) -> torch.Tensor:
    rng = np.random.default_rng(3)
    coarse = torch.from_numpy(rng.random((n, channels, 7, 7), dtype=np.float32))
    return torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")


def ops(*described):
    return Policy.model_validate({"ops": list(described)}).views[0]


def run(images, listed, *, seed=0, replicate=0, step=0, device=CPU):
    return run_steps(images, plan(listed), Draws(seed, replicate, step, (0,), len(images), device))


JITTER = {"op": "color_jitter", "p": 0.8, "brightness": 0.4, "hue": 0.1}
CROP = {"op": "resized_crop"}
EVERYTHING = [{"op": name, "p": 0.5} for name in OPERATIONS]


def test_same_seed_same_bits_and_each_key_changes_the_batch():
    images, listed = pictures(), ops(*EVERYTHING)
    first = run(images, listed)
    assert torch.equal(run(images, listed), first)
    for key in ("seed", "replicate", "step"):
        assert not torch.equal(run(images, listed, **{key: 1}), first)


def test_another_operation_moves_no_number_of_the_rest():
    images = pictures()
    without = run(images, ops(CROP, JITTER))
    blur = {"op": "gaussian_blur", "p": 0.5, "sigma": 0.1}
    added = run(images, ops(CROP, blur, {"op": "rotation", "p": 0.3}, JITTER))
    draws = Draws(0, 0, 0, (0,), len(images), CPU)
    untouched = (draws.uniform("gaussian_blur", 1)[:, 0] >= 0.5) & (
        draws.uniform("rotation", 1)[:, 0] >= 0.3
    )
    assert 3 < untouched.sum() < 21
    # Which rows an operation computes together may round a pixel otherwise; draws are exact.
    assert (added[untouched] - without[untouched]).abs().max() <= 1e-6


def test_a_gate_moves_no_number_of_what_it_lets_through():
    images = pictures()
    always = run(images, ops({"op": "rotation"}, {"op": "erasing", "area": 0.5}))
    half = run(images, ops({"op": "rotation", "p": 0.5}, {"op": "erasing", "area": 0.5}))
    opened = Draws(0, 0, 0, (0,), len(images), CPU).uniform("rotation", 1)[:, 0] < 0.5
    assert 3 < opened.sum() < 21
    assert (always[opened] - half[opened]).abs().max() <= 1e-6
    assert not torch.equal(always[~opened], half[~opened])


@pytest.mark.parametrize("name", BASELINES)
def test_batch_size_moves_no_number(name):
    images, listed = pictures(), BASELINES[name].views[0]
    assert (run(images[:5], listed) - run(images, listed)[:5]).abs().max() <= 1e-6


def test_both_views_in_one_pass_are_the_views_alone():
    images, listed = pictures(), ops(*EVERYTHING)
    both = run_steps(images.repeat(2, 1, 1, 1), plan(listed), Draws(0, 0, 0, (0, 1), 24, CPU))
    second = run_steps(images, plan(listed), Draws(0, 0, 0, (1,), 24, CPU))
    assert (both[:24] - run(images, listed)).abs().max() <= 1e-6
    assert (both[24:] - second).abs().max() <= 1e-6
    assert not torch.equal(both[:24], both[24:])


def test_operations_run_in_their_order():
    invert, gamma = {"op": "invert"}, {"op": "gamma", "gamma": 3.0}
    images = pictures()
    assert not torch.allclose(run(images, ops(invert, gamma)), run(images, ops(gamma, invert)))


def test_two_instances_of_one_operation_draw_separately():
    once = {"op": "gaussian_noise", "std": 0.1}
    images = torch.full((8, 1, 64, 64), 0.5)
    twice = run(images, ops(once, {**once, "name": "second"})) - 0.5
    first = run(images, ops(once)) - 0.5
    second = twice - first
    assert abs(np.corrcoef(first.flatten(), second.flatten())[0, 1]) < 0.03


def test_one_of_takes_one_member_per_sample_all_as_often():
    listed = ops(
        {
            "op": "one_of",
            "p": 0.75,
            "ops": [
                {"op": "invert"},
                {"op": "solarize", "name": "idle", "p": 0.0},
                {"op": "linear_illumination", "gain": 1.0, "p": 0.5},
            ],
        }
    )
    images = torch.full((3000, 1, 8, 8), 0.25)
    out = run(images, listed)
    inverted = (out == 0.75).flatten(1).all(1)
    unchanged = (out == images).flatten(1).all(1)
    lit = ~inverted & ~unchanged
    counts = [int(x.sum()) for x in (inverted, unchanged, lit)]
    expected = [3000 * share for share in (0.25, 0.25 + 0.25 + 0.125, 0.125)]
    assert stats.chisquare(counts, expected).pvalue > 1e-3


def test_all_operations_at_once_on_grey_and_colour():
    for channels in (1, 3):
        images = pictures(channels=channels)
        kept = images.clone()
        out = run(images, ops(*({"op": name} for name in OPERATIONS)))
        assert out.shape == images.shape
        assert 0 <= out.min() <= out.max() <= 1
        assert torch.equal(images, kept)


def test_global_generator_and_gradients_are_untouched():
    before = torch.get_rng_state()
    out = run(pictures().requires_grad_(), ops(*EVERYTHING))
    assert torch.equal(torch.get_rng_state(), before)
    assert not out.requires_grad


def test_an_empty_list_and_closed_gates_change_nothing():
    images = pictures()
    assert torch.equal(run(images, ()), images)
    assert torch.equal(run(images, ops({"op": "invert", "p": 0.0})), images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(4, 8, 8, 3), r"shape \[4, 8, 8, 3\]; want \[n, C, H, W\]"),
        (torch.rand(3, 8, 8), r"shape \[3, 8, 8\]"),
        (torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "type torch.uint8"),
        (torch.zeros(4, 3, 8, 8, dtype=torch.float64), "type torch.float64"),
        (torch.full((4, 3, 8, 8), float("nan")), "from nan to nan"),
        (torch.full((4, 3, 8, 8), 255.0), "from 255 to 255"),
    ],
    ids=["channels", "dimensions", "uint8", "float64", "nan", "range"],
)
def test_images_of_another_form_are_refused(images, message):
    with pytest.raises(DataError, match=message):
        check_images(images)


def test_an_operation_without_implementation_is_refused():
    unknown = SimpleNamespace(
        op="sepia", instance="sepia", p=1.0, values=dict, is_identity=lambda: False
    )
    with pytest.raises(ConfigError, match=r"operation 'sepia' has no implementation; there are: "):
        run(pictures(), [unknown])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("name", BASELINES)
def test_cuda_renders_what_the_cpu_renders(name):
    images, listed = pictures(), BASELINES[name].views[0]
    on_cuda = run(images.cuda(), listed, device=torch.device("cuda")).cpu()
    # Steps such as posterize turn a rounding into a grey level; few pixels may.
    assert ((on_cuda - run(images, listed)).abs() > 1e-3).float().mean() < 1e-3
