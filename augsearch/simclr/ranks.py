"""Several processes that train one encoder: what each sees of a batch, and what they share.

Every process (rank) renders and encodes its own part of each batch. Negatives, batch norm's
statistics and gradients are those of the whole batch, so that a run of several ranks is the run of
one process with the same batch, up to rounding.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from augsearch.errors import DeviceError

TORCHRUN = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
PATIENCE = timedelta(hours=6)
"""How long a rank waits for another, which may have a large set of images to decode."""


@dataclass(frozen=True)
class Ranks:
    """This process's place among `size` that train together; `torch.distributed` is initialised
    if there are several.

    Attributes:
        local: its number among those of the same machine.
    """

    rank: int = 0
    size: int = 1
    local: int = 0

    def batch(self, wanted: int, images: int) -> int:
        """Images a step: those that are wanted, or as many as there are; the same for each rank."""
        return min(wanted, images) // self.size * self.size

    def part(self, rows: int) -> slice:
        """This rank's part of a batch of `rows` images, which `size` divides."""
        each = rows // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def gathered(self, rows: Tensor) -> Tensor:
        """`[b, D]` of this rank to `[b * size, D]` of all, in the order of ranks.

        Its gradient is that of the sum of what all ranks compute from it.
        """
        if self.size == 1:
            return rows
        before, after = self.rank * len(rows), (self.size - 1 - self.rank) * len(rows)
        return _summed(functional.pad(rows, (0, 0, before, after)))

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over the ranks."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        whole = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(whole)
        parts = torch.split(whole, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def any(self, here: bool, device: torch.device) -> bool:
        """Whether it is so on any rank."""
        if self.size == 1:
            return here
        flag = torch.tensor(float(here), device=device)
        dist.all_reduce(flag)
        return bool(flag > 0)

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.size > 1:
            dist.barrier()

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """The block, by the first rank of each machine before the others."""
        if self.local > 0:
            self.wait()
        yield
        if self.local == 0:
            self.wait()

    def joint(self, network: nn.Module, still: Collection[nn.Module] = ()) -> nn.Module:
        """The network with batch norm over the batches of all ranks. Its keys stay as they are.

        Args:
            still: modules that take no statistics, whatever the network's mode: they stay.
        """
        if self.size == 1:
            return network
        on_cuda = next(network.parameters()).is_cuda
        spared = {part for module in still for part in module.modules()}
        for name, module in list(network.named_modules()):
            if isinstance(module, _BatchNorm) and module not in spared:
                if not name:
                    return _joint(module, on_cuda=on_cuda)
                network.set_submodule(name, _joint(module, on_cuda=on_cuda))
        return network


def _joint(module: _BatchNorm, *, on_cuda: bool) -> nn.Module:
    if on_cuda:
        from timm.layers import norm_act

        joint: nn.Module = norm_act.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]  # timm's own
        return joint
    return JointBatchNorm(module)


ALONE = Ranks()


def only_one_process(verb: str) -> None:
    """Raise DeviceError where `torchrun` starts several processes, which would all do the same."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise DeviceError(
            f"{verb} works in one process; start it without torchrun, or unset WORLD_SIZE"
        )


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """The processes that `torchrun` has started, connected within the block; else this one alone.

    Args:
        device: as the user named it; decides how they talk to each other.

    Raises:
        DeviceError: there are more processes on this machine than devices.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1 or not dist.is_available():
        yield ALONE
        return
    if missing := [name for name in TORCHRUN if name not in os.environ]:
        raise DeviceError(
            f"WORLD_SIZE is {size} in the environment, but {', '.join(missing)} is not there: "
            "start several processes with torchrun, or unset WORLD_SIZE for one"
        )
    local = int(os.environ["LOCAL_RANK"])
    on_cuda = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    if on_cuda:
        if local >= torch.cuda.device_count():
            raise DeviceError(
                f"torchrun starts process {local + 1} of this machine, which has "
                f"{torch.cuda.device_count()} CUDA devices; lower --nproc-per-node"
            )
        torch.cuda.set_device(local)
    mine = dist.is_initialized()
    if not mine:
        dist.init_process_group("nccl" if on_cuda else "gloo", timeout=PATIENCE)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), local)
    finally:
        if not mine:
            dist.destroy_process_group()


class JointBatchNorm(nn.Module):
    """Batch norm over the batches of all ranks, with the module's own parameters and buffers.

    For CPUs, which `torch.nn.SyncBatchNorm` refuses. What timm's modules do after the norm, drop
    and activation, is done here as well.
    """

    def __init__(self, module: _BatchNorm) -> None:
        super().__init__()
        self.eps, self.momentum = module.eps, module.momentum
        for name, parameter in module.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in module.named_buffers(recurse=False):
            self.register_buffer(name, buffer)
        for name, child in module.named_children():
            self.add_module(name, child)
        self.train(module.training)

    def forward(self, inputs: Tensor) -> Tensor:
        """`[N, C, ...]` to the same, normalised over N and all that follows C, of all ranks."""
        weight: Tensor | None = getattr(self, "weight", None)
        bias: Tensor | None = getattr(self, "bias", None)
        if self.training:
            mean, variance, count = self._statistics(inputs)
            self._keep(mean.detach(), variance.detach() * count / (count - 1))
        else:
            mean, variance = self.running_mean, self.running_var  # type: ignore[assignment]  # buffers
        shape = (1, -1, *[1] * (inputs.ndim - 2))
        scale = torch.rsqrt(variance + self.eps)
        scale = scale if weight is None else scale * weight
        precise = inputs if inputs.dtype == torch.float64 else inputs.float()
        outputs = (precise - mean.view(shape)) * scale.view(shape)
        if bias is not None:
            outputs = outputs + bias.view(shape)
        outputs = outputs.to(inputs.dtype)
        for child in self.children():
            outputs = child(outputs)
        return outputs

    def _statistics(self, inputs: Tensor) -> tuple[Tensor, Tensor, float]:
        precise = inputs if inputs.dtype == torch.float64 else inputs.float()
        columns = precise.transpose(0, 1).flatten(1)  # [C, n]
        count = columns.new_tensor([columns.shape[1]])
        sums = _summed(torch.cat([columns.sum(dim=1), count]))
        mean = sums[:-1] / sums[-1]
        squares = _summed((columns - mean[:, None]).square().sum(dim=1))
        return mean, squares / sums[-1], float(sums[-1].detach())

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        if not isinstance(self.running_mean, Tensor) or not isinstance(self.running_var, Tensor):
            return
        assert isinstance(self.num_batches_tracked, Tensor)
        self.num_batches_tracked += 1
        share = self.momentum
        share = 1 / float(self.num_batches_tracked) if share is None else share
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var), share)


class _Sum(torch.autograd.Function):
    """The sum over ranks; a gradient with respect to it is the sum of the ranks' gradients."""

    @staticmethod
    def forward(_: Any, mine: Tensor) -> Tensor:
        everything = mine.clone()
        dist.all_reduce(everything)
        return everything

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        everything = gradient.clone()
        dist.all_reduce(everything)
        return everything


def _summed(mine: Tensor) -> Tensor:
    summed: Tensor = _Sum.apply(mine)
    return summed
