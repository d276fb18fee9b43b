"""Frozen features of clean images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from augsearch.data.imageset import ImageRows


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
    """
    shift = torch.tensor(mean, dtype=torch.float32, device=device).view(1, -1, 1, 1)
    scale = torch.tensor(std, dtype=torch.float32, device=device).view(1, -1, 1, 1)
    was_training = encoder.training
    encoder.eval()
    found = []
    try:
        for begin in range(0, len(images), batch_size):
            batch = torch.from_numpy(np.array(images[begin : begin + batch_size])).to(device)
            pixels = (batch.float() / 255 - shift) / scale
            pixels = pixels.contiguous(memory_format=torch.channels_last)
            found.append(encoder(pixels).float().cpu().numpy())
    finally:
        encoder.train(was_training)
    return np.concatenate(found)
