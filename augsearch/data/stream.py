"""Batches in a known order, from images on the device or, read a batch ahead, from the host.

Knows where pixels lie, not what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augsearch.data.imageset import ImageRows

Order = Iterator[NDArray[np.int64]]


def batches_of(images: Tensor | ImageRows, order: Order, device: torch.device) -> Iterator[Tensor]:
    """Batches `[B, C, H, W]` uint8 on `device`, in the endless `order`; the same either way.

    Images `[N, C, H, W]` on the device are gathered there, others are streamed from the host.
    """
    if isinstance(images, ImageRows):
        return StreamedBatches(images, order, device)
    if images.device.type != device.type:
        everything = ImageRows(images.numpy(), np.arange(len(images)))
        return StreamedBatches(everything, order, device)
    # A blocking copy of the indices would let the host wait for all that the device has to do.
    at_once = device.type == "cuda"
    return (
        images.index_select(0, torch.from_numpy(chosen).to(device, non_blocking=at_once))
        for chosen in order
    )


class StreamedBatches:
    """Batches of images on the host.

    A thread reads a batch, and copies it to the device, while the one before is being used. It
    ends with this object.
    """

    def __init__(self, images: ImageRows, order: Order, device: torch.device) -> None:
        self._images = images
        self._order = order
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ahead: Future[Tensor] | None = None
        self._copies = _PinnedCopies(device) if device.type == "cuda" else None
        self._device = device

    def __iter__(self) -> StreamedBatches:
        return self

    def __next__(self) -> Tensor:
        # The first batch is read when it is asked for: a run that never trains reads nothing.
        ahead = self._ahead or self._thread.submit(self._read, next(self._order))
        batch = ahead.result()
        if self._copies is not None:
            self._copies.hand_over(batch)
        self._ahead = self._thread.submit(self._read, next(self._order))
        return batch

    def _read(self, chosen: NDArray[np.int64]) -> Tensor:
        batch = torch.from_numpy(self._images[chosen])
        return batch.to(self._device) if self._copies is None else self._copies.to_device(batch)


class _PinnedCopies:
    """Copies to a CUDA device beside its computing: two page-locked buffers, an own stream."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._buffers: list[tuple[Tensor, torch.cuda.Event]] = []

    def to_device(self, batch: Tensor) -> Tensor:
        """Begin to copy a batch; called by one thread, for batches of one shape."""
        if len(self._buffers) < 2:
            buffer = torch.empty_like(batch, pin_memory=True)
            self._buffers.append((buffer, torch.cuda.Event()))  # type: ignore[no-untyped-call]
        else:
            self._buffers.reverse()
        buffer, copied = self._buffers[-1]
        copied.synchronize()  # with the copy that was made from this buffer two batches ago
        buffer.copy_(batch)
        with torch.cuda.stream(self._stream):
            on_device = buffer.to(self._device, non_blocking=True)
            copied.record()
        return on_device

    def hand_over(self, batch: Tensor) -> None:
        """Let the current stream wait for the copy, and the allocator for the current stream."""
        current = torch.cuda.current_stream(self._device)
        current.wait_stream(self._stream)
        batch.record_stream(current)
