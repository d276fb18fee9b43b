"""Device names become devices, or one line of what to use instead."""

from __future__ import annotations

import pytest
import torch

from augsearch.errors import DeviceError
from augsearch.simclr.device import resolve_device


def test_cpu_and_auto_always_work() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    torch.zeros(1, device=resolve_device("auto"))


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "meta", ""])
def test_unknown_device(name: str) -> None:
    with pytest.raises(DeviceError, match="use auto, cpu, cuda, cuda:1 or mps"):
        resolve_device(name)


def test_absent_device() -> None:
    with pytest.raises(DeviceError, match=r"'cuda:77' is not available: torch sees \d+ CUDA"):
        resolve_device("cuda:77")
