"""A pretraining run in little memory: smaller chunks, images from a file, or an honest refusal."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from small_pretraining import final_weights, flipped_views, pictures, run
from torch import Tensor, nn

from augsearch.data.imageset import ImageRows
from augsearch.data.stream import batches_of
from augsearch.errors import DeviceError
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.simclr.pretrain import Pretraining
from augsearch.simclr.randomness import batches


class FitsUpTo(nn.Module):
    """An encoder whose device has memory for so many views."""

    def __init__(self, inner: nn.Module, most: int) -> None:
        super().__init__()
        self.inner = inner
        self.most = most

    def forward(self, views: Tensor) -> Tensor:
        if len(views) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        features: Tensor = self.inner(views)
        return features


def test_out_of_memory_takes_smaller_chunks_of_the_same_batches() -> None:
    short, chunked = run(), run(chunk_size=4)
    short.encoder.body = FitsUpTo(short.encoder.body, 15)
    short.advance(12)
    chunked.advance(12)
    assert short.losses == chunked.losses
    assert (short.chunk_size, short.batch_size) == (4, 16)
    assert chunked.notes == ()
    assert short.notes == (
        "cpu has too little memory for 16 images in the encoder; it takes 4 at a time, the loss "
        "compares all (to save the attempts, set pretrain.chunk_size: 4)",
    )


def test_too_little_memory_for_anything_is_a_device_error() -> None:
    training = run()
    training.encoder.body = FitsUpTo(training.encoder.body, 7)
    with pytest.raises(DeviceError, match="cpu has too little memory for 4 images in the encoder"):
        training.advance(1)

    def hungry(batch: Tensor, step: int) -> tuple[Tensor, Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DeviceError, match=r"for the views of 16 images; lower pretrain.batch_size"):
        run(make_views=hungry).advance(1)


def test_too_little_memory_for_the_optimiser_is_a_device_error() -> None:
    training = run()

    def hungry(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    training._optimizer.register_step_pre_hook(hungry)
    with pytest.raises(DeviceError, match="cpu has too little memory for the optimiser of this"):
        training.advance(1)


def test_images_streamed_from_a_file_train_bitwise_as_those_in_memory(tmp_path: Path) -> None:
    images = pictures(60).numpy()
    rows = np.random.default_rng(0).permutation(60)[:41]
    np.save(tmp_path / "pixels.npy", images)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    streamed, resident = run(ImageRows(mapped, rows)), run(torch.from_numpy(images[rows]))
    for rung in (3, 12):
        streamed.advance(rung)
        resident.advance(rung)
    assert streamed.losses == resident.losses
    assert torch.equal(final_weights(streamed), final_weights(resident))


def test_an_unreadable_batch_stops_the_run() -> None:
    broken = ImageRows(pictures(20).numpy(), np.arange(100, 140))
    with pytest.raises(IndexError, match="out of bounds"):
        run(broken).advance(1)


@pytest.mark.gpu
def test_streamed_batches_on_cuda_are_the_resident_ones() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    device = torch.device("cuda", 0)
    images = pictures(200)

    def met(source: Tensor | ImageRows) -> list[Tensor]:
        order = batches(200, 16, seed=3)
        return [batch.cpu() for batch in islice(batches_of(source, order, device), 30)]

    streamed = met(ImageRows(images.numpy(), np.arange(200)))
    assert all(map(torch.equal, streamed, met(images.to(device))))


@pytest.mark.gpu
def test_a_full_cuda_device_takes_smaller_chunks_and_goes_on() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    device = torch.device("cuda", 0)
    images = pictures(256, channels=3, size=64).to(device)
    config = PretrainConfig(steps=3, batch_size=256)

    def training() -> Pretraining:
        encoder = EncoderConfig(width=64, stem="conv")
        mean, std = [0.5] * 3, [0.25] * 3
        return Pretraining(
            images, flipped_views, encoder, config, seed=3, device=device, mean=mean, std=std
        )

    roomy = training()
    roomy.advance(3)
    peak, total = roomy.peak_memory_bytes, torch.cuda.get_device_properties(device).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.7 * peak / total, device)
    try:
        tight = training()
        tight.advance(3)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    assert tight.chunk_size < roomy.chunk_size == 256
    assert tight.peak_memory_bytes < 0.7 * peak
    assert tight.losses[0] == pytest.approx(roomy.losses[0], rel=0.05)
    assert len(tight.notes) == 1
