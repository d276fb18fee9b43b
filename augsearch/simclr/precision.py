"""Which numbers a network multiplies while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from augsearch.simclr.accumulate import Network
from augsearch.simclr.config import PretrainConfig

TOO_SMALL = (
    "the encoder's last pictures are smaller than its kernels; with 16-bit numbers a CPU gets such "
    "gradients wrong, so it is trained with 32-bit numbers"
)


def uses_bfloat16(
    config: PretrainConfig, device: torch.device, encoder: nn.Module, shape: tuple[int, int, int]
) -> bool:
    """Whether training multiplies bfloat16 numbers on this device.

    Not on a CPU where a convolution's kernel has a part that only ever lies on padding: oneDNN
    3.13 then reads the gradient of that part from memory that nobody wrote. `TOO_SMALL` says so.

    Args:
        encoder: as it is trained, on the device; its state is left as it is.
        shape: of an image, `(C, H, W)`.
    """
    if config.precision == "float32":
        return False
    if device.type != "cpu":
        return config.precision == "bfloat16" or device.type == "cuda"
    wanted = config.precision == "bfloat16" or _cpu_multiplies_bfloat16()
    return wanted and not kernels_beside_the_picture(encoder, shape)


@torch.no_grad()
def kernels_beside_the_picture(network: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Whether a convolution has a part of its kernel on padding wherever the kernel stands."""
    training = [(module, module.training) for module in network.modules()]
    for module, _ in training:
        module.training = False
    try:
        with _Convolutions() as seen, torch.random.fork_rng(devices=[]):
            network(torch.zeros(2, *shape))
    finally:
        for module, before in training:
            module.training = before
    return bool(seen.beside)


class _Convolutions(TorchFunctionMode):
    """Looks at every convolution that is computed meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.beside: bool = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in (torch.conv1d, torch.conv2d, torch.conv3d):
            self.beside |= _beside(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _beside(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> bool:
    """Of one convolution, given as `torch.conv2d` is."""
    del bias, groups
    sides = weight.ndim - 2

    def each(value: int | Sequence[int]) -> list[int]:
        found = [value] if isinstance(value, int) else list(value)
        return found * sides if len(found) == 1 else found

    sizes, kernels = input.shape[-sides:], weight.shape[-sides:]
    for side, (size, kernel, step, apart) in enumerate(
        zip(sizes, kernels, each(stride), each(dilation), strict=True)
    ):
        around = apart * (kernel - 1)
        if isinstance(padding, str):
            before, both = (around // 2, around) if padding == "same" else (0, 0)
        else:
            before, both = each(padding)[side], 2 * each(padding)[side]
        places = range(-before, size + both - before - around, step)
        parts = (part * apart for part in range(kernel))
        if any(not any(0 <= place + part < size for place in places) for part in parts):
            return True
    return False


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
