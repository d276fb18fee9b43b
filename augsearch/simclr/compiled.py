"""`torch.compile` for an encoder."""

from __future__ import annotations

from torch import nn

from augsearch.augment.fused.compiled import compile_with
from augsearch.simclr.accumulate import Network


def compiled(encoder: nn.Module) -> Network:
    """A faster `encoder` with the same weights, compiled when it is first called.

    Encoders of one kind share the result: within a process the later trials of a study compile
    nothing, and other processes find it in torch's cache on disk.
    """
    network: Network = compile_with(encoder, dynamic=False)
    return network
