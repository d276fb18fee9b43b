"""A pretraining run: exact budget, determinism, batch norm over both views, honest failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_pretraining import TINY, final_weights, flipped_views, pictures, run
from torch import Tensor, nn

from augsearch.errors import DataError, TrialFailure
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.optimizer import learning_rate_factor
from augsearch.simclr.pretrain import MakeViews, Pretraining


def numpy_state() -> Any:
    state: Any = np.random.get_state()  # noqa: NPY002
    return state[1]


def test_budget_is_spent_exactly() -> None:
    steps_seen: list[int] = []

    def watching(batch: Tensor, step: int) -> tuple[Tensor, Tensor]:
        assert batch.dtype == torch.uint8
        assert batch.shape == (16, 1, 16, 16)
        steps_seen.append(step)
        return flipped_views(batch, step)

    training = run(make_views=watching)
    training.advance(5)
    assert training.step == 5
    training.advance(12)
    assert steps_seen == list(range(12))
    assert len(training.losses) == 12
    assert training.images_per_second > 0
    assert training.peak_memory_bytes > 0
    with pytest.raises(ValueError, match="from step 12 to 13 of 12"):
        training.advance(13)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("channels", [1, 3])
def test_loss_falls_for_grey_and_colour(channels: int, optimizer: str) -> None:
    rate = {"adamw": 0.01, "sgd": 0.1}[optimizer]
    training = run(pictures(channels=channels), steps=40, optimizer=optimizer, learning_rate=rate)
    training.advance(40)
    assert np.mean(training.losses[-5:]) < 0.8 * np.mean(training.losses[:5])


def test_same_seed_is_bitwise_the_same_and_rungs_do_not_matter() -> None:
    once, again, other = run(), run(), run(seed=4)
    once.advance(12)
    for rung in (1, 2, 7, 12):
        torch.rand(3)  # someone else uses the global generator in between
        again.advance(rung)
    other.advance(12)
    assert once.losses == again.losses
    assert torch.equal(final_weights(once), final_weights(again))
    assert once.losses != other.losses


def test_bfloat16_multiplies_shorter_numbers_and_trains_alike() -> None:
    exact = run(steps=40, precision="float32")
    short = run(steps=40, precision="bfloat16")
    again = run(steps=40, precision="bfloat16")
    for training in (exact, short, again):
        training.advance(40)
    assert (exact.bfloat16, short.bfloat16) == (False, True)
    assert short.losses != exact.losses
    assert short.losses == pytest.approx(exact.losses, abs=0.05)
    assert torch.equal(final_weights(short), final_weights(again))
    # What is kept and stepped has 32 bits.
    assert {p.dtype for p in short.encoder.parameters()} == {torch.float32}


def test_dropout_is_seeded_and_the_global_generators_are_left_alone() -> None:
    encoder = EncoderConfig(name="torchvision/mobilenet_v3_small")  # has dropout
    images = pictures(count=4, channels=3, size=32)
    losses = []
    for someone_elses_seed in (0, 1):
        torch.manual_seed(someone_elses_seed)
        np.random.seed(someone_elses_seed)  # noqa: NPY002
        before = torch.get_rng_state(), numpy_state()
        training = run(images, encoder=encoder, steps=2, batch_size=4)
        training.advance(2)
        losses.append(training.losses)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(numpy_state(), before[1])
    assert losses[0] == losses[1]


def test_all_policies_start_from_the_same_weights_and_meet_the_same_batches() -> None:
    met: list[list[Tensor]] = [[], []]

    def recorder(log: list[Tensor], gain: float) -> MakeViews:
        def views(batch: Tensor, step: int) -> tuple[Tensor, Tensor]:
            log.append(batch)
            view = batch.float() / 255
            return view, gain * view

        return views

    one, two = run(make_views=recorder(met[0], 0.9)), run(make_views=recorder(met[1], 0.1))
    assert torch.equal(final_weights(one), final_weights(two))
    one.advance(6)
    two.advance(6)
    assert all(torch.equal(a, b) for a, b in zip(*met, strict=True))
    assert one.losses != two.losses


def test_views_are_normalised_last_and_meet_batch_norm_together() -> None:
    training = run(steps=1)
    seen: list[Tensor] = []
    training.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    training.advance(1)
    assert len(seen) == 1
    assert seen[0].shape == (32, 1, 16, 16)
    assert torch.allclose(seen[0][:16].flip(2), seen[0][16:])
    assert seen[0].min() == pytest.approx(-2, abs=0.02)
    assert seen[0].max() == pytest.approx(2, abs=0.02)


def test_batch_norm_may_see_each_view_for_itself() -> None:
    training = run(steps=1, batch_norm="separate")
    seen: list[Tensor] = []
    training.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    training.advance(1)
    assert [len(view) for view in seen] == [16, 16]
    assert torch.allclose(seen[0].flip(2), seen[1])


@pytest.mark.slow
def test_without_a_compiler_compiling_is_refused_in_one_line(tmp_path: Path) -> None:
    program = """
import torch
from augsearch.errors import ConfigError
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.pretrain import Pretraining

run = Pretraining(
    torch.zeros(8, 1, 8, 8, dtype=torch.uint8), lambda batch, step: (batch / 255, batch / 255),
    EncoderConfig(width=4, stages=1), PretrainConfig(steps=1, batch_size=8, compile=True),
    seed=0, device=torch.device("cpu"), mean=(0.5,), std=(0.2,),
)
try:
    run.advance(1)
except ConfigError as error:
    print(error)
"""
    hidden = {key: value for key, value in os.environ.items() if key not in ("CC", "CXX")}
    hidden |= {"PATH": str(tmp_path), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=hidden, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("pretrain.compile: cannot compile here (InvalidCxxCompiler: No")
    assert said.stdout.endswith("; set it to false\n")
    assert said.stdout.count("\n") == 1


@pytest.mark.slow
def test_compiled_encoder_trains_alike_and_all_trials_share_its_graphs() -> None:
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("no C++ compiler")
    from torch._dynamo.utils import counters

    plain, compiled = run(), run(compile=True)
    plain.advance(12)
    compiled.advance(12)
    assert compiled.losses == pytest.approx(plain.losses, rel=1e-2)
    graphs = counters["stats"]["unique_graphs"]
    assert graphs > 0
    again = run(compile=True, learning_rate=0.003)
    again.advance(12)
    assert counters["stats"]["unique_graphs"] == graphs


def test_weight_decay_spares_biases_and_norms() -> None:
    def constant(batch: Tensor, step: int) -> tuple[Tensor, Tensor]:
        return torch.zeros_like(batch, dtype=torch.float32), torch.zeros_like(
            batch, dtype=torch.float32
        )

    # A black picture through a network without biases gives no gradient to the convolutions,
    # so only weight decay moves them.
    training = run(make_views=constant, steps=3, weight_decay=5.0, learning_rate=0.1)
    norms = [m for m in training.encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    first = next(m for m in training.encoder.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        before = first.weight.norm().item()
    training.advance(3)
    assert first.weight.norm().item() < 0.9 * before
    assert all(norm.weight.min() > 0.65 for norm in norms)


def test_fewer_images_than_a_batch_train_as_one_batch() -> None:
    training = run(pictures(count=5))
    training.advance(3)
    assert training.batch_size == 5
    with pytest.raises(DataError, match="at least 2 images, found 1"):
        run(pictures(count=1))


def test_a_loss_that_is_not_finite_fails_with_its_step() -> None:
    def breaks_at_seven(batch: Tensor, step: int) -> tuple[Tensor, Tensor]:
        view, other = flipped_views(batch, step)
        return view, other * (torch.nan if step == 6 else 1)

    training = run(make_views=breaks_at_seven, learning_rate=0.5)
    with pytest.raises(TrialFailure, match=r"nan at step 7 \(learning rate 0.5;"):
        training.advance(12)


def test_learning_rate_warms_up_and_falls_to_almost_nothing() -> None:
    config = PretrainConfig(steps=100, warmup_fraction=0.1)
    rates = [learning_rate_factor(step, config) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * k for k in range(1, 11)])
    assert max(rates) == 1
    assert rates[55] == pytest.approx(0.5)
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.01


@pytest.mark.gpu
def test_trains_on_cuda_from_the_same_weights() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    device = torch.device("cuda", 0)
    state = torch.cuda.get_rng_state(device)
    training = Pretraining(
        pictures().to(device),
        flipped_views,
        TINY,
        PretrainConfig(steps=30, batch_size=16),
        seed=3,
        device=device,
        mean=[0.5],
        std=[0.25],
    )
    assert torch.equal(final_weights(training).cpu(), final_weights(run()))
    training.advance(30)
    assert np.mean(training.losses[-5:]) < np.mean(training.losses[:5])
    assert torch.equal(torch.cuda.get_rng_state(device), state)
    assert 0 < training.peak_memory_bytes < 2**30
