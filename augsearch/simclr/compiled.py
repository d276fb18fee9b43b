"""`torch.compile` for an encoder, with an error that a user can act on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from augsearch.errors import ConfigError
from augsearch.simclr.accumulate import Network


def compiled(encoder: nn.Module) -> Network:
    """A faster `encoder` with the same weights, compiled when it is first called.

    Encoders of one kind share the result: within a process the later trials of a study compile
    nothing, and other processes find it in torch's cache on disk.
    """
    from torch._dynamo.exc import TorchDynamoException

    forward = torch.compile(encoder, dynamic=False)

    def call(images: Tensor) -> Tensor:
        try:
            features: Tensor = forward(images)
        except TorchDynamoException as error:
            reason = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"pretrain.compile: the encoder cannot be compiled here ({reason}); set it to false"
            ) from error
        return features

    return call
