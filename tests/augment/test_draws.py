"""Draws: one number, one purpose; the same bits whatever else is drawn."""

from __future__ import annotations

import hashlib
from functools import cache

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


def one_by_one(vary) -> torch.Tensor:
    """The first number of row 0 of 4096 different draws or operations."""
    return torch.tensor([vary(i).item() for i in range(4096)])


def small(name="op", **key) -> torch.Tensor:
    return make(rows=1, **key).uniform(name, 1)[0, 0]


def noise(rows: int, *shape: int) -> torch.Tensor:
    return make(rows=rows).field("noise", torch.arange(rows), shape)


# Long runs of numbers, along everything that a number is for; drawn when they are tested.
COLUMNS = {
    "rows": lambda: make(rows=16384).uniform("op", 1)[:16384, 0],
    "rows of the second slot": lambda: make(rows=16384).uniform("op", 2)[:16384, 1],
    "rows of the second view": lambda: make(rows=16384).uniform("op", 1)[16384:, 0],
    "slots": lambda: make(rows=1).uniform("op", 16384)[0],
    "everything of a small batch": lambda: make(rows=256).uniform("op", 32).flatten(),
    "seeds": lambda: one_by_one(lambda i: small(seed=i)),
    "replicates": lambda: one_by_one(lambda i: small(replicate=i)),
    "steps": lambda: one_by_one(lambda i: small(step=i)),
    "operations": lambda: one_by_one(lambda i: small(f"op{i}")),
    "pixels": lambda: noise(1, 3, 64, 64).flatten(),
    "pixels down": lambda: noise(1, 3, 64, 64).mT.flatten(),
    "a pixel's rows": lambda: noise(16384, 1).flatten(),
}


@cache
def column(along: str) -> np.ndarray:
    return COLUMNS[along]().numpy()


@pytest.mark.long
@pytest.mark.parametrize("along", COLUMNS)
def test_numbers_are_uniform(along):
    numbers = column(along)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts, _ = np.histogram(numbers, bins=64, range=(0, 1))
    assert stats.chisquare(counts).pvalue > 1e-3
    assert stats.kstest(numbers, "uniform").pvalue > 1e-3


@pytest.mark.long
@pytest.mark.parametrize("along", COLUMNS)
def test_a_number_says_nothing_about_the_next_ones(along):
    numbers = column(along)
    following = np.stack([numbers[:-2], numbers[1:-1], numbers[2:]], axis=1)[::3]
    counts, _ = np.histogramdd(following, bins=5, range=[(0, 1)] * 3)
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3
    powers = np.abs(np.fft.rfft(numbers - numbers.mean())[1:-1]) ** 2
    # White noise: exponential powers, at no period more than chance allows.
    assert stats.kstest(powers / powers.mean(), "expon").pvalue > 1e-3
    assert powers.max() / powers.mean() < np.log(len(powers) / 1e-3)


@pytest.mark.long
@pytest.mark.parametrize("along", COLUMNS)
def test_every_bit_is_a_fair_coin_of_its_own(along):
    whole = (column(along) * 2**24).astype(np.int64)
    bits = (whole[:, None] >> np.arange(24)) & 1  # [numbers, 24]
    n = len(bits)
    limit = stats.norm.isf(1e-3 / 24 / 2)
    assert np.abs((bits.mean(0) - 0.5) * 2 * np.sqrt(n)).max() < limit
    related = np.corrcoef(bits.T)[np.triu_indices(24, 1)] * np.sqrt(n)
    assert np.abs(related).max() < stats.norm.isf(1e-3 / len(related) / 2)


def test_a_field_has_no_pattern_in_the_plane():
    fields = make(rows=8).field("noise", torch.arange(16), (64, 64)).numpy() - 0.5
    powers = np.abs(np.fft.rfft2(fields)[:, :, 1:32]) ** 2
    assert stats.kstest((powers / powers.mean()).ravel(), "expon").pvalue > 1e-3
    together = (powers / powers.mean()).sum(0)  # of 16 fields: gamma distributed
    assert stats.kstest(together.ravel(), stats.gamma(16).cdf).pvalue > 1e-3


def test_numbers_that_meet_in_one_batch_are_uncorrelated():
    """Gates and magnitudes of several operations, both views, two steps, two replicates."""
    batches = [make(rows=8192, step=i, replicate=j) for i in (0, 1) for j in (0, 1)]
    every = [
        view
        for draws in batches
        for name in ("resized_crop", "color_jitter", "color_jitter2", "gaussian_blur")
        for view in draws.uniform(name, 5).view(2, 8192, 5).unbind()
    ]
    numbers = torch.cat(every, dim=1).T.numpy()  # [purposes, rows]
    related = np.corrcoef(numbers)[np.triu_indices(len(numbers), 1)] * np.sqrt(8192)
    assert np.abs(related).max() < stats.norm.isf(1e-3 / len(related) / 2)
    assert stats.kstest(related, "norm").pvalue > 1e-3


def test_no_more_numbers_repeat_than_chance_allows():
    """Of m numbers with 24 bits, about m^2 / 2^25 pairs are equal."""
    for numbers in (
        make(rows=4096).uniform("op", 16),
        make(rows=16).field("op", torch.arange(32), (64, 64)),
    ):
        whole = np.sort((numbers.flatten().numpy() * 2**24).astype(np.int64))
        _, counts = np.unique(whole, return_counts=True)
        pairs = (counts * (counts - 1) / 2).sum()
        expected = len(whole) ** 2 / 2**25
        assert abs(pairs - expected) < 5 * np.sqrt(expected)


@cache
def pairs() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    draws = make(rows=8192)
    op = draws.uniform("op", 20)
    field = draws.field("op", torch.tensor([0, 1]), (8192,))
    plane = draws.field("op", torch.tensor([2]), (128, 128))[0]
    rows = torch.arange(16384)
    return {
        "neighbouring slots": (op[:, 0], op[:, 1]),
        "distant slots": (op[:, 0], op[:, 19]),
        "neighbouring rows": (op[:-1, 0], op[1:, 0]),
        "rows that differ in one bit": (
            op[rows[rows & 64 == 0], 0],
            op[rows[rows & 64 == 0] + 64, 0],
        ),
        "views": (op[:8192, 0], op[8192:, 0]),
        "operations": (op[:, 0], draws.uniform("op2", 1)[:, 0]),
        "steps": (op[:, 0], make(step=1, rows=8192).uniform("op", 1)[:, 0]),
        "replicates": (op[:, 0], make(replicate=1, rows=8192).uniform("op", 1)[:, 0]),
        "seeds": (op[:, 0], make(seed=1, rows=8192).uniform("op", 1)[:, 0]),
        "seed and replicate swapped": (
            make(seed=1, rows=8192).uniform("op", 1)[:, 0],
            make(replicate=1, rows=8192).uniform("op", 1)[:, 0],
        ),
        "field rows": (field[0], field[1]),
        "neighbouring pixels": (field[0, :-1], field[0, 1:]),
        "pixels one above the other": (plane[:-1].flatten(), plane[1:].flatten()),
        "fields of one operation": (
            plane.flatten(),
            draws.field("op", torch.tensor([2]), (16384,), slot=1)[0],
        ),
        "a field and the slots": (draws.field("op", rows, (1,))[:, 0], op[:, 0]),
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
