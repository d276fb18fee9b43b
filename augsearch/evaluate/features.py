"""Frozen features of clean images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from augsearch.data.imageset import ImageRows
from augsearch.errors import DeviceError


@torch.no_grad()
def extract_features(
    encoder: nn.Module,
    images: NDArray[np.uint8] | ImageRows,
    mean: Sequence[float],
    std: Sequence[float],
    *,
    device: torch.device,
    batch_size: int = 512,
) -> NDArray[np.float32]:
    """Features `h` before the projection head, `[N, D]` float32.

    The encoder is used in evaluation mode (running statistics of batch norm) and left in the mode
    that it came in.

    Args:
        images: `[N, C, H, W]` uint8, without augmentation.
        mean, std: per channel, with pixels in [0, 1].
        batch_size: images in the encoder at a time; falls by halves when a CUDA device runs out of
            memory, which changes no feature.

    Raises:
        DeviceError: out of memory for a single image.
    """
    shift = torch.tensor(mean, dtype=torch.float32, device=device).view(1, -1, 1, 1)
    scale = torch.tensor(std, dtype=torch.float32, device=device).view(1, -1, 1, 1)
    was_training = encoder.training
    encoder.eval()
    found: list[NDArray[np.float32]] = []
    done = 0

    def encode(batch: Tensor) -> NDArray[np.float32]:
        pixels = (batch.to(device).float() / 255 - shift) / scale
        features: Tensor = encoder(pixels.contiguous(memory_format=torch.channels_last))
        return features.float().cpu().numpy()

    try:
        while done < len(images):
            try:
                found.append(encode(torch.from_numpy(np.array(images[done : done + batch_size]))))
            except torch.OutOfMemoryError as error:
                if batch_size == 1:
                    raise DeviceError(
                        f"{device} has too little memory for one image in the encoder; free "
                        "memory that other programs hold"
                    ) from error
                batch_size //= 2
            else:
                done += len(found[-1])
    finally:
        encoder.train(was_training)
    return np.concatenate(found)
