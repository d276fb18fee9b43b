"""Which numbers a network multiplies while it is trained."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from augsearch.simclr.accumulate import Network
from augsearch.simclr.config import PretrainConfig


def uses_bfloat16(config: PretrainConfig, device: torch.device) -> bool:
    """Whether training multiplies bfloat16 numbers on this device."""
    if config.precision != "auto":
        return config.precision == "bfloat16"
    return device.type == "cuda" or (device.type == "cpu" and _cpu_multiplies_bfloat16())


def in_bfloat16(network: Network, device: torch.device) -> Network:
    """The same network with the same weights, which multiplies bfloat16 numbers."""

    def call(inputs: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            return network(inputs)

    return call


@cache
def _cpu_multiplies_bfloat16() -> bool:
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # none in 2.11
    return any(capabilities.get(unit) for unit in ("amx_bf16", "avx512_bf16"))
