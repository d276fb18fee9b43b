"""The embedded data sets: inspection images of metal plates, drawn from a seed.

They serve two ends: a first study needs no data, and the truth is planted: what carries the label
of a drawing is known, so that a search can be checked against it. `surface_scenes` draws them,
`domains` says what carries the label, what is nuisance, and what follows for augmentations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from augsearch.data.embedded.camera import take_image
from augsearch.data.embedded.scenes import SCENES, Label, Scene
from augsearch.data.imageset import ImageSet
from augsearch.errors import ConfigError

VERSION = 1  # of the drawing; a change of any pixel needs a new number
CANVAS = 96  # least side that a scene is drawn at before the camera makes pixels of it
PLATE_SIZES = (2, 3)  # images that successive plates give

CLASSES: Mapping[Label, tuple[str, ...]] = MappingProxyType(
    {label: classes for label, (_, classes) in SCENES.items()}
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
            raise ConfigError(f"embedded surfaces: label {self.label!r} is not one of {known}")


def draw_surfaces(spec: SurfaceSpec) -> ImageSet:
    """Draw the colour images of `spec`, classes in turn; the same spec, the same images.

    A few images show one plate and share a group. `paths` name what was drawn, even where the
    labels are shuffled.
    """
    classes = CLASSES[spec.label]
    count = spec.images_per_class * len(classes)
    drawn = np.arange(count) % len(classes)
    ranks = np.arange(count) // len(classes)
    groups = _groups(spec)
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


def draw_marks(spec: SurfaceSpec) -> NDArray[np.bool_]:
    """`[N, image_size, image_size]` where what carries the label lies in the images of `spec`:
    pixels that are marked by half or more; all of them where the label has no place."""
    marks = np.ones((len(CLASSES[spec.label]) * spec.images_per_class, *2 * (spec.image_size,)))
    for index, group in enumerate(_groups(spec).tolist()):
        mark = _scene(spec, index, group, _rng(spec, _IMAGE, index)).mark
        if mark is not None:
            cell = len(mark) // spec.image_size
            marks[index] = mark.reshape(spec.image_size, cell, -1, cell).mean(axis=(1, 3))
    return marks >= 0.5


def _groups(spec: SurfaceSpec) -> NDArray[np.int64]:
    """`[N]` the number of the plate that each image shows."""
    classes = len(CLASSES[spec.label])
    indices = np.arange(spec.images_per_class * classes)
    return np.array([_plate_of(i // classes) * classes + i % classes for i in indices.tolist()])


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
    rng = _rng(spec, _IMAGE, index)
    scene = _scene(spec, index, group, rng)
    return take_image(scene.light, scene.exposure, spec.image_size, rng)


def _scene(spec: SurfaceSpec, index: int, group: int, rng: np.random.Generator) -> Scene:
    classes = CLASSES[spec.label]
    size = spec.image_size * max(2, -(-CANVAS // spec.image_size))
    draw, _ = SCENES[spec.label]
    return draw(classes[index % len(classes)], _rng(spec, _PLATE, group), size, rng)


def _digest(spec: SurfaceSpec, images: NDArray[np.uint8]) -> str:
    digest = hashlib.blake2b(repr((VERSION, astuple(spec))).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(images).data)
    return digest.hexdigest()
