"""Draws: one number, one purpose; the same bits whatever else is drawn."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from scipy import stats

from augsearch.augment.draws import Draws, gaussian, mix_bits

CPU = torch.device("cpu")


def make(*, seed=0, replicate=0, step=0, views=(0, 1), rows=64, device=CPU) -> Draws:
    return Draws(seed, replicate, step, views, rows, device)


def reference_mix(x: np.ndarray) -> np.ndarray:
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x85EBCA6B)
    x = x ^ (x >> np.uint32(13))
    x = x * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def test_int32_arithmetic_wraps_like_unsigned_integers():
    bits = np.random.default_rng(0).integers(0, 2**32, 10_001, dtype=np.uint64).astype(np.uint32)
    mixed = mix_bits(torch.from_numpy(bits.view(np.int32)))
    assert np.array_equal(mixed.numpy().view(np.uint32), reference_mix(bits))


def test_uniform_is_the_documented_hash():
    digest = hashlib.blake2b(b"3|1|7|color_jitter", digest_size=8).digest()
    row_key, slot_key = np.frombuffer(digest, dtype="<u4")
    view, row, slot = 1, 5, 2
    counter = np.array([row + (view << 28)], dtype=np.uint32)
    bits = reference_mix(
        reference_mix(counter ^ row_key)
        ^ reference_mix(np.array([slot], dtype=np.uint32) ^ slot_key)
    )
    drawn = make(seed=3, replicate=1, step=7, rows=10).uniform("color_jitter", 4)
    assert drawn[10 + row, slot].item() == int(bits[0] >> 8) / 2**24


@pytest.mark.parametrize("change", ["seed", "replicate", "step"])
def test_each_part_of_the_key_changes_every_row(change):
    changed = make(**{change: 1}).uniform("op", 2)
    assert (changed != make().uniform("op", 2)).float().mean() > 0.99


def test_batch_size_slots_and_other_views_move_no_number():
    large = make(rows=64).uniform("op", 5)
    small = make(rows=16).uniform("op", 3)
    assert torch.equal(small[:16], large[:16, :3])
    assert torch.equal(small[16:], large[64:80, :3])
    assert torch.equal(make(views=(1,)).uniform("op", 5), large[64:])


def test_field_of_some_rows_is_those_rows_of_the_whole_field():
    draws = make(rows=20)
    rows = torch.tensor([3, 17, 39])
    every = draws.field("noise", torch.arange(40), (3, 8, 8), slot=1)
    assert torch.equal(draws.field("noise", rows, (3, 8, 8), slot=1), every[rows])
    assert not torch.equal(draws.field("noise", rows, (3, 8, 8), slot=2), every[rows])


def test_numbers_are_uniform():
    drawn = make(rows=4096).uniform("gaussian_blur", 4)
    for column in drawn.T:
        assert stats.kstest(column.numpy(), "uniform").pvalue > 1e-3
    steps = np.array([make(step=i, rows=1).uniform("op", 1)[0, 0].item() for i in range(4000)])
    assert stats.kstest(steps, "uniform").pvalue > 1e-3
    field = make(rows=4).field("noise", torch.arange(8), (64, 64))
    assert stats.kstest(field.flatten().numpy(), "uniform").pvalue > 1e-3
    assert drawn.min() >= 0
    assert drawn.max() < 1


def pairs() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    draws = make(rows=8192)
    op = draws.uniform("op", 2)
    field = draws.field("op", torch.tensor([0, 1]), (8192,))
    return {
        "neighbouring slots": (op[:, 0], op[:, 1]),
        "neighbouring rows": (op[:-1, 0], op[1:, 0]),
        "views": (op[:8192, 0], op[8192:, 0]),
        "operations": (op[:, 0], draws.uniform("op2", 1)[:, 0]),
        "steps": (op[:, 0], make(step=1, rows=8192).uniform("op", 1)[:, 0]),
        "seeds": (op[:, 0], make(seed=1, rows=8192).uniform("op", 1)[:, 0]),
        "field rows": (field[0], field[1]),
        "neighbouring pixels": (field[0, :-1], field[0, 1:]),
    }


@pytest.mark.parametrize("kind", pairs())
def test_numbers_for_different_purposes_are_independent(kind):
    first, second = (numbers.numpy() for numbers in pairs()[kind])
    counts, _, _ = np.histogram2d(first, second, bins=8, range=[[0, 1], [0, 1]])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_gaussian_numbers():
    extremes = gaussian(torch.tensor([0.0, 0.5, 1 - 2.0**-24]))
    assert extremes.isfinite().all()
    assert extremes[0] == -extremes[2]
    normal = gaussian(make(rows=1).field("noise", torch.tensor([0]), (20_000,)))
    assert stats.kstest(normal[0].numpy(), "norm").pvalue > 1e-3


def test_global_generators_are_untouched():
    before = torch.get_rng_state()
    make().uniform("op", 3)
    make().field("op", torch.arange(4), (3, 8, 8))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_the_same_bits_on_cuda():
    cuda = make(device=torch.device("cuda"))
    assert torch.equal(cuda.uniform("op", 9).cpu(), make().uniform("op", 9))
    rows = torch.arange(0, 128, 3)
    field = cuda.field("op", rows.cuda(), (3, 32, 32), 2)
    assert torch.equal(field.cpu(), make().field("op", rows, (3, 32, 32), 2))
