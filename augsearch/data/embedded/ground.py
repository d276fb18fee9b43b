"""The bare metal under everything: a worked plate, drawn as a random field.

Knows nothing of defects, light or cameras. A field is `[size, size]` float64 over the unit square;
float64, so that the last bits in which processors differ do not reach a uint8 pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Finish = Literal["brushed", "rolled", "milled", "sanded"]
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, the weights of grayscale augmentations


@dataclass(frozen=True)
class Plate:
    """What all images of one plate share.

    Attributes:
        finish: how the surface was worked.
        contrast: standard deviation of the texture's log reflectance.
        slope: exponent of the streaks' spectrum; large is coarse.
        pitch: tool marks per image side (milled plates).
        reach: distance of the tool's centre from the image, in image sides (milled plates).
        steel: `[3]` colour of the clean metal, of luma 1.
    """

    finish: Finish
    contrast: float
    slope: float
    pitch: float
    reach: float
    steel: Field


def draw_plate(finishes: tuple[Finish, ...], rng: np.random.Generator) -> Plate:
    """A random plate of one of `finishes`; sanded ones have coarse, deep streaks."""
    finish = finishes[rng.integers(len(finishes))]
    deep, coarse = (1.7, 0.5) if finish == "sanded" else (1.0, 0.0)
    return Plate(
        finish=finish,
        contrast=deep * rng.uniform(0.08, 0.17),
        slope=coarse + rng.uniform(0.3, 0.9),
        pitch=rng.uniform(6, 13),
        reach=rng.uniform(0.7, 2.0),
        steel=tint_colour(rng.uniform(0, 360), rng.uniform(0, 0.03)),
    )


def draw_ground(plate: Plate, direction: float, size: int, rng: np.random.Generator) -> Field:
    """Reflectance `[size, size]` of the clean plate, around 1.

    Args:
        plate: the plate that is looked at.
        direction: of brushing, rolling or feed: radians, anticlockwise from the image's x axis.
        size: side of the canvas in pixels.
        rng: draws this place on the plate.
    """
    if plate.finish in ("brushed", "sanded"):
        texture = _texture(direction, plate.slope, 0.9, (0.80, 0.10, 0.10), size, rng)
    elif plate.finish == "rolled":
        texture = _texture(direction, plate.slope, 4.0, (0.55, 0.20, 0.25), size, rng)
    else:
        marks = _tool_marks(plate, direction, size, rng)
        texture = 0.85 * marks + 0.5 * _texture(direction, 1.0, 1.2, (0.3, 0.4, 0.3), size, rng)
    return np.exp(plate.contrast * texture)


def tint_colour(hue: float, saturation: float) -> Field:
    """RGB factors `[3]` of luma 1 with a hue in degrees: a tint that leaves the luma as it is."""
    offsets = (hue / 60 + np.array([0.0, 4.0, 2.0])) % 6  # hue circle seen from each channel
    pure = np.clip(np.abs(offsets - 3) - 1, 0, 1)
    colour = 1 - saturation + saturation * pure
    return np.asarray(colour / (LUMA @ colour))


@lru_cache(maxsize=8)
def grid(size: int) -> tuple[Field, Field]:
    """Pixel centres in the unit square: x `[1, size]` to the right, y `[size, 1]` downwards."""
    centres = (np.arange(size) + 0.5) / size
    return centres[None, :], centres[:, None]


def smooth_noise(cutoff: float, size: int, rng: np.random.Generator) -> Field:
    """A field of unit variance whose details are wider than 1/`cutoff` of the side."""
    fx, fy = _frequencies(size)
    power = np.exp(-(fx**2 + fy**2) / cutoff**2)
    power[0, 0] = 0
    return _field(power, size, rng)


def _texture(
    direction: float,
    slope: float,
    shortness: float,
    shares: tuple[float, float, float],
    size: int,
    rng: np.random.Generator,
) -> Field:
    """Gaussian field of unit variance: streaks, fine grain and blotches in the given shares."""
    fx, fy = _frequencies(size)
    along = fx * np.cos(direction) - fy * np.sin(direction)
    across2 = (fx * np.sin(direction) + fy * np.cos(direction)) ** 2
    radius2 = fx**2 + fy**2
    no_light = radius2 / (radius2 + 4)  # slow changes belong to the lamp
    streaks = np.exp(-((along / shortness) ** 2)) * (1 + across2 / 49) ** -slope
    grain = radius2 / (radius2 + 400)
    blotches = np.exp(-radius2 / 25)
    parts = (streaks, grain, blotches)
    power = np.zeros_like(radius2)
    for share, part in zip(shares, parts, strict=True):
        shaped = part * no_light
        power += share * shaped / shaped.sum()
    return _field(power, size, rng)


def _tool_marks(plate: Plate, direction: float, size: int, rng: np.random.Generator) -> Field:
    """Arcs that a face mill leaves: one profile, repeated at every radius around its centre."""
    x, y = grid(size)
    jitter = rng.uniform(-0.3, 0.3)
    centre_x = 0.5 + (0.5 + plate.reach) * np.cos(direction + jitter)
    centre_y = 0.5 - (0.5 + plate.reach) * np.sin(direction + jitter)
    radius = np.sqrt((x - centre_x) ** 2 + (y - centre_y) ** 2)
    steps = np.arange(1024) / 1024 * 4  # radii 0 to 4 image sides
    wobble = np.cumsum(rng.standard_normal(1024)) * 0.02
    phase = 2 * np.pi * (plate.pitch * steps + wobble)
    profile = np.cos(phase) + 0.35 * np.cos(2 * phase) + 0.5 * rng.standard_normal(1024)
    marks: Field = np.interp(radius.ravel(), steps, profile).reshape(size, size)
    return marks


@lru_cache(maxsize=8)
def _frequencies(size: int) -> tuple[Field, Field]:
    """Cycles per side of a real FFT: fx `[1, size // 2 + 1]`, fy `[size, 1]`."""
    across = np.fft.rfftfreq(size, 1 / size).astype(np.float64)[None, :]
    down = np.fft.fftfreq(size, 1 / size).astype(np.float64)[:, None]
    return across, down


def _field(power: Field, size: int, rng: np.random.Generator) -> Field:
    """White noise filtered to a power spectrum, scaled to unit variance on average."""
    noise = np.fft.rfft2(rng.standard_normal((size, size)))
    halves = np.full(power.shape[1], 2.0)  # all but these columns stand for two frequencies
    halves[0] = 1
    if size % 2 == 0:
        halves[-1] = 1
    gain = np.sqrt(power * (size**2 / (power @ halves).sum()))
    return np.fft.irfft2(noise * gain, s=(size, size))
