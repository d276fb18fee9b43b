"""Pairs of views as training makes them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.augment.build import Renderer
from augsearch.pictures.figures import views_png

PAIRS = 2

Pixels = NDArray[np.uint8]


def draw_views(renderer: Renderer, images: torch.Tensor, seed: int) -> bytes:
    """A PNG of uint8 images `[N, C, H, W]`, each with four views, and of who rendered them."""
    return views_png(
        images.cpu().numpy(),
        first_views(renderer, images, seed),
        ["original", *("view 1", "view 2") * PAIRS],
        footnote=f"rendered by: {renderer.executor}",
    )


def first_views(renderer: Renderer, images: torch.Tensor, seed: int) -> tuple[Pixels, ...]:
    """The views of the first steps, view 1 and view 2 in turn, each `[N, C, S, S]`."""
    pairs = (pair_of_views(renderer, images, seed=seed, step=step) for step in range(PAIRS))
    return tuple(view for pair in pairs for view in pair)


def pair_of_views(
    renderer: Renderer, images: torch.Tensor, *, seed: int, step: int
) -> tuple[Pixels, Pixels]:
    """View 1 and view 2 of uint8 images `[N, C, H, W]` as training makes them in that step."""
    both = renderer(images, min(images.shape[2:]), seed=seed, step=step)
    first, second = (255 * both).round().byte().cpu().chunk(2)
    return first.numpy(), second.numpy()
