"""Light on a plate and the camera that looks at it: nuisance that every image has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augsearch.data.embedded.ground import Field, grid


@dataclass(frozen=True)
class Exposure:
    """How one image is lit and taken. Lengths are in image sides.

    Attributes:
        level: brightness of a white plate in the middle, of 1.
        direction: where the light comes from, radians anticlockwise from the x axis.
        slope: how much brighter the lit side is than the middle.
        lamp: strength of the lamp's own reflection.
        lamp_at: its centre `[2]`.
        lamp_length, lamp_width: its extent.
        vignette: loss in the corners.
        defocus: standard deviation of the blur.
        noise: standard deviation of the sensor's noise at full brightness, of 1.
        white_balance: `[3]` factors.
    """

    level: float
    direction: float
    slope: float
    lamp: float
    lamp_at: Field
    lamp_length: float
    lamp_width: float
    vignette: float
    defocus: float
    noise: float
    white_balance: Field


def draw_exposure(rng: np.random.Generator) -> Exposure:
    """Random light, focus and sensor settings."""
    return Exposure(
        level=float(np.exp(rng.uniform(np.log(0.27), np.log(0.62)))),
        direction=rng.uniform(0, 2 * np.pi),
        slope=rng.uniform(0, 0.35),
        lamp=rng.uniform(0, 0.4),
        lamp_at=rng.uniform(-0.1, 1.1, 2),
        lamp_length=rng.uniform(0.5, 1.2),
        lamp_width=rng.uniform(0.15, 0.4),
        vignette=rng.uniform(0, 0.25),
        defocus=rng.uniform(0.002, 0.014),
        noise=rng.uniform(0.008, 0.035),
        white_balance=np.exp(0.02 * rng.standard_normal(3)),
    )


def light_field(exposure: Exposure, size: int) -> Field:
    """Brightness `[size, size]` of a white plate under this light."""
    x, y = grid(size)
    cos, sin = np.cos(exposure.direction), np.sin(exposure.direction)
    towards = (x - 0.5) * cos - (y - 0.5) * sin
    dx, dy = x - exposure.lamp_at[0], y - exposure.lamp_at[1]
    across = (dx * cos - dy * sin) / exposure.lamp_width
    along = (dx * sin + dy * cos) / exposure.lamp_length
    gleam = exposure.lamp * np.exp(-0.5 * (across**2 + along**2))
    corners = 1 - exposure.vignette * 2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return np.asarray(exposure.level * (1 + 2 * exposure.slope * towards + gleam) * corners)


def take_image(
    scene: Field, exposure: Exposure, image_size: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """What the sensor reads: defocus, pixel areas, white balance, noise, 8 bits.

    Args:
        scene: `[3, size, size]` with `size` a multiple of `image_size`; 1 is white.
        exposure: how the image is taken.
        image_size: pixels of a side.
        rng: draws the noise.

    Returns:
        `[3, image_size, image_size]` uint8.
    """
    lens = _lens(exposure.defocus, scene.shape[-1], image_size)
    image = lens @ scene @ lens.T  # [3, image_size, image_size]
    image = np.clip(image * exposure.white_balance[:, None, None], 0, 1)
    image += exposure.noise * np.sqrt(image) * rng.standard_normal(image.shape)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _lens(defocus: float, size: int, image_size: int) -> Field:
    """Weights `[image_size, size]` of a Gaussian blur and then the mean over each pixel's area."""
    x, y = grid(size)
    blur = np.exp(-0.5 * ((x - y) / defocus) ** 2)
    blur /= blur.sum(axis=1, keepdims=True)
    return np.asarray(blur.reshape(image_size, size // image_size, size).mean(axis=1))
