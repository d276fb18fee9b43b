"""The reference executor: runs a list of operations over a batch, each sample by its own draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from augsearch.augment.custom import explained
from augsearch.augment.draws import Draws
from augsearch.augment.ops.kornia_ops import IMPLEMENTATIONS
from augsearch.augment.ops.operation import Implementation
from augsearch.errors import ConfigError, DataError
from augsearch.space.policy_ops import CustomPolicyOp, OneOf, PolicyOp

GREY_OR_COLOUR = (1, 3)
LAST = 4
"""Most columns that are taken for channels which come last."""


@dataclass(frozen=True)
class Step:
    """One operation, ready to run.

    Attributes:
        op: name in the catalogue, or "one_of".
        instance: name under which its numbers are drawn.
        p: gate probability.
        values: parameter values by name.
        members: of a "one_of", among which each sample takes one.
        own: the implementation of an operation that the table does not have.
    """

    op: str
    instance: str
    p: float
    values: Mapping[str, float]
    members: tuple[Step, ...] = ()
    own: Implementation | None = field(default=None, repr=False)

    @property
    def implementation(self) -> Implementation:
        """What computes it."""
        return self.own or IMPLEMENTATIONS[self.op]


def plan(ops: Iterable[PolicyOp]) -> tuple[Step, ...]:
    """The steps of these operations, without those that change nothing.

    Raises:
        ConfigError: an operation has no implementation.
    """
    return tuple(_step(op) for op in ops if not op.is_identity())


def _step(op: PolicyOp) -> Step:
    if isinstance(op, OneOf):
        # Idle members stay: without them the others would be chosen more often.
        return Step(op.op, op.instance, op.p, {}, tuple(_step(member) for member in op.ops))
    if isinstance(op, CustomPolicyOp):
        own = Implementation(op.custom.slots, explained(op))
        return Step(op.source.name, op.instance, op.p, op.values(), own=own)
    if op.op not in IMPLEMENTATIONS:
        known = ", ".join(IMPLEMENTATIONS)
        raise ConfigError(f"operation {op.op!r} has no implementation; there are: {known}")
    return Step(op.op, op.instance, op.p, op.values())


WANTED = "want [n, C, H, W], float32 in [0, 1]"


def check_images(images: Tensor) -> None:
    """Raise DataError unless images are `[n, C, H, W]` float32 in [0, 1]."""
    _check_shape(images, WANTED)
    if images.dtype != torch.float32:
        raise DataError(f"images have the type {images.dtype}; {WANTED}")
    if images.numel():
        low, high = (float(extreme) for extreme in images.aminmax())
        if not (low >= 0 and high <= 1):  # also true for NaN
            raise DataError(f"pixel values run from {low:g} to {high:g}; {WANTED}")


def check_bytes_or_images(images: Tensor) -> None:
    """The same, or uint8; only of floats are the values looked at, which waits for a device."""
    if images.dtype == torch.uint8:
        _check_shape(images, f"{WANTED}, or uint8")
    else:
        check_images(images)


def _check_shape(images: Tensor, wanted: str) -> None:
    # Few columns and many channels are pixels whose channels come last.
    last = images.ndim == 4 and images.shape[1] not in GREY_OR_COLOUR and images.shape[-1] <= LAST
    if images.ndim != 4 or last:
        raise DataError(f"images have the shape {list(images.shape)}; {wanted}")


@torch.no_grad()
def run_steps(images: Tensor, steps: Iterable[Step], draws: Draws) -> Tensor:
    """Augment images `[n, C, H, W]`, float32 in [0, 1] and checked before, with planned operations.

    Rows are view-major: n = len(draws.views) * draws.rows.
    """
    for step in steps:
        images = _run_step(images, step, draws, None)
    return images


def _run_step(images: Tensor, step: Step, draws: Draws, chosen: Tensor | None) -> Tensor:
    """Run a step on the rows that are `chosen` (`[n]` bool, None: all) and whose gate is open."""
    if step.p == 0:
        return images
    own = 1 if step.members else step.implementation.slots
    u = draws.uniform(step.instance, 1 + own)
    open_gate = u[:, 0] < step.p
    if chosen is not None:
        open_gate &= chosen
    if step.members:
        choice = (u[:, 1] * len(step.members)).long()
        for number, member in enumerate(step.members):
            images = _run_step(images, member, draws, open_gate & (choice == number))
        return images
    rows = open_gate.nonzero()[:, 0]
    if len(rows) == 0:
        return images
    if len(rows) == len(images):
        return _compute(images, u[:, 1:], rows, step, draws)
    return images.index_copy(0, rows, _compute(images[rows], u[rows, 1:], rows, step, draws))


def _compute(images: Tensor, u: Tensor, rows: Tensor, step: Step, draws: Draws) -> Tensor:
    def field(slot: int, shape: tuple[int, ...]) -> Tensor:
        return draws.field(step.instance, rows, shape, slot)

    return step.implementation.apply(images, u, step.values, field)
