"""Pictures of what policies do to a study's own images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from augsearch.augment.build import Renderer
from augsearch.bench.bench import Bench
from augsearch.data.imageset import ImageRows
from augsearch.pictures.figures import views_png
from augsearch.space.policy import Policy

Pixels = NDArray[np.uint8]
PAIRS = 2


def views_painter(bench: Bench, count: int = 6) -> Callable[[Policy], bytes]:
    """A function that draws a policy's views of a few of the study's images as PNG."""
    pool = bench.split.pool
    labels = bench.image_set.labels[pool]
    # One image of each class while they last, so that no class stays unseen.
    order = sorted(range(len(pool)), key=lambda i: (int((labels[:i] == labels[i]).sum()), i))
    rows = pool[order[:count]]
    images = torch.from_numpy(ImageRows(bench.image_set.images, rows)[:]).to(bench.device)
    classes = (*bench.image_set.classes, "")  # UNLABELLED is -1
    names = [classes[label] for label in bench.image_set.labels[rows]]

    return lambda policy: draw_views(bench.renderer(policy), images, bench.seed, names)


def draw_views(
    renderer: Renderer, images: torch.Tensor, seed: int, names: Sequence[str] = ()
) -> bytes:
    """A PNG of uint8 images `[N, C, H, W]`, each with four views and, if there are any, with its
    name; and of who rendered them."""
    return views_png(
        images.cpu().numpy(),
        first_views(renderer, images, seed),
        ["original", *("view 1", "view 2") * PAIRS],
        names=names,
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
