"""What of a machine may make its scores differ from another's."""

from __future__ import annotations

import platform
import socket
from collections.abc import Mapping
from importlib.metadata import version

import torch

COMPARED = ("augsearch", "torch", "kornia", "numpy", "scikit-learn")


def facts() -> dict[str, str]:
    """What may make scores differ between machines."""
    return {
        "host": socket.gethostname(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        **{name: version(name) for name in COMPARED},
    }


def differing(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """In what two machines differ that may change a score, in words; empty if in nothing."""
    names = [name for name in here if name != "host" and here[name] != there.get(name)]
    return "; ".join(
        f"{name} {there.get(name, 'unknown')} instead of {here[name]}" for name in names
    )
