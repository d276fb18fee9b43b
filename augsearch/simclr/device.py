"""From a device's name to a device that is there."""

from __future__ import annotations

import os

import torch

from augsearch.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """The device called `name`: auto (the best there is), cpu, cuda, cuda:1, mps.

    Raises:
        DeviceError: unknown name, or a device that this machine (or this torch build) lacks.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"unknown device {name!r}; use auto, cpu, cuda, cuda:1 or mps")
    if device.type == "cpu":
        return torch.device("cpu")
    if device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError(f"device {name!r} is not available here; use cpu or auto")
        return device
    index, count = device.index or 0, torch.cuda.device_count()
    if index >= count:
        found = f"{count} CUDA device{'s' if count != 1 else ''}"
        raise DeviceError(f"device {name!r} is not available: torch sees {found}; use cpu or auto")
    return torch.device("cuda", index)


def free_memory_bytes(device: torch.device) -> int:
    """Memory that `device` has left; that of the machine, where the device shares it."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        import psutil
    except ImportError:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(psutil.virtual_memory().available)


def resident_memory_bytes() -> int:
    """Memory that this process holds; 0 without psutil, which an accelerator does not need."""
    try:
        import psutil
    except ImportError:
        return 0
    return int(psutil.Process().memory_info().rss)
