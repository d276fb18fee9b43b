"""From a policy to its views, by the executor of one's choice."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Unpack

import torch
from torch import Tensor, nn

from augsearch.augment.draws import Draws
from augsearch.augment.executor import check_bytes_or_images
from augsearch.augment.fused.plan import FusedPlan, fuse, run_fused
from augsearch.augment.views import (
    PlannedViews,
    ViewPlan,
    Views,
    plan_views,
    run_views,
    surroundings_of,
)
from augsearch.errors import CarryOverWarning, ConfigError
from augsearch.space.handbook.carry_over import carry_over_note
from augsearch.space.policy import Policy
from augsearch.space.view_options import Executor, Fit, ViewOptions


@dataclass(frozen=True)
class Renderer:
    """Renders a policy's views of a batch.

    Attributes:
        view_plan: the steps, as the reference runs them.
        fused: the same as passes; None if the reference runs all.
        compile: whether the fused executor compiles its colour arithmetic, some 15 s once.
    """

    view_plan: ViewPlan
    fused: tuple[FusedPlan, ...] | None
    compile: bool = False

    @classmethod
    def build(
        cls, policy: Policy, executor: Executor = "auto", *, compile: bool = False
    ) -> Renderer:
        """The renderer of a policy.

        Raises:
            ConfigError: an operation has no implementation in that executor.
        """
        view_plan = plan_views(policy)
        if executor == "kornia":
            return cls(view_plan, None)
        renderer = cls(view_plan, tuple(fuse(steps) for steps in view_plan.lists), compile)
        if executor == "fused" and renderer.fallbacks:
            raise ConfigError(
                f"policy {policy.name!r}: the fused executor does not know "
                f"{', '.join(renderer.fallbacks)}; use `executor: auto`, which runs them on "
                "Kornia, or `executor: kornia`"
            )
        return renderer

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Operations that run on the reference inside a policy that is fused otherwise."""
        return tuple(sorted({name for plan in self.fused or () for name in plan.fallbacks}))

    @property
    def executor(self) -> str:
        """Who runs the policy, for people: `kornia`, `fused` or `fused; kornia: clahe, jpeg`."""
        if self.fused is None:
            return "kornia"
        return f"fused; kornia: {', '.join(self.fallbacks)}" if self.fallbacks else "fused"

    @torch.no_grad()
    def __call__(
        self,
        images: Tensor,
        image_size: int,
        *,
        seed: int,
        replicate: int = 0,
        step: int = 0,
        first: int = 0,
        finish: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Both views of uint8 or float images `[B, C, H, W]`: `[2B, C, S, S]`, view 1 first.

        float32, channels_last, in [0, 1] before `finish`, which may write into its argument. The
        same numbers are drawn whatever the executor. `first` is the number of the first image,
        where these are a part of a batch.

        Raises:
            DataError: images of another form.
        """
        if self.fused is None:
            views = run_views(
                self.view_plan,
                images,
                image_size,
                seed=seed,
                replicate=replicate,
                step=step,
                first=first,
            )
            both = torch.cat(views)
            return finish(both) if finish else both

        def draws_of(views: tuple[int, ...]) -> Draws:
            return Draws(seed, replicate, step, views, len(images), images.device, first)

        check_bytes_or_images(images)
        # Mixed precision is for the encoder: pixels keep their 24 bits.
        with torch.autocast(images.device.type, enabled=False):
            return run_fused(self.fused, images, image_size, draws_of, finish, compile=self.compile)

    def function(
        self, seed: int, replicate: int, image_size: int | None = None, *, first: int = 0
    ) -> Callable[[Tensor, int], Views]:
        """A function (batch, step) -> two views, for the pretraining loop.

        Without `image_size` the views are as large as the images' shorter side. `first`: see
        `__call__`.
        """

        def views_of(images: Tensor, step: int) -> Views:
            size = image_size or min(images.shape[2:])
            both = self(images, size, seed=seed, replicate=replicate, step=step, first=first)
            one, other = both.chunk(2)
            return one, other

        return views_of


class TwoViews(PlannedViews):
    """`PlannedViews` of a policy on the faster executor; what `build_views` returns.

    Copies for other processes are made from the policy again: compiled code and functions of a
    user's own file cannot be sent.
    """

    def __init__(
        self,
        policy: Policy,
        image_size: int,
        seed: int = 0,
        executor: Executor = "auto",
        *,
        fit: Fit | None = None,
        normalise: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        renderer = Renderer.build(policy, executor)
        super().__init__(
            renderer.view_plan,
            image_size,
            seed,
            surroundings=surroundings_of(policy).chosen(fit, normalise),
            rank=rank,
            world_size=world_size,
        )
        self.policy = policy
        self.executor: Executor = executor
        self.renderer = renderer

    def render(self, images: Tensor, seed: int, step: int) -> Views:
        both = self.renderer(images, self.image_size, seed=seed, step=step)
        first, second = both.chunk(2)
        return first, second

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("renderer", "view_plan")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.renderer = Renderer.build(self.policy, self.executor)
        self.view_plan = self.renderer.view_plan


def build_views(
    policy: Policy,
    image_size: int,
    seed: int = 0,
    executor: Executor = "auto",
    **options: Unpack[ViewOptions],
) -> nn.Module:
    """Build a module that maps images `[B, C, H, W]` to two views, for any training loop.

    Input is uint8, or float in [0, 1]; both views are float32 `[B, C, S, S]` in [0, 1],
    S = `image_size`. Every call in training mode draws new numbers, never from the global
    generators; they follow from `seed`, the call's number, the worker of a DataLoader, its epoch
    and the rank of a distributed run (`augment.stream.DrawStream`). The state dict holds what a
    resumed run needs to draw on.

    Args:
        fit: how images become square, as `data.fit` of a study; None for that of the study that
            found the policy, and `squash` if it does not say.
        normalise: views less the mean of the images that the policy was found on, over their
            standard deviation.
        rank, world_size: of a distributed run; None to ask `torch.distributed`.

    Warns (`CarryOverWarning`) of operations that need not do there what they did at the size at
    which the policy was found.

    Raises:
        ConfigError: the executor (`auto`, `kornia`, `fused`) does not know an operation, or what
            is asked for is not known.
    """
    if note := carry_over_note(policy, image_size):
        warnings.warn(note, CarryOverWarning, stacklevel=_level_outside())
    return TwoViews(policy, image_size, seed, executor, **options)


def _level_outside() -> int:
    """The stack level of the nearest caller that is not this package, whose line a warning names;
    `Policy.build` is one call further away than `build_views`."""
    frame, level = sys._getframe(1), 1
    while frame.f_globals["__name__"].startswith("augsearch.") and frame.f_back:
        frame, level = frame.f_back, level + 1
    return level
