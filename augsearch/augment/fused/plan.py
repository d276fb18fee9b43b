"""From a list of steps to passes, and from passes to a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import groupby, product

import torch
from torch import Tensor

from augsearch.augment.draws import Draws
from augsearch.augment.executor import Step
from augsearch.augment.fused.coordinates import (
    COORDINATES,
    Map,
    box_map,
    crop_map,
    sample,
    whole_boxes,
)
from augsearch.augment.fused.pass_ import Gate, Kernel, Rows, only_open_rows, open_rows
from augsearch.augment.fused.pointwise import POINTWISE
from augsearch.augment.fused.smoothing import gaussian_blur
from augsearch.augment.ops.geometric import crop_boxes
from augsearch.augment.ops.resample import crop_and_resize

CROP, BLUR = "resized_crop", "gaussian_blur"
PERMUTATIONS = ("horizontal_flip", "vertical_flip", "rotate90")
CACHED_BYTES = 1_500_000
"""Float pixels that are taken through all passes together on a CPU, so that they stay cached."""
SMALLEST_CHUNK = 4  # images


@dataclass(frozen=True)
class Member:
    """A step, and its place in the `one_of` group that it is chosen from, if any."""

    step: Step
    group: Step | None = None
    place: int = 0

    @property
    def kind(self) -> str:
        """Which kind of pass can run it."""
        if self.step.own is not None:
            return "reference"
        if self.step.op in COORDINATES:
            return "coordinates"
        if self.step.op in POINTWISE:
            return "pointwise"
        return "blur" if self.step.op == BLUR else "reference"


@dataclass(frozen=True)
class FusedPlan:
    """The members of a view's operations in the order in which they run."""

    members: tuple[Member, ...]

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Operations that run on the reference, because this executor does not know them."""
        return tuple(sorted({m.step.op for m in self.members if m.kind == "reference"}))


def fuse(steps: Iterable[Step]) -> FusedPlan:
    """The plan of these steps. A group's members may run in any order: a sample takes one."""
    members: list[Member] = []
    for step in steps:
        if not step.members:
            members.append(Member(step))
            continue
        inside = [Member(m, step, place) for place, m in enumerate(step.members) if m.p > 0]
        members += sorted(inside, key=lambda member: member.kind)  # coordinates join a crop before
    return FusedPlan(tuple(members))


class Gates:
    """The gates of one batch; a group's choice is drawn once for all its members."""

    def __init__(self, draws: Draws, compile: bool = False) -> None:
        self.draws = draws
        self.compile = compile
        self._choices: dict[str, tuple[Tensor, Tensor]] = {}

    def of(self, member: Member) -> Gate:
        step = member.step
        u = self.draws.uniform(step.instance, 1 + step.implementation.slots)
        gate = u[:, 0] < step.p
        if member.group is not None:
            chosen, choice = self._choice(member.group)
            gate &= chosen & (choice == member.place)
        return Gate(u[:, 1:], gate, step.values, step.instance, self.draws, self.compile)

    def _choice(self, group: Step) -> tuple[Tensor, Tensor]:
        if group.instance not in self._choices:
            u = self.draws.uniform(group.instance, 2)
            choice = (u[:, 1] * len(group.members)).long()
            self._choices[group.instance] = (u[:, 0] < group.p, choice)
        return self._choices[group.instance]


def kernels(plan: FusedPlan, gates: Gates, height: int, width: int, size: int) -> list[Kernel]:
    """What is done to images of `height` x `width` to make frames of `size` x `size`, in order."""
    device = gates.draws.device
    members = list(plan.members)
    crop = members.pop(0) if members and members[0].step.op == CROP else None
    found: list[Kernel] = []
    maps: list[Map] = []  # of operations that wait to be sampled together
    if height > size or width > size:
        found.append(_shrinking(gates.of(crop) if crop else None, height, width, size))
    elif crop:
        maps.append(crop_map(gates.of(crop), height, width, size))
    elif (height, width) != (size, size):
        maps.append(_of_every_row(box_map(whole_boxes(1, height, width, device), size)))
    for kind, grouped in groupby(members, key=lambda member: member.kind):
        same = list(grouped)
        if kind == "coordinates" and (maps or not _better_moved(same, device)):
            maps += [COORDINATES[member.step.op](gates.of(member), size) for member in same]
            continue
        if maps:
            found.append(_sampling(maps, size))
            maps = []
        found += [_single(member, gates.of(member), size) for member in same]
    if maps:
        found.append(_sampling(maps, size))
    return found


def _better_moved(members: Sequence[Member], device: torch.device) -> bool:
    """Is it cheaper to move the pixels of the open rows, one operation after the other?"""
    return device.type == "cpu" and all(m.step.op in PERMUTATIONS for m in members)


def _single(member: Member, gate: Gate, size: int) -> Kernel:
    step = member.step
    if member.kind == "pointwise":
        return only_open_rows(POINTWISE[step.op](gate), gate)
    if member.kind == "blur":
        return gaussian_blur(gate, size)

    def reference(images: Tensor, rows: Rows) -> Tensor:
        def field(slot: int, shape: tuple[int, ...]) -> Tensor:
            return gate.field(rows, shape, slot)

        return step.implementation.apply(images, gate.u[rows], step.values, field)

    return open_rows(reference, gate)


def _of_every_row(apply: Map) -> Map:
    """A map whose numbers are the same for all rows."""
    return lambda at, _rows: apply(at, slice(0, 1))


def _sampling(maps: Sequence[Map], size: int) -> Kernel:
    """One sampling of the images through all maps, the first operation's map first."""

    def apply(images: Tensor, rows: Rows) -> Tensor:
        pixel = torch.arange(size, device=images.device, dtype=images.dtype)
        at = pixel.view(1, 1, -1), pixel.view(1, -1, 1)
        for back in reversed(maps):
            at = back(at, rows)
        return sample(images, at, size)

    return apply


def _shrinking(gate: Gate | None, height: int, width: int, size: int) -> Kernel:
    """The gated crop of larger images, antialiased as only weights over many pixels can be."""

    def apply(images: Tensor, rows: Rows) -> Tensor:
        boxes = whole_boxes(len(images), height, width, images.device)
        if gate is not None:
            cropped = crop_boxes(gate.u[rows], gate.values, height, width)
            boxes = torch.where(gate.open[rows, None], cropped, boxes)
        return crop_and_resize(images, boxes, (size, size))

    return apply


def run_fused(
    plans: Sequence[FusedPlan],
    images: Tensor,
    size: int,
    draws_of: Callable[[tuple[int, ...]], Draws],
    finish: Callable[[Tensor], Tensor] | None = None,
    compile: bool = False,
) -> Tensor:
    """Both views of images `[B, C, H, W]`: `[2B, C, size, size]` float32, channels_last.

    Args:
        plans: one for both views, or one for each.
        images: uint8, or float32 in [0, 1].
        draws_of: the draws of some of the views, such as (0, 1).
        finish: done to the pixels last, in place, before they are laid out.
        compile: compile the colour arithmetic on first use.
    """
    count, channels, height, width = images.shape
    both = torch.empty(
        (2 * count, channels, size, size),
        device=images.device,
        memory_format=torch.channels_last,
    )
    step = max(SMALLEST_CHUNK, CACHED_BYTES // (4 * channels * size * size))
    if images.device.type != "cpu":
        step = count  # one launch for all
    # Chunks that fit into a core's cache are too small to share: two threads made each operation
    # on them more than twice as slow.
    alone = images.device.type == "cpu" and step > SMALLEST_CHUNK
    with _one_thread() if alone else nullcontext():
        for number, plan in enumerate(plans):
            views = (0, 1) if len(plans) == 1 else (number,)
            steps = kernels(plan, Gates(draws_of(views), compile), height, width, size)
            for (place, view), begin in product(enumerate(views), range(0, count, step)):
                end = min(begin + step, count)
                pixels = _floats(images[begin:end])
                rows = slice(place * count + begin, place * count + end)
                for kernel in steps:
                    pixels = kernel(pixels, rows)
                target = both[view * count + begin : view * count + end]
                target.copy_(finish(pixels) if finish else pixels)
    return both


@contextmanager
def _one_thread() -> Iterator[None]:
    """One CPU thread for torch's operations in here."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _floats(images: Tensor) -> Tensor:
    """float32 pixels in [0, 1] that may be written to."""
    if images.dtype == torch.uint8:
        return images.to(torch.float32).div_(255)
    return images.clone()
