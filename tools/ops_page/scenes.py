"""Three pictures to show operations on, drawn by the program: steel, from above, a landscape."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from augsearch.data.embedded.camera import draw_exposure, light_field, take_image
from augsearch.data.embedded.defects import DEFECTS
from augsearch.data.embedded.ground import draw_ground, draw_plate
from tools.ops_page.canvas import OVERSAMPLING, Canvas

CROPS = (
    (0.42, 0.56, 0.23), (0.62, 0.66, 0.32), (0.74, 0.66, 0.42), (0.52, 0.41, 0.28),
    (0.31, 0.46, 0.22), (0.68, 0.58, 0.45), (0.50, 0.60, 0.34),
)  # fmt: skip
ROOFS = ((0.66, 0.30, 0.22), (0.58, 0.36, 0.28), (0.62, 0.62, 0.64), (0.80, 0.78, 0.74))


def scenes(image_size: int) -> NDArray[np.uint8]:
    """`[3, 3, image_size, image_size]` uint8: a steel plate, fields from above, a landscape."""
    return np.stack([steel(image_size), from_above(image_size), landscape(image_size)])


def steel(image_size: int, seed: int = 4) -> NDArray[np.uint8]:
    """A milled plate with a crack and a heat tint, as the embedded surfaces are drawn."""
    rng = np.random.default_rng(seed)
    side = OVERSAMPLING * image_size
    plate, exposure = draw_plate(("milled",), rng), draw_exposure(rng)
    direction = rng.uniform(0, 2 * np.pi)
    marks = [DEFECTS[n](direction, exposure.direction, side, rng) for n in ("heat_tint", "crack")]
    ground = draw_ground(plate, direction, side, rng) * light_field(exposure, side)
    scene = plate.steel[:, None, None] * marks[0] * marks[1] * ground
    return take_image(scene, exposure, image_size, rng)


def from_above(image_size: int, seed: int = 3) -> NDArray[np.uint8]:
    """Fields with rows of crop, a wood, a river, two roads and a village."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(image_size, rng)
    _fields(canvas, angle=0.3)
    _wood(canvas)
    _river(canvas)
    _roads_and_village(canvas, angle=0.3)
    canvas.shade(1 + 0.03 * canvas.noise(3) + 0.05 * canvas.noise(60))
    return canvas.picture()


def _fields(canvas: Canvas, angle: float) -> None:
    """Strips of parcels along one direction, each with a crop of its own in rows."""
    along, across = canvas.turned((0.5, 0.5), angle)
    strips = np.array([-0.9, -0.52, -0.27, 0.02, 0.24, 0.5, 0.9])
    for low, high in pairwise(strips):
        ends = np.arange(-0.9, 0.9, 0.36) + canvas.rng.uniform(-0.12, 0.12, 5)
        for left, right in zip(ends, [*ends[1:], 1.0], strict=True):
            parcel = (across >= low) & (across < high) & (along >= left) & (along < right)
            crop = np.array(CROPS[canvas.rng.integers(len(CROPS))])
            crop *= canvas.rng.uniform(0.9, 1.1)
            rows = np.cos(2 * np.pi * canvas.rng.uniform(22, 34) * (
                across if canvas.rng.random() < 0.6 else along
            ))  # fmt: skip
            depth = canvas.rng.uniform(0.02, 0.13)
            canvas.paint(parcel, crop * (1 + depth * rows)[..., None])
            rim = np.minimum.reduce([across - low, high - across, along - left, right - along])
            canvas.paint(parcel & (rim < 0.006), (0.33, 0.38, 0.22))


def _wood(canvas: Canvas) -> None:
    distance = np.hypot(canvas.x - 0.1, canvas.y - 0.93) + 0.03 * canvas.noise(9)
    wood = distance < 0.34
    crowns = canvas.noise(55)
    green = np.array([0.12, 0.25, 0.12]) * (1 + 0.28 * crowns)[..., None]
    canvas.paint((distance < 0.355) & ~wood & (canvas.x > 0), (0.2, 0.28, 0.14))
    canvas.paint(wood, green)


def _river(canvas: Canvas) -> None:
    course = 0.76 + 0.09 * np.sin(5.2 * canvas.y + 0.4) + 0.025 * np.sin(13 * canvas.y)
    distance = np.abs(canvas.x - course + 0.004 * canvas.noise(14))
    canvas.paint(distance < 0.058, (0.30, 0.40, 0.20))
    canvas.paint(distance < 0.047, (0.74, 0.69, 0.54))
    canvas.paint(distance < 0.038, (0.15, 0.30, 0.42))
    canvas.paint(distance < 0.020, (0.11, 0.24, 0.38))


def _roads_and_village(canvas: Canvas, angle: float) -> None:
    along, across = canvas.turned((0.36, 0.42), angle)
    canvas.paint(np.abs(across) < 0.017, (0.78, 0.76, 0.72))
    canvas.paint(np.abs(across) < 0.011, (0.46, 0.46, 0.48))
    canvas.paint((np.abs(along) < 0.011) & (across < 0), (0.80, 0.74, 0.62))
    cosine, sine = np.cos(angle), np.sin(angle)
    for place in (-0.25, -0.16, -0.07, 0.08, 0.17):
        for side in (-1, 1):
            if canvas.rng.random() < 0.15:
                continue
            u = place + canvas.rng.uniform(-0.012, 0.012)
            v = side * canvas.rng.uniform(0.055, 0.07)
            centre = (0.36 + u * cosine - v * sine, 0.42 + u * sine + v * cosine)
            size = (canvas.rng.uniform(0.05, 0.07), canvas.rng.uniform(0.036, 0.05))
            roof = np.array(ROOFS[canvas.rng.integers(len(ROOFS))])
            shadow = (centre[0] + 0.012, centre[1] + 0.014)
            canvas.paint(0.6 * canvas.box(shadow, size, angle), (0.08, 0.09, 0.10))
            _, slope = canvas.turned(centre, angle)
            light = np.where(slope < 0, 1.1, 0.8)[..., None]
            canvas.paint(canvas.box(centre, size, angle), roof * light)


def landscape(image_size: int, seed: int = 1) -> NDArray[np.uint8]:
    """Sky, hills, a meadow with a house, a tree and a red ball, lit from the upper left."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(image_size, rng)
    _sky_and_hills(canvas)
    _house(canvas)
    _tree(canvas)
    _ball(canvas, (0.56, 0.85), 0.085)
    return canvas.picture()


def _sky_and_hills(canvas: Canvas) -> None:
    height = canvas.y[..., None]
    canvas.paint(np.ones_like(canvas.x), np.array([0.36, 0.58, 0.86]) + 0.75 * height * np.array(
        [0.9, 0.6, 0.2]
    ))  # fmt: skip
    clouds = 1.1 * canvas.noise(4) + 0.3 * canvas.noise(12) - 4 * np.abs(canvas.y - 0.16)
    canvas.paint(0.9 * np.clip(0.8 * clouds, 0, 1), (0.97, 0.97, 0.98))
    hills = (
        (0.44, 0.05, 5.0, 0.3, (0.50, 0.60, 0.72)),
        (0.50, 0.045, 7.0, 2.2, (0.34, 0.48, 0.46)),
        (0.565, 0.03, 4.2, 4.4, (0.25, 0.42, 0.24)),
    )
    for level, swing, waves, phase, colour in hills:
        ridge = level + swing * np.sin(waves * canvas.x + phase)
        ridge += 0.3 * swing * np.sin(2.7 * waves * canvas.x + 2 * phase)
        light = 1 + 0.05 * canvas.noise(25)
        canvas.paint(canvas.y > ridge, np.array(colour) * light[..., None])
    meadow = canvas.y > 0.63 + 0.015 * np.sin(6 * canvas.x)
    grass = 1 + 0.1 * canvas.noise(60) * (canvas.y - 0.4) + 0.06 * canvas.noise(6)
    near = np.clip((canvas.y - 0.63) / 0.37, 0, 1)[..., None]
    colour = (1 - near) * np.array([0.52, 0.66, 0.28]) + near * np.array([0.30, 0.50, 0.17])
    canvas.paint(meadow, colour * grass[..., None])
    middle = 0.40 + 0.25 * (canvas.y - 0.7) ** 2
    path = np.abs(canvas.x - middle) < 0.012 + 0.22 * np.clip(canvas.y - 0.69, 0, 1)
    canvas.paint(path & (canvas.y > 0.69), (0.76, 0.68, 0.52))


def _house(canvas: Canvas) -> None:
    canvas.paint(0.35 * canvas.disc((0.44, 0.715), 0.19, 0.12), (0.05, 0.1, 0.05))
    front = canvas.box((0.34, 0.61), (0.17, 0.19), 0)
    canvas.paint(front, (0.93, 0.89, 0.80))
    side = canvas.box((0.485, 0.61), (0.12, 0.19), 0)
    canvas.paint(side, (0.66, 0.62, 0.58))
    top, eaves = 0.40, 0.52
    rise = (canvas.y - top) / (eaves - top)
    gable = (rise > 0) & (rise <= 1) & (np.abs(canvas.x - 0.34) < 0.085 * rise)
    canvas.paint(gable, (0.93, 0.89, 0.80))
    left, right = 0.34 + 0.095 * rise, 0.465 + 0.09 * rise
    roof = (rise > -0.03) & (rise <= 1.05) & (canvas.x > left - 0.012) & (canvas.x < right)
    tiles = 1 + 0.1 * np.cos(2 * np.pi * 9 * rise)
    canvas.paint(roof, np.array([0.70, 0.25, 0.17]) * tiles[..., None])
    verge = (rise > -0.03) & (rise <= 1.08) & (
        np.abs(np.abs(canvas.x - 0.34) - 0.088 * rise) < 0.011
    )  # fmt: skip
    canvas.paint(verge & (canvas.x < 0.37 + 0.1 * rise), (0.52, 0.17, 0.12))
    canvas.paint(canvas.box((0.315, 0.66), (0.042, 0.09), 0), (0.25, 0.33, 0.52))
    canvas.paint(canvas.box((0.385, 0.61), (0.04, 0.045), 0), (0.20, 0.27, 0.33))
    canvas.paint(canvas.box((0.485, 0.60), (0.05, 0.045), 0), (0.15, 0.19, 0.24))


def _tree(canvas: Canvas) -> None:
    canvas.paint(0.4 * canvas.disc((0.83, 0.765), 0.17, 0.17), (0.04, 0.08, 0.04))
    canvas.paint(canvas.box((0.79, 0.66), (0.035, 0.22), 0), (0.36, 0.25, 0.17))
    canvas.paint(canvas.box((0.80, 0.66), (0.014, 0.22), 0), (0.25, 0.17, 0.12))
    leaves = canvas.noise(40)
    crowns = ((0.79, 0.42, 0.15), (0.70, 0.48, 0.10), (0.885, 0.49, 0.10), (0.79, 0.53, 0.12))
    for x, y, radius in crowns:
        edge = np.hypot(canvas.x - x, canvas.y - y) + 0.008 * leaves
        lit = (canvas.x - x + canvas.y - y) / radius  # -1 towards the light
        light = np.clip(0.85 - 0.4 * lit + 0.14 * leaves, 0.25, 1.6)
        canvas.paint(edge < radius, np.array([0.24, 0.44, 0.15]) * light[..., None])


def _ball(canvas: Canvas, centre: tuple[float, float], radius: float) -> None:
    shadow = (centre[0] + 0.06, centre[1] + 0.8 * radius)
    canvas.paint(0.45 * canvas.disc(shadow, 1.2 * radius, 0.28), (0.04, 0.08, 0.03))
    ball = canvas.disc(centre, radius)
    dx, dy = (canvas.x - centre[0]) / radius, (canvas.y - centre[1]) / radius
    depth = np.sqrt(np.clip(1 - dx**2 - dy**2, 0, 1))
    light = np.clip(-0.5 * dx - 0.6 * dy + 0.62 * depth, 0, 1)
    stripe = np.abs(dy + 0.25 * dx) < 0.22
    body = np.where(stripe[..., None], [0.95, 0.85, 0.25], [0.86, 0.14, 0.13])
    canvas.paint(ball, body * (0.3 + 0.75 * light)[..., None])
    canvas.paint(0.9 * np.clip(14 * (light - 0.93), 0, 1) * ball, (1.0, 1.0, 1.0))
