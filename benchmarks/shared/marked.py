"""Planted images of which is known where what carries the label lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_marks, draw_surfaces
from augsearch.data.imageset import ImageSet

Planted = Literal["position", "texture"]
RADIUS = 0.22
"""Of a patch, in image sides; its edge is soft over a tenth of that."""


@dataclass(frozen=True)
class Marked:
    """Images, and `[N, S, S]` where what carries their label lies."""

    images: ImageSet
    marks: NDArray[np.bool_]

    def marks_of(self, images: ImageSet, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of rows of a part of the images."""
        places = {path: place for place, path in enumerate(self.images.paths)}
        return self.marks[[places[images.paths[row]] for row in rows.tolist()]]


def draw_marked(domain: Planted, per_class: int, seed: int) -> Marked:
    """An instance of a domain.

    `position`: the embedded domain; the marks are seam and groove. `texture`: its weaves fill the
    image, where every map would be right; so here a patch of them lies at random on a cast plate,
    and beside it a patch of hatching, as conspicuous, which says nothing.
    """
    spec = SurfaceSpec(domain, images_per_class=per_class, seed=seed)
    images = draw_surfaces(spec)
    if domain == "position":
        return Marked(images, draw_marks(spec))
    count, side = len(images), images.image_size
    rng = np.random.default_rng(seed)
    order = rng.permutation(count)
    plates, hatchings = (
        draw_surfaces(SurfaceSpec(label, images_per_class=per_class, seed=seed)).images[order]
        for label in ("brightness", "scale")
    )
    first, second = _centres(count, rng)
    patch, decoy = _disc(first, side)[:, None], _disc(second, side)[:, None]
    mixed = plates * (1 - patch - decoy) + images.images * patch + hatchings * decoy
    pixels = np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)
    marked = replace(images, images=pixels, digest=f"{images.digest}-patch")
    return Marked(marked, patch[:, 0] >= 0.5)


def _centres(
    count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`[count, 2]` twice: patches that lie within the image and do not touch each other."""
    pairs = rng.uniform(RADIUS, 1 - RADIUS, (200 * count, 2, 2))
    apart = np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1) > 2.2 * RADIUS
    kept = pairs[apart][:count]
    assert len(kept) == count
    return kept[:, 0], kept[:, 1]


def _disc(centres: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """`[n, side, side]`: 1 within, 0 outside."""
    pixels = (np.arange(side) + 0.5) / side
    across = pixels[None, None, :] - centres[:, 0, None, None]
    down = pixels[None, :, None] - centres[:, 1, None, None]
    away = np.sqrt(across**2 + down**2) / RADIUS
    return np.asarray(np.clip((1.05 - away) / 0.1, 0, 1))
