"""Whether a map says what an answer comes from: cover what it names, and see.

What the map names most is replaced by a blurred copy, and the logarithm of the probability of the
class falls. The same shape is then covered elsewhere, at random. Three things are asked:

- Does what is named matter more than other places? A map that says nothing is above their median
  for half of the images.
- Does the map come from what was learnt? The maps of networks of shuffled weights name what is
  conspicuous in any image; what they name is covered as well (after Adebayo et al. 2018, "Sanity
  checks for saliency maps").
- Is there anything to explain? Networks of shuffled weights, explained and tested in the same way
  on answers of their own, must fall less far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from augsearch.explaining.maps.attribution import Maps, Method, maps_of
from augsearch.explaining.maps.networks import Asked, Pixels, Rows

AREA = 0.2
"""Share of the image that is covered."""
DRAWS = 32
"""Places elsewhere."""
BLUR = 1 / 6
"""Standard deviation of the blurred copy, in image sides."""
SHUFFLED = 4
"""Networks of shuffled weights."""

Falls = NDArray[np.float64]


@dataclass(frozen=True)
class Tested:
    """How far scores fall, for each of n images.

    Attributes:
        maps: `[n, S, S]`.
        named: `[n]` where what the map names is covered.
        elsewhere: `[n, DRAWS]` where as much is covered elsewhere.
        by_shuffled: `[n]` the median where what maps of shuffled networks name is covered.
        of_shuffled: `[n, SHUFFLED]` how much further than elsewhere the scores of shuffled
            networks fall, by their own maps.
    """

    maps: Maps
    named: Falls
    elsewhere: Falls
    by_shuffled: Falls
    of_shuffled: Falls

    @property
    def usual(self) -> Falls:
        """`[n]` the median elsewhere."""
        return np.asarray(np.median(self.elsewhere, axis=1))

    @property
    def beats(self) -> NDArray[np.float64]:
        """`[n]` share of the places elsewhere that matter less."""
        return np.asarray((self.named[:, None] > self.elsewhere).mean(axis=1))

    @property
    def holds(self) -> NDArray[np.bool_]:
        """`[n]` whether what is named matters more than other places."""
        return np.asarray(self.named > self.usual)

    @property
    def learnt(self) -> NDArray[np.bool_]:
        """`[n]` whether it matters more than what shuffled networks name."""
        return np.asarray(self.named > self.by_shuffled)

    @property
    def explains(self) -> NDArray[np.bool_]:
        """`[n]` whether the score falls further than those of shuffled networks do."""
        further = (self.named - self.usual)[:, None] > self.of_shuffled
        return np.asarray(further.all(axis=1))


def check_maps(
    method: Method,
    layer: str,
    asked: Asked,
    shuffled: Sequence[Asked],
    images: Pixels,
    classes: Rows,
    seed: int,
) -> Tested:
    """The maps of a method, tested.

    Args:
        layer: see `Methods`.
        shuffled: what `asked` would be without what it has learnt.
        images: `[n, C, S, S]`.
        classes: `[n]` that are explained.
        seed: of the places elsewhere.

    Raises:
        ConfigError: see `maps_of`.
    """
    maps = _maps(method, layer, asked, images, classes)
    area = named_area(maps, seed)
    named, elsewhere = falls(asked, images, classes, area, seed)
    by_shuffled, of_shuffled = [], []
    for other in shuffled:
        theirs = named_area(_maps(method, layer, other, images, classes), seed)
        by_shuffled.append(fall(asked, images, classes, theirs))
        own = other.log_probabilities(images).argmax(axis=1)
        area = named_area(_maps(method, layer, other, images, own), seed)
        own_named, own_elsewhere = falls(other, images, own, area, seed)
        of_shuffled.append(own_named - np.median(own_elsewhere, axis=1))
    return Tested(
        maps, named, elsewhere, np.median(by_shuffled, axis=0), np.stack(of_shuffled, axis=1)
    )


def _maps(method: Method, layer: str, asked: Asked, images: Pixels, classes: Rows) -> Maps:
    targets = asked.targets(classes)
    return maps_of(method, layer, asked.networks, asked.pixels(images), targets)


def named_area(maps: Maps, seed: int) -> NDArray[np.bool_]:
    """`[n, S, S]` the `AREA` that each map names most; where it leaves that open, it is drawn."""
    count, side, _ = maps.shape
    flat = maps.reshape(count, -1)
    drawn = np.random.default_rng([seed, 0]).random(flat.shape)
    order = np.lexsort((drawn, flat), axis=1)
    area = np.zeros(flat.shape, dtype=bool)
    np.put_along_axis(area, order[:, -round(AREA * side * side) :], True, axis=1)
    return area.reshape(maps.shape)


def fall(asked: Asked, images: Pixels, classes: Rows, area: NDArray[np.bool_]) -> Falls:
    """`[n]` how far scores fall where these areas are covered."""
    covered = np.stack([_covered(i, a[None])[0] for i, a in zip(images, area, strict=True)])
    return asked.score(images, classes) - asked.score(covered, classes)


def falls(
    asked: Asked, images: Pixels, classes: Rows, area: NDArray[np.bool_], seed: int
) -> tuple[Falls, Falls]:
    """`[n]` as `fall`, and `[n, DRAWS]` with the same shapes elsewhere."""
    elsewhere = []
    for row, image in enumerate(images):
        rng = np.random.default_rng([seed, 1, row])
        covered = _covered(image, _moved(area[row], rng))
        elsewhere.append(asked.score(covered, np.full(DRAWS, classes[row])))
    before = asked.score(images, classes)
    return fall(asked, images, classes, area), before[:, None] - np.stack(elsewhere)


def _covered(image: Pixels, areas: NDArray[np.bool_]) -> Pixels:
    """`[n, C, S, S]` an image with each of `[n, S, S]` areas blurred away."""
    sides = (0, BLUR * image.shape[1], BLUR * image.shape[2])
    blurred = np.rint(gaussian_filter(image.astype(np.float32), sides)).astype(np.uint8)
    return np.where(areas[:, None], blurred, image)


def _moved(area: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """`[DRAWS, S, S]` the same shape at other places, turned over at random: of twice as many
    draws those that share least with it."""
    moved = []
    for _ in range(2 * DRAWS):
        down, across = rng.choice([-1, 1], 2)
        shift = tuple(rng.integers(0, len(area), 2).tolist())
        moved.append(np.roll(area[::down, ::across], shift, axis=(0, 1)))
    common = np.array([(other & area).sum() for other in moved])
    return np.stack([moved[place] for place in np.argsort(common, kind="stable")[:DRAWS]])
