"""What the passes of the fused executor share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from augsearch.augment.draws import Draws

Rows = slice | Tensor
"""Which rows of the whole batch some images are: a slice, or their numbers (int64)."""

Kernel = Callable[[Tensor, Rows], Tensor]
"""(images `[m, C, H, W]` of these rows, the rows) -> images; may write into what it is given."""

MOSTLY_OPEN = 0.75
"""Share of open rows above which copying them to and fro costs more than is saved."""


@dataclass(frozen=True)
class Gate:
    """The draws of one operation for the whole batch of n rows.

    Attributes:
        u: `[n, slots]` uniform numbers.
        open: `[n]` bool, the rows that it changes.
        values: parameter values by name.
        instance: the name under which it draws.
        draws: for numbers of single pixels.
        compile: whether the arithmetic may be compiled.
    """

    u: Tensor
    open: Tensor
    values: Mapping[str, float]
    instance: str
    draws: Draws
    compile: bool = False

    def where_open(self, number: Tensor, identity: float) -> Tensor:
        """`[n, 1, 1, 1]`: `number` (`[n]`) where the gate is open, else `identity`."""
        return torch.where(self.open, number, identity).view(-1, 1, 1, 1)

    def field(self, rows: Rows, shape: tuple[int, ...], slot: int = 0) -> Tensor:
        """Uniform numbers `[m, *shape]` for each pixel of those rows."""
        if isinstance(rows, slice):
            rows = torch.arange(rows.start, rows.stop, device=self.u.device)
        return self.draws.field(self.instance, rows, shape, slot)


def open_rows(kernel: Kernel, gate: Gate) -> Kernel:
    """`kernel` on the open rows alone."""

    def selected(images: Tensor, rows: Rows) -> Tensor:
        if not isinstance(rows, slice):
            raise TypeError("rows are selected once only")
        inside = gate.open[rows].nonzero()[:, 0]
        if len(inside) == 0:
            return images
        return images.index_copy_(0, inside, kernel(images[inside], inside + rows.start))

    return selected


def only_open_rows(kernel: Kernel, gate: Gate) -> Kernel:
    """A kernel that leaves closed rows alone, on the open ones only where that is faster.

    On a CPU finding them costs nothing; elsewhere it would wait for the device.
    """
    if gate.open.device.type != "cpu" or gate.open.float().mean() > MOSTLY_OPEN:
        return kernel
    return open_rows(kernel, gate)
