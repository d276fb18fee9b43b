"""Plain marks on a plate that carry a planted factor: hatching, specks, a seam, rivets.

Each is a field `[size, size]` float64 that the reflectance is multiplied by, as in
`surface_defects`. Lengths are in image sides, places run to the right and down.
"""

from __future__ import annotations

import numpy as np

from augsearch.data.embedded.ground import Field, grid, smooth_noise


def draw_hatching(pitch: float, direction: float, size: int, rng: np.random.Generator) -> Field:
    """`pitch` parallel lines a side, running along `direction` (radians), slightly wavy."""
    x, y = grid(size)
    across = x * np.sin(direction) + y * np.cos(direction)
    wobble = 0.5 * smooth_noise(1.5, size, rng)
    phase = 2 * np.pi * pitch * across + wobble + rng.uniform(0, 2 * np.pi)
    return np.asarray(np.exp(rng.uniform(0.2, 0.4) * np.sin(phase)))


def draw_weave(kind: str, pitch: float, size: int, rng: np.random.Generator) -> Field:
    """A pattern of about `pitch` periods a side, turned at random; all kinds have the same power.

    Args:
        kind: `lines` (one wave), `grid` (two crossed ones) or `grain` (waves of all directions).
    """
    waves = {"lines": 1, "grid": 2, "grain": 24}[kind]
    x, y = grid(size)
    turn = rng.uniform(0, 2 * np.pi)
    angles = turn + np.arange(waves) * np.pi / waves
    phases = rng.uniform(size=waves)
    pattern = np.zeros((size, size))
    for angle, phase in zip(angles, phases, strict=True):
        across = x * np.sin(angle) + y * np.cos(angle)
        pattern += np.sqrt(2 / waves) * np.sin(2 * np.pi * (pitch * across + phase))
    return np.asarray(np.exp(rng.uniform(0.2, 0.35) * pattern))


def draw_seam(at: float, size: int, rng: np.random.Generator) -> Field:
    """An upright weld at x = `at`: a bright bead between two dark edges, alike on both sides."""
    x, y = grid(size)
    away = np.abs(x - at - 0.006 * smooth_noise(2, size, rng))
    width = rng.uniform(0.025, 0.035)
    bead = np.exp(-((away / width) ** 2))
    edges = np.exp(-(((away - 2 * width) / width) ** 2))
    return np.asarray(1 + rng.uniform(0.8, 1.2) * bead - rng.uniform(0.3, 0.5) * edges + 0 * y)


def draw_groove(at: float, size: int, rng: np.random.Generator) -> Field:
    """An upright dark groove at x = `at`."""
    x, y = grid(size)
    width = rng.uniform(0.04, 0.05)
    away = (x - at - 0.006 * smooth_noise(2, size, rng)) / width
    return np.asarray(1 - rng.uniform(0.65, 0.85) * np.exp(-(away**2)) + 0 * y)
