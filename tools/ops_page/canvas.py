"""A canvas to paint scenes on, larger than the picture that is made of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augsearch.data.embedded.ground import grid, smooth_noise

Field = NDArray[np.floating]
Mask = NDArray[np.bool_]
OVERSAMPLING = 6


class Canvas:
    """A square of colour, painted from back to front.

    Attributes:
        x, y: pixel centres in the unit square, `[side, side]`; y runs downwards.
        colour: `[side, side, 3]` in [0, 1].
    """

    def __init__(self, image_size: int, rng: np.random.Generator) -> None:
        self.side = OVERSAMPLING * image_size
        self.rng = rng
        across, down = grid(self.side)
        self.x = np.broadcast_to(across, (self.side, self.side))
        self.y = np.broadcast_to(down, (self.side, self.side))
        self.colour = np.zeros((self.side, self.side, 3))

    def paint(self, where: Mask | Field, colour: tuple[float, float, float] | Field) -> None:
        """Cover `where` (bool, or opacity in [0, 1], `[side, side]`) with a colour or colours."""
        opacity = np.asarray(where, dtype=np.float64)[..., None]
        self.colour += opacity * (np.asarray(colour) - self.colour)

    def shade(self, factor: Field, where: Mask | None = None) -> None:
        """Multiply with `factor` `[side, side]`, everywhere or on a mask."""
        kept = factor if where is None else np.where(where, factor, 1.0)
        self.colour *= kept[..., None]

    def noise(self, cutoff: float) -> Field:
        """`[side, side]` of unit variance, details wider than 1/`cutoff` of the side."""
        return smooth_noise(cutoff, self.side, self.rng)

    def box(self, centre: tuple[float, float], size: tuple[float, float], angle: float) -> Mask:
        """A rectangle with sides `size`, turned by `angle` (radians)."""
        u, v = self.turned(centre, angle)
        return (np.abs(u) < size[0] / 2) & (np.abs(v) < size[1] / 2)

    def disc(self, centre: tuple[float, float], radius: float, flatness: float = 1.0) -> Mask:
        """An ellipse: `flatness` is its height over its width."""
        dx, dy = self.x - centre[0], (self.y - centre[1]) / flatness
        return np.asarray(dx**2 + dy**2 < radius**2)

    def turned(self, centre: tuple[float, float], angle: float) -> tuple[Field, Field]:
        """Coordinates along and across a direction, from `centre`."""
        dx, dy = self.x - centre[0], self.y - centre[1]
        cosine, sine = np.cos(angle), np.sin(angle)
        return dx * cosine + dy * sine, dy * cosine - dx * sine

    def picture(self) -> NDArray[np.uint8]:
        """`[3, image_size, image_size]` uint8: the mean over each pixel's area."""
        pixels = self.side // OVERSAMPLING
        tiles = np.clip(self.colour, 0, 1).reshape(pixels, OVERSAMPLING, pixels, OVERSAMPLING, 3)
        means: Field = tiles.mean(axis=(1, 3))
        return np.rint(255 * means).astype(np.uint8).transpose(2, 0, 1)
