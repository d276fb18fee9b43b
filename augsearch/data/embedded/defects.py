"""What can be wrong with a plate: each defect is a field that its reflectance is multiplied by.

A mark is `[1, size, size]` (grey) or `[3, size, size]` (coloured) float64 and 1 where the plate is
sound. Position, rotation, extent and strength are drawn; the light's direction shades the relief.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from augsearch.data.embedded.ground import Field, grid, smooth_noise, tint_colour

Mark = Callable[[float, float, int, np.random.Generator], Field]


def draw_dust(size: int, rng: np.random.Generator) -> Field:
    """Specks of dust, bright or dark, as they lie on plates of every class."""
    mark = np.ones((size, size))
    x, y = grid(size)
    for _ in range(rng.integers(0, 6)):
        radius = rng.uniform(0.006, 0.014)
        across = np.exp(-(((x - rng.uniform()) / radius) ** 2))
        down = np.exp(-(((y - rng.uniform()) / radius) ** 2))
        mark += rng.uniform(-0.6, 0.6) * across * down
    return mark[None]


def draw_oxide(hue: float, saturation: float, size: int, rng: np.random.Generator) -> Field:
    """A temper colour that lies over the plate in uneven thickness and leaves its luma alone."""
    thickness = 1 / (1 + np.exp(-2.5 * smooth_noise(1.8, size, rng) - rng.uniform(-1.2, 1.8)))
    return _tinted(tint_colour(hue, saturation), thickness)


def _scratch(direction: float, light: float, size: int, rng: np.random.Generator) -> Field:
    """A ploughed line, not along the streaks: bright (seldom dark) core, shaded far wall."""
    angle = direction + np.radians(rng.uniform(25, 155))
    x, y = grid(size)
    centre_x, centre_y = rng.uniform(0.25, 0.75, 2)
    along = (x - centre_x) * np.cos(angle) - (y - centre_y) * np.sin(angle)
    across = (x - centre_x) * np.sin(angle) + (y - centre_y) * np.cos(angle)
    bend = rng.uniform(-0.25, 0.25)
    half, width = rng.uniform(0.22, 0.5), rng.uniform(0.012, 0.022)
    core = rng.uniform(0.5, 1.1) if rng.uniform() < 0.75 else rng.uniform(-0.65, -0.45)
    mark = np.ones((size, size))
    for offset, strength in ((0.0, 1.0), (rng.uniform(0.05, 0.12), rng.uniform(-0.5, 0.7))):
        if strength < 0:  # no companion
            continue
        gap = across - offset - bend * along**2
        ends = 1 / (1 + np.exp((np.abs(along - offset) - half * strength) / 0.025))
        chatter = 1 + 0.25 * np.sin(along * rng.uniform(20, 60) + rng.uniform(0, 6))
        facing = width * 1.6 * np.sign(np.sin(angle - light))
        wall = np.exp(-(((gap + facing) / width) ** 2))
        line = core * chatter * np.exp(-((gap / width) ** 2)) - 0.3 * wall
        mark += strength * ends * line
    return mark[None]


def _pit(_direction: float, light: float, size: int, rng: np.random.Generator) -> Field:
    """A few craters close together: dark floors, and the rim away from the light gleams."""
    x, y = grid(size)
    centre_x, centre_y = rng.uniform(0.2, 0.8, 2)
    mark = np.ones((size, size))
    for number in range(rng.integers(1, 5)):
        radius = rng.uniform(0.04, 0.085) * (1 if number == 0 else 0.7)
        spread = 0 if number == 0 else 0.11
        dx = (x - centre_x - spread * rng.standard_normal()) / radius
        dy = (y - centre_y - spread * rng.standard_normal()) / radius
        squash = rng.uniform(-0.25, 0.25)
        distance2 = dx**2 * (1 + squash) + dy**2 * (1 - squash)
        floor = np.exp(-(distance2**2))
        rim = np.exp(-(((distance2 - 1.7) / 0.9) ** 2))
        lit = -(dx * np.cos(light) - dy * np.sin(light)) / np.sqrt(distance2 + 0.1)
        mark *= 1 - rng.uniform(0.5, 0.75) * floor + rim * (0.12 + 0.4 * lit)
    return np.maximum(mark, 0.05)[None]


def _crack(_direction: float, _light: float, size: int, rng: np.random.Generator) -> Field:
    """A dark, jagged line that tapers and branches."""
    heading = rng.uniform(0, 2 * np.pi)
    steps = int(rng.integers(7, 13))
    start = rng.uniform(0.35, 0.65, 2) - 0.3 * np.array([np.cos(heading), np.sin(heading)])
    trunk = _walk(start, heading, steps, rng)
    paths = [trunk]
    for _ in range(rng.integers(0, 3)):
        joint = int(rng.integers(2, steps - 1))
        turn = rng.choice((-1, 1)) * rng.uniform(0.6, 1.1)
        paths.append(_walk(trunk[joint], heading + turn, int(rng.integers(3, 5)), rng))
    width = rng.uniform(0.011, 0.02)
    depth = np.zeros((size, size))
    for path in paths:
        taper = np.linspace(1, 0.4, len(path) - 1)
        for (x0, y0), (x1, y1), thin in zip(path[:-1], path[1:], taper, strict=True):
            distance2 = _distance2(x0, y0, x1, y1, size)
            np.maximum(depth, np.exp(-distance2 / (width * thin) ** 2), out=depth)
    return (1 - rng.uniform(0.6, 0.9) * depth)[None]


def _stain(_direction: float, _light: float, size: int, rng: np.random.Generator) -> Field:
    """Dried coolant: a brown blob with an uneven edge."""
    blob, shade = _blob(size, rng)
    return shade * _tinted(tint_colour(rng.uniform(22, 48), rng.uniform(0.15, 0.4)), blob)


def _heat_tint(_direction: float, _light: float, size: int, rng: np.random.Generator) -> Field:
    """Overheated metal, purple to blue. In luma it is a stain: hue alone tells them apart."""
    blob, shade = _blob(size, rng)
    core, rim = rng.uniform(205, 235), rng.uniform(265, 300)
    saturation = rng.uniform(0.15, 0.4)
    tint = _tinted(tint_colour(rim, saturation), blob)
    core_share = blob**3
    return shade * (tint + core_share * (tint_colour(core, saturation)[:, None, None] - tint))


def _clean(_direction: float, _light: float, _size: int, _rng: np.random.Generator) -> Field:
    return np.ones((1, 1, 1))


DEFECTS: Mapping[str, Mark] = MappingProxyType(
    {
        "clean": _clean,
        "crack": _crack,
        "heat_tint": _heat_tint,
        "pit": _pit,
        "scratch": _scratch,
        "stain": _stain,
    }
)
"""Class name to `mark(direction, light, size, rng)`, both angles in radians."""


def _tinted(colour: Field, coverage: Field) -> Field:
    """`[3, size, size]` factors: `colour` where `coverage` `[size, size]` is 1, none where 0."""
    return 1 + coverage * (colour - 1)[:, None, None]


def _blob(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Coverage in [0, 1] of an irregular blob, and its darkening with a ring where it dried."""
    x, y = grid(size)
    dx, dy = x - rng.uniform(0.25, 0.75), y - rng.uniform(0.25, 0.75)
    angle = np.arctan2(dy, dx)
    outline = rng.uniform(0.16, 0.3) * np.ones((size, size))
    for wave in (2, 3, 5):
        outline *= 1 + rng.uniform(0, 0.5 / wave) * np.sin(wave * angle + rng.uniform(0, 6))
    edge = (outline - np.sqrt(dx**2 + dy**2)) / rng.uniform(0.025, 0.06)
    coverage = 1 / (1 + np.exp(np.clip(-edge, -50, 50)))
    ring = np.exp(-((edge - 1.5) ** 2) / 3)
    patchy = np.clip(1 + 0.25 * smooth_noise(6, size, rng), 0, 1.4)
    shade = 1 - rng.uniform(0.08, 0.25) * patchy * coverage - rng.uniform(0, 0.2) * ring
    return coverage, shade


def _walk(start: Field, heading: float, steps: int, rng: np.random.Generator) -> Field:
    """Corners `[steps + 1, 2]` of a jagged path that keeps its heading on the whole."""
    headings = heading + rng.uniform(-0.8, 0.8, steps)
    lengths = rng.uniform(0.045, 0.085, steps)
    moves = np.stack([np.cos(headings), np.sin(headings)], axis=1) * lengths[:, None]
    return np.concatenate([start[None], start + np.cumsum(moves, axis=0)])


def _distance2(x0: float, y0: float, x1: float, y1: float, size: int) -> Field:
    """Squared distance of every pixel from the segment between two points."""
    x, y = grid(size)
    length_x, length_y = x1 - x0, y1 - y0
    share = ((x - x0) * length_x + (y - y0) * length_y) / (length_x**2 + length_y**2)
    share = np.clip(share, 0, 1)
    return (x - x0 - share * length_x) ** 2 + (y - y0 - share * length_y) ** 2
