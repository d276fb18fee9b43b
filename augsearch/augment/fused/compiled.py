"""`torch.compile` with an error that a user can act on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import torch

from augsearch.errors import ConfigError

Function = TypeVar("Function", bound=Callable[..., Any])


@cache
def compiled(function: Function) -> Function:
    """A faster `function`, compiled when it is first called, whatever the number of rows.

    Within a process one function is compiled once; other processes find the result in torch's
    cache on disk.
    """
    return compile_with(function, dynamic=True)


def compile_with(function: Function, **options: Any) -> Function:
    """`torch.compile`; a call raises ConfigError if there is no compiler for it."""
    from torch._dynamo.exc import TorchDynamoException

    fast = torch.compile(function, **options)

    def call(*arguments: Any) -> Any:
        try:
            return fast(*arguments)
        except TorchDynamoException as error:
            reason = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"pretrain.compile: cannot compile here ({reason}); set it to false"
            ) from error

    return call  # type: ignore[return-value]  # it takes what `function` takes
