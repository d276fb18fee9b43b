"""What a scene of each domain looks like: one function a domain, which plants the label's factor
and draws everything else at random.

Such a function maps (class name, generator of the plate, side of the canvas in pixels, generator of
the image) to a `Scene`. It knows nothing of policies or of what follows for them: that is
`domains.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from augsearch.data.embedded.camera import Exposure, draw_exposure, light_field
from augsearch.data.embedded.defects import DEFECTS, draw_dust, draw_oxide
from augsearch.data.embedded.ground import Field, draw_ground, draw_plate, smooth_noise
from augsearch.data.embedded.marks import draw_groove, draw_hatching, draw_seam, draw_weave

Label = Literal[
    "defect",
    "hue",
    "orientation",
    "brightness",
    "scale",
    "texture",
    "position",
    "hue_orientation",
    "hue_scale",
]

HUES = MappingProxyType({"blue": 222.0, "bronze": 18.0, "purple": 295.0, "straw": 50.0})
ANGLES = MappingProxyType({"deg_000": 0.0, "deg_045": 45.0, "deg_090": 90.0, "deg_135": 135.0})
LEVELS = MappingProxyType({"dark": 0.27, "dim": 0.325, "fair": 0.39, "light": 0.47})
PITCHES = MappingProxyType({"coarse": 3.0, "fine": 6.0, "medium": 4.2, "very_fine": 8.5})
WEAVES = ("grain", "grid", "lines")
OFFSETS = MappingProxyType(
    {"far_left": -0.23, "far_right": 0.23, "near_left": -0.11, "near_right": 0.11}
)
NEAR_HUES = MappingProxyType({"blue": 222.0, "purple": 295.0})
DIAGONALS = MappingProxyType({"deg_045": 45.0, "deg_135": 135.0})
TWO_PITCHES = MappingProxyType({"coarse": 4.0, "fine": 8.0})
MARKED = 0.1
"""From how much more or less light on a mark belongs to it."""


@dataclass(frozen=True)
class Scene:
    """What the camera looks at.

    Attributes:
        light: `[3, size, size]`, 1 is white.
        exposure: how it is taken.
        mark: `[size, size]` bool, what carries the label; None where all of the image does.
    """

    light: Field
    exposure: Exposure
    mark: NDArray[np.bool_] | None = None


Draw = Callable[[str, np.random.Generator, int, np.random.Generator], Scene]


def _defect(
    name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator
) -> Scene:
    plate = draw_plate(("brushed", "rolled", "milled"), plate_rng)
    exposure = draw_exposure(rng)
    direction = rng.uniform(0, 2 * np.pi)
    mark = DEFECTS[name](direction, exposure.direction, size, rng)
    ground = draw_ground(plate, direction, size, rng) * light_field(exposure, size)
    return Scene(plate.steel[:, None, None] * mark * draw_dust(size, rng) * ground, exposure)


def _sanded(
    plate_rng: np.random.Generator,
    exposure: Exposure,
    direction: float,
    hue: float,
    saturation: float,
    size: int,
    rng: np.random.Generator,
) -> Scene:
    """A sanded plate (other finishes hide or bend the direction) under a temper colour."""
    plate = draw_plate(("sanded",), plate_rng)
    oxide = draw_oxide(hue, saturation, size, rng)
    ground = draw_ground(plate, direction, size, rng) * light_field(exposure, size)
    return Scene(plate.steel[:, None, None] * oxide * draw_dust(size, rng) * ground, exposure)


def _hue(name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator) -> Scene:
    exposure = draw_exposure(rng)
    direction = rng.uniform(0, 2 * np.pi)
    hue, saturation = HUES[name] + rng.normal(0, 5), rng.uniform(0.08, 0.24)
    return _sanded(plate_rng, exposure, direction, hue, saturation, size, rng)


def _orientation(
    name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator
) -> Scene:
    exposure = draw_exposure(rng)
    rng.uniform()  # a direction, before the label's own: version 1 draws it
    direction = np.radians(ANGLES[name] + rng.normal(0, 4))
    hue, saturation = rng.uniform(0, 360), rng.uniform(0.08, 0.24)
    return _sanded(plate_rng, exposure, direction, hue, saturation, size, rng)


def _quiet(
    plate_rng: np.random.Generator,
    exposure: Exposure,
    tint: Field,
    size: int,
    rng: np.random.Generator,
) -> Scene:
    """A cast plate without direction, faintly blotched, under the tint `[3, size, size]`."""
    plate = draw_plate(("sanded",), plate_rng)
    blotches = np.exp(0.4 * plate.contrast * smooth_noise(5, size, rng))
    return Scene(
        plate.steel[:, None, None] * tint * blotches * light_field(exposure, size), exposure
    )


def _brightness(
    name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator
) -> Scene:
    """How much light the plate gives back in its strongest colour; lamp and sensor are steady."""
    drawn = draw_exposure(rng)
    level = LEVELS[name] * np.exp(rng.normal(0, 0.03))
    exposure = replace(drawn, level=level, lamp=0.3 * drawn.lamp, slope=0.5 * drawn.slope)
    tint = draw_oxide(rng.uniform(0, 360), rng.uniform(0.4, 0.85), size, rng)
    tint /= tint.max(axis=0)  # what a turn of the hue leaves as it is
    return _quiet(plate_rng, exposure, tint, size, rng)


def _scale(name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator) -> Scene:
    """The pitch of a hatching of any direction."""
    return _hatched(
        PITCHES[name], rng.uniform(0, 360), rng.uniform(0.02, 0.12), plate_rng, size, rng
    )


def _hatched(
    pitch: float,
    hue: float,
    saturation: float,
    plate_rng: np.random.Generator,
    size: int,
    rng: np.random.Generator,
) -> Scene:
    """A hatching of about `pitch` lines a side, in any direction, under a temper colour."""
    exposure = draw_exposure(rng)
    direction = rng.uniform(0, 2 * np.pi)
    hatching = draw_hatching(pitch * np.exp(rng.normal(0, 0.04)), direction, size, rng)
    tint = draw_oxide(hue, saturation, size, rng) * hatching
    return _quiet(plate_rng, exposure, tint, size, rng)


def _texture(
    name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator
) -> Scene:
    """The kind of a fine weave of any direction."""
    exposure = draw_exposure(rng)
    weave = draw_weave(name, 8 * np.exp(rng.normal(0, 0.05)), size, rng)
    tint = draw_oxide(rng.uniform(0, 360), rng.uniform(0.03, 0.12), size, rng)
    return _quiet(plate_rng, exposure, tint * weave, size, rng)


def _position(
    name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator
) -> Scene:
    """On which side of an upright seam a groove runs, and how far from it."""
    exposure = draw_exposure(rng)
    seam = rng.uniform(0.36, 0.64)
    groove = draw_groove(seam + OFFSETS[name] + rng.normal(0, 0.015), size, rng)
    tint = draw_oxide(rng.uniform(0, 360), rng.uniform(0.02, 0.08), size, rng)
    bead = draw_seam(seam, size, rng)
    scene = _quiet(plate_rng, exposure, tint * groove * bead, size, rng)
    return replace(scene, mark=(abs(groove - 1) > MARKED) | (abs(bead - 1) > MARKED))


def _hue_orientation(
    name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator
) -> Scene:
    """Temper colour and direction of sanding; how bright the light is says nothing."""
    hue, angle = name.split("-")
    drawn = draw_exposure(rng)
    exposure = replace(drawn, level=np.exp(rng.uniform(np.log(0.15), np.log(0.62))))
    direction = np.radians(DIAGONALS[angle] + rng.normal(0, 4))
    wanted = NEAR_HUES[hue] + rng.normal(0, 5)
    return _sanded(plate_rng, exposure, direction, wanted, rng.uniform(0.08, 0.24), size, rng)


def _hue_scale(
    name: str, plate_rng: np.random.Generator, size: int, rng: np.random.Generator
) -> Scene:
    """Temper colour and pitch of a hatching of any direction."""
    hue, pitch = name.split("-")
    wanted = NEAR_HUES[hue] + rng.normal(0, 5)
    return _hatched(TWO_PITCHES[pitch], wanted, rng.uniform(0.06, 0.2), plate_rng, size, rng)


def _pairs(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"{a}-{b}" for a in first for b in second)


SCENES: Mapping[Label, tuple[Draw, tuple[str, ...]]] = MappingProxyType(
    {
        # The place in this list seeds a domain's generators: new ones go to its end.
        "defect": (_defect, tuple(DEFECTS)),
        "hue": (_hue, tuple(HUES)),
        "orientation": (_orientation, tuple(ANGLES)),
        "brightness": (_brightness, tuple(LEVELS)),
        "scale": (_scale, tuple(PITCHES)),
        "texture": (_texture, WEAVES),
        "position": (_position, tuple(OFFSETS)),
        "hue_orientation": (_hue_orientation, _pairs(NEAR_HUES, DIAGONALS)),
        "hue_scale": (_hue_scale, _pairs(NEAR_HUES, TWO_PITCHES)),
    }
)
"""Label -> how its scenes are drawn, and its classes in alphabetical order."""
