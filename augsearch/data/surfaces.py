"""The embedded data set: inspection images of metal plates, drawn from a seed.

It serves two ends: a first study needs no data, and the truth is planted: `FACTORS` says which
factor of the drawing carries the label and which are nuisance, so a search can be checked against
it. What follows for augmentations:

- `label="defect"`: shape carries the label, and hue alone tells `heat_tint` from `stain`. Light,
  position and rotation are nuisance.
- `label="hue"`: temper colours on sanded plates. Hue jitter and grayscale destroy the label,
  rotation removes nuisance.
- `label="orientation"`: direction of sanding, under a temper colour of any hue: the same scenes,
  the roles exchanged. Free rotation destroys the label, and a flip along either axis does in part
  (it swaps 45 and 135 degrees); hue jitter and grayscale remove nuisance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from augsearch.data.imageset import ImageSet
from augsearch.data.surface_camera import draw_exposure, light_field, take_image
from augsearch.data.surface_defects import DEFECTS, draw_dust, draw_oxide
from augsearch.data.surface_ground import Finish, draw_ground, draw_plate
from augsearch.errors import ConfigError

Label = Literal["defect", "hue", "orientation"]
Factor = Literal[
    "shape", "hue", "orientation", "position", "light", "focus", "noise", "white_balance", "finish"
]

VERSION = 1  # of the drawing; a change of any pixel needs a new number
CANVAS = 96  # least side that a scene is drawn at before the camera makes pixels of it
PLATE_SIZES = (2, 3)  # images that successive plates give

HUES = MappingProxyType({"blue": 222.0, "bronze": 18.0, "purple": 295.0, "straw": 50.0})
ANGLES = MappingProxyType({"deg_000": 0.0, "deg_045": 45.0, "deg_090": 90.0, "deg_135": 135.0})
CLASSES: Mapping[Label, tuple[str, ...]] = MappingProxyType(
    {"defect": tuple(DEFECTS), "hue": tuple(HUES), "orientation": tuple(ANGLES)}
)


@dataclass(frozen=True)
class Factors:
    """Which factors of the drawing carry the label, and which vary without regard to it."""

    label: tuple[Factor, ...]
    nuisance: tuple[Factor, ...]


_CAMERA: tuple[Factor, ...] = ("light", "focus", "noise", "white_balance")
FACTORS: Mapping[Label, Factors] = MappingProxyType(
    {
        "defect": Factors(
            label=("shape", "hue"), nuisance=("orientation", "position", "finish", *_CAMERA)
        ),
        "hue": Factors(label=("hue",), nuisance=("orientation", "position", *_CAMERA)),
        "orientation": Factors(label=("orientation",), nuisance=("hue", "position", *_CAMERA)),
    }
)


@dataclass(frozen=True)
class SurfaceSpec:
    """What to draw.

    Attributes:
        label: the factor that carries the class.
        images_per_class: more of them leave the first ones as they are.
        image_size: pixels of a side.
        seed: of everything drawn.
        shuffle_labels: deal the labels out at random: a null set in which they carry nothing.

    Raises:
        ConfigError: a label that does not exist, or a number out of bounds.
    """

    label: Label = "defect"
    images_per_class: int = 150
    image_size: int = 32
    seed: int = 0
    shuffle_labels: bool = False

    def __post_init__(self) -> None:
        bounds = {"images_per_class": (1, 100_000), "image_size": (8, 1024), "seed": (0, 2**63 - 1)}
        for field, (low, high) in bounds.items():
            value = getattr(self, field)
            if not low <= value <= high:
                raise ConfigError(f"embedded surfaces: {field} {value} is not in {low}..{high}")
        if self.label not in CLASSES:
            known = ", ".join(CLASSES)
            raise ConfigError(f"embedded surfaces: label {self.label!r} is none of {known}")


def draw_surfaces(spec: SurfaceSpec) -> ImageSet:
    """Draw the colour images of `spec`, classes in turn; the same spec, the same images.

    A few images show one plate and share a group. `paths` name what was drawn, even where the
    labels are shuffled.
    """
    classes = CLASSES[spec.label]
    count = spec.images_per_class * len(classes)
    drawn = np.arange(count) % len(classes)
    ranks = np.arange(count) // len(classes)
    groups = np.array(
        [_plate_of(int(r)) * len(classes) + int(c) for r, c in zip(ranks, drawn, strict=True)]
    )
    images = np.stack([_draw_image(spec, i, int(groups[i])) for i in range(count)])
    labels = _rng(spec, _LABELS, 0).permutation(drawn) if spec.shuffle_labels else drawn
    note = f"drawn by the program: {count} images, the label is their {spec.label}"
    return ImageSet(
        name="inspection surfaces",
        images=images,
        labels=labels.astype(np.int64),
        classes=classes,
        groups=groups.astype(np.int64),
        fixed_split=("",) * count,
        paths=tuple(f"{classes[c]}/{r + 1:04d}" for c, r in zip(drawn, ranks, strict=True)),
        digest=_digest(spec, images),
        notes=(f"{note}, shuffled" if spec.shuffle_labels else note,),
    )


_IMAGE, _PLATE, _LABELS = range(3)


def _rng(spec: SurfaceSpec, purpose: int, number: int) -> np.random.Generator:
    """A generator of its own for each image and plate, so that none depends on their count."""
    key = (tuple(CLASSES).index(spec.label), purpose, number)
    return np.random.default_rng(np.random.SeedSequence(spec.seed, spawn_key=key))


def _plate_of(rank: int) -> int:
    """Number of the plate that the image of this rank in its class shows."""
    cycle, rest = divmod(rank, sum(PLATE_SIZES))
    return len(PLATE_SIZES) * cycle + int(np.searchsorted(np.cumsum(PLATE_SIZES), rest, "right"))


def _draw_image(spec: SurfaceSpec, index: int, group: int) -> NDArray[np.uint8]:
    """`[3, image_size, image_size]` of one place on one plate."""
    classes = CLASSES[spec.label]
    name = classes[index % len(classes)]
    size = spec.image_size * max(2, -(-CANVAS // spec.image_size))
    rng = _rng(spec, _IMAGE, index)
    finishes: tuple[Finish, ...] = ("brushed", "rolled", "milled")
    if spec.label != "defect":
        finishes = ("sanded",)  # the others hide or bend the direction
    plate = draw_plate(finishes, _rng(spec, _PLATE, group))
    exposure = draw_exposure(rng)
    direction = rng.uniform(0, 2 * np.pi)
    if spec.label == "orientation":
        direction = np.radians(ANGLES[name] + rng.normal(0, 4))
        mark = draw_oxide(rng.uniform(0, 360), rng.uniform(0.08, 0.24), size, rng)
    elif spec.label == "hue":
        mark = draw_oxide(HUES[name] + rng.normal(0, 5), rng.uniform(0.08, 0.24), size, rng)
    else:
        mark = DEFECTS[name](direction, exposure.direction, size, rng)
    ground = draw_ground(plate, direction, size, rng) * light_field(exposure, size)
    scene = plate.steel[:, None, None] * mark * draw_dust(size, rng) * ground
    return take_image(scene, exposure, spec.image_size, rng)


def _digest(spec: SurfaceSpec, images: NDArray[np.uint8]) -> str:
    digest = hashlib.blake2b(repr((VERSION, astuple(spec))).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(images).data)
    return digest.hexdigest()
