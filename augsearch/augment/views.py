"""From a batch of images to the two views that SimCLR compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from augsearch.augment.draws import Draws
from augsearch.augment.executor import Step, check_bytes_or_images, plan, run_steps
from augsearch.augment.ops.geometric import CROP_SLOTS, crop_boxes
from augsearch.augment.ops.resample import crop_and_resize, resize
from augsearch.augment.stream import DrawStream
from augsearch.augment.surroundings import Surroundings
from augsearch.space.policy import Policy

Views = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class ViewPlan:
    """The steps of a policy's views: one list for both, or one list for each."""

    lists: tuple[tuple[Step, ...], ...]


def plan_views(policy: Policy) -> ViewPlan:
    """The plan of a policy; ConfigError if an operation has no implementation."""
    if policy.shared:
        return ViewPlan((plan(policy.views[0]),))
    return ViewPlan(tuple(plan(ops) for ops in policy.views))


def surroundings_of(policy: Policy) -> Surroundings:
    """What the search that found a policy did around it."""
    if (found := policy.found_on) is None:
        return Surroundings()
    return Surroundings(found.fit, found.image_size, found.mean, found.std)


def to_unit_floats(images: Tensor) -> Tensor:
    """uint8 -> float32 in [0, 1]; floats are passed on. DataError if they have another form."""
    check_bytes_or_images(images)
    return images.to(torch.float32).div_(255) if images.dtype == torch.uint8 else images


def run_views(
    view_plan: ViewPlan,
    images: Tensor,
    image_size: int,
    *,
    seed: int,
    replicate: int = 0,
    step: int = 0,
    first: int = 0,
) -> Views:
    """Two views of uint8 or float images `[B, C, H, W]`, each `[B, C, S, S]` float32 in [0, 1].

    Both are channels_last. Where the policy begins with a crop, it is cut from the images as they
    are and resized once; other images are resized first (antialiased). `first` is the number of
    the first image, where these are a part of a batch.

    Raises:
        DataError: images of another form.
    """
    floats = to_unit_floats(images)
    size = (image_size, image_size)
    if len(view_plan.lists) == 1:
        # One pass over both views: an operation's fixed cost is paid once.
        draws = Draws(seed, replicate, step, (0, 1), len(images), images.device, first)
        one, other = _augment(floats.repeat(2, 1, 1, 1), view_plan.lists[0], draws, size).chunk(2)
    else:
        one, other = (
            _augment(
                floats,
                steps,
                Draws(seed, replicate, step, (view,), len(images), images.device, first),
                size,
            )
            for view, steps in enumerate(view_plan.lists)
        )
    return (
        one.contiguous(memory_format=torch.channels_last),
        other.contiguous(memory_format=torch.channels_last),
    )


def _augment(
    images: Tensor, steps: tuple[Step, ...], draws: Draws, size: tuple[int, int]
) -> Tensor:
    if steps and steps[0].op == "resized_crop" and tuple(images.shape[2:]) != size:
        crop, *rest = steps
        images = _crop_to_size(images, crop, draws, size)
        return run_steps(images, rest, draws)
    return run_steps(resize(images, size), steps, draws)


def _crop_to_size(images: Tensor, crop: Step, draws: Draws, size: tuple[int, int]) -> Tensor:
    """The gated crop, from larger or smaller images straight to the views' size."""
    height, width = images.shape[2:]
    u = draws.uniform(crop.instance, 1 + CROP_SLOTS)
    boxes = crop_boxes(u[:, 1:], crop.values, height, width)
    whole = boxes.new_tensor([0, 0, width, height])
    return crop_and_resize(images, torch.where(u[:, :1] < crop.p, boxes, whole), size)


class PlannedViews(nn.Module):
    """Maps uint8 or float images `[B, C, H, W]` to two views `[B, C, S, S]`.

    Every call in training mode draws new numbers, in every worker, rank and epoch (see
    `DrawStream`); in evaluation mode both views are the images themselves, made square and resized.
    The state dict holds what a resumed run needs to draw on.

    Args:
        image_size: S.
        surroundings: what is done to images before the policy and to views after it.
        rank, world_size: see `DrawStream`.

    Raises:
        ConfigError: see `DrawStream`.
    """

    def __init__(
        self,
        view_plan: ViewPlan,
        image_size: int,
        seed: int = 0,
        *,
        surroundings: Surroundings | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        super().__init__()
        self.view_plan = view_plan
        self.image_size = image_size
        self.surroundings = surroundings or Surroundings()
        self.stream = DrawStream(seed, rank, world_size)

    def set_step(self, step: int) -> None:
        """Let the next call in training mode be call number `step` (from 0)."""
        self.stream.step = step

    @torch.no_grad()
    def forward(self, images: Tensor) -> Views:
        images = self.surroundings.square(images)
        if self.training:
            first, second = self.render(images, *self.stream.next())
        else:
            first = second = resize(to_unit_floats(images), (self.image_size, self.image_size))
        return self.surroundings.normalised(first), self.surroundings.normalised(second)

    def render(self, images: Tensor, seed: int, step: int) -> Views:
        """The two views of a step."""
        return run_views(self.view_plan, images, self.image_size, seed=seed, step=step)

    def get_extra_state(self) -> dict[str, object]:
        """What `state_dict` holds: the calls so far, and how often each worker was started."""
        return self.stream.state()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on after `state`."""
        self.stream.set_state(state)

    def extra_repr(self) -> str:
        return f"image_size={self.image_size}, seed={self.stream.seed}, {self.surroundings}"
