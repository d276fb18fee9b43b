"""A custom operation as the executors run it: with its mistakes found and told in one line."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

import torch
from torch import Tensor

from augsearch.augment.draws import Draws
from augsearch.augment.ops.operation import Field, Values
from augsearch.errors import ConfigError
from augsearch.space.policy_ops import CustomPolicyOp

ROUNDING = 1e-4
"""How far outside [0, 1] a custom operation's pixels may lie; nobody could see it."""


def explained(op: CustomPolicyOp) -> Callable[[Tensor, Tensor, Values, Field], Tensor]:
    """A custom operation whose own mistakes are one line that names its file.

    What it gives is checked at every call: a batch that is NaN or leaves [0, 1] would only show as
    a worse score. Finding the extremes is one pass over the pixels; the host waits for them, as it
    has just waited to learn which rows are open.
    """
    compute, file = op.custom.apply, op.source.file
    called = getattr(compute, "__name__", type(compute).__name__)

    @wraps(compute)
    def apply(images: Tensor, u: Tensor, values: Values, field: Field) -> Tensor:
        settings = ", ".join(f"{name} {value:g}" for name, value in values.items())
        where = f"{op.of}: on images {list(images.shape)}" + (f" with {settings}" if values else "")
        try:
            changed: Tensor = compute(images, u, values, field)
        except torch.OutOfMemoryError:
            raise  # for the training loop, which knows what to do
        except Exception as error:  # whatever a user's own code raises
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise ConfigError(f"{where}: {called}{_line(error, file)}: {said}") from error
        if wrong := wrong_form(changed, images):
            raise ConfigError(f"{where}: {called} gave {wrong}")
        return changed

    return apply


def _line(error: Exception, file: Path) -> str:
    """Where in `file` the error came from, as ", line 12"; empty if it did not."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return f", line {lines[-1]}" if lines else ""


def wrong_form(changed: object, images: Tensor) -> str:
    """What a custom operation gave instead of images like `images`; empty if all is well."""
    if not isinstance(changed, Tensor):
        return f"a {type(changed).__name__}; want a tensor of the same shape"
    if changed.shape != images.shape:
        return f"the shape {list(changed.shape)}; want the same shape"
    if changed.dtype != torch.float32:
        return f"{changed.dtype}; want torch.float32"
    low, high = torch.stack(changed.aminmax()).tolist()
    if not (math.isfinite(low) and math.isfinite(high)):
        return "pixels that are not finite"
    if low < -ROUNDING or high > 1 + ROUNDING:
        return f"pixels from {low:.4g} to {high:.4g}; want [0, 1], as `.clamp(0, 1)` leaves them"
    return ""


@torch.no_grad()
def check_custom_ops(ops: Iterable[CustomPolicyOp], images: Tensor) -> None:
    """Call each operation on all of these uint8 images `[n, C, H, W]`, and on the first alone.

    Raises:
        ConfigError: one raises, or gives something else than images.
    """
    floats = images.to(torch.float32) / 255
    for op in ops:
        for some in (floats, floats[:1]):
            _call(op, some.clone())


def _call(op: CustomPolicyOp, images: Tensor) -> None:
    draws = Draws(0, 0, 0, (0,), len(images), images.device)
    rows = torch.arange(len(images), device=images.device)

    def field(slot: int, shape: tuple[int, ...]) -> Tensor:
        return draws.field(op.instance, rows, shape, slot)

    explained(op)(images, draws.uniform(op.instance, op.custom.slots), op.values(), field)
