"""Frozen features: normalised input, running statistics, batches that leave no trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from augsearch.errors import DeviceError
from augsearch.evaluate.features import extract_features

CPU = torch.device("cpu")


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Dropout(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )


def pictures(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_mode_inside_former_mode_and_statistics_after(training: bool) -> None:
    encoder, images = network().train(training), pictures(10)
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]
    features = extract_features(encoder, images, mean, std, device=CPU, batch_size=4)
    assert encoder.training is training
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())
    pixels = (images / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    with torch.no_grad():
        expected = encoder.eval()(torch.tensor(pixels, dtype=torch.float32)).numpy()
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, atol=1e-5)


class FitsUpTo(nn.Module):
    """An encoder whose device has memory for so many images."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.inner = network()
        self.most = most
        self.seen: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.seen.append(len(images))
        features: torch.Tensor = self.inner(images)
        return features


def test_out_of_memory_takes_fewer_images_at_a_time() -> None:
    images, short = pictures(11), FitsUpTo(3)
    found = extract_features(short, images, [0.5] * 3, [0.2] * 3, device=CPU, batch_size=8)
    assert short.seen == [2, 2, 2, 2, 2, 1]
    expected = extract_features(network(), images, [0.5] * 3, [0.2] * 3, device=CPU)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(DeviceError, match="too little memory for one image"):
        extract_features(FitsUpTo(0), images, [0.5] * 3, [0.2] * 3, device=CPU)


def test_former_mode_is_restored_after_an_error() -> None:
    encoder = network()
    with pytest.raises(RuntimeError):
        extract_features(encoder, pictures(2)[:, :2], [0.5] * 2, [0.5] * 2, device=CPU)
    assert encoder.training


def test_read_only_memory_map(tmp_path: Path) -> None:
    images = pictures(5)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    arguments = ([0.5] * 3, [0.25] * 3)
    found = extract_features(network(), mapped, *arguments, device=CPU)
    np.testing.assert_array_equal(
        found, extract_features(network(), images, *arguments, device=CPU)
    )
