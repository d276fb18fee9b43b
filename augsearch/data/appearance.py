"""What images look like in a dozen plain numbers, and whether two sets of them look alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from augsearch.data.imageset import ImageSet

Numbers = NDArray[np.float64]

NAMES = (
    "brightness",
    "contrast",
    "red against green",
    "blue against yellow",
    "colourfulness",
    "fine detail",
    "middle detail",
    "coarse detail",
    "direction, along or across",
    "direction, diagonals",
    "directedness",
    "slope of the light",
)
MOST = 400  # images that a set is judged by
FOLDS = 5
ALIKE, DIFFERENT = 0.64, 0.86
"""AUC of two normal distributions half a standard deviation and one and a half apart."""
CHANCE, SHUFFLES = 0.05, 39
SHIFTED = 0.5  # standard deviations from which on a difference is named


@dataclass(frozen=True)
class Looks:
    """How some images look.

    Attributes:
        numbers: `[n, 12]`, columns `NAMES`.
        groups: `[n]`; images of a group are alike.
        side: of the images on which the numbers were taken, in pixels.
    """

    numbers: Numbers
    groups: NDArray[np.int64]
    side: int


def spread_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `MOST` of the rows, spread evenly."""
    places = np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(int)
    return np.asarray(rows[np.unique(places)])


def appearance(image_set: ImageSet, rows: NDArray[np.int64], side: int | None = None) -> Looks:
    """How these images look.

    Pixels count in [0, 1]; detail is the standard deviation of a band of a Gaussian pyramid, as a
    logarithm of its share of the contrast.

    Args:
        side: the images are brought to this size first, at most their own.

    Raises:
        ValueError: `side` is more than that of the images.
    """
    side = side or image_set.image_size
    if side > image_set.image_size:
        raise ValueError(
            f"images of {image_set.image_size} pixels do not have the detail of {side}"
        )
    numbers = np.stack([_describe(_scaled(image_set.images[row] / 255.0, side)) for row in rows])
    return Looks(numbers, image_set.groups[rows], side)


def _scaled(image: Numbers, side: int) -> Numbers:
    """`[C, H, W]` -> `[C, side, side]`, by filtering as files are when they are decoded."""
    if image.shape[1] == side:
        return image
    channels = [
        Image.fromarray(channel.astype(np.float32)).resize((side, side), Image.Resampling.LANCZOS)
        for channel in image
    ]
    return np.stack([np.asarray(channel, dtype=float) for channel in channels])


def _describe(image: Numbers) -> Numbers:
    """`[12]` of one image `[C, H, W]` in [0, 1]; bands of another number count by their mean."""
    colours = image if len(image) == 3 else image.mean(axis=0, keepdims=True).repeat(3, axis=0)
    red, green, blue = colours
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    opponent = red - green, 0.5 * (red + green) - blue
    contrast = luma.std()
    blurred = [luma, *(ndimage.gaussian_filter(luma, sigma) for sigma in (1.0, 2.0, 4.0))]
    bands = [(a - b).std() for a, b in pairwise(blurred)]
    down, across = np.gradient(blurred[1])
    energy = (down**2 + across**2).sum() + 1e-9
    along = ((across**2 - down**2).sum()) / energy
    diagonal = (2 * across * down).sum() / energy
    y, x = np.mgrid[0 : luma.shape[0], 0 : luma.shape[1]]
    centred = np.stack([(x - x.mean()).ravel(), (y - y.mean()).ravel()])
    plane = centred @ (luma - luma.mean()).ravel() / (centred**2).sum(axis=1)
    return np.array(
        [
            luma.mean(),
            contrast,
            opponent[0].mean(),
            opponent[1].mean(),
            np.hypot(opponent[0].std(), opponent[1].std()),
            *(np.log((band + 1e-3) / (contrast + 1e-3)) for band in bands),
            along,
            diagonal,
            np.hypot(along, diagonal),
            np.hypot(*plane) * luma.shape[0],
        ]
    )


@dataclass(frozen=True)
class Drift:
    """How new images differ from old ones.

    Attributes:
        auc: how well the two can be told apart by their appearance, 0.5 not at all, 1 always.
        shifts: name -> how many standard deviations of the old images the new ones lie away, the
            largest first, those of at least `SHIFTED`.
        chance: how often images that do not differ are told apart as well as that; 1 where the
            AUC is too small to matter.
    """

    auc: float
    shifts: dict[str, float]
    chance: float

    @property
    def sentence(self) -> str:
        """The finding, and what to do."""
        told = f"new and old images can be told apart with an AUC of {self.auc:.2f}"
        moved = ", ".join(
            f"{name} {shift:+.1f} sd" for name, shift in list(self.shifts.items())[:3]
        )
        by = f" ({moved})" if moved else ""
        if self.auc < ALIKE:
            return f"The images look alike ({told}): the old policy should serve them as well."
        if self.chance > CHANCE:
            return (
                f"There are too few images to show whether they differ{by}: {told}, which also "
                f"happens by chance (p = {self.chance:.2f}); compare more of them."
            )
        if self.auc < DIFFERENT:
            return (
                f"The images differ somewhat{by}, {told}: the old policy is confirmed beside the "
                "baselines; search again if it is not better than these."
            )
        return f"The images differ clearly{by}, {told}: search again."


def drift(old: Looks, new: Looks) -> Drift:
    """A classifier two-sample test (Lopez-Paz & Oquab 2017) on how images look.

    A logistic regression is fitted to tell the two apart, and judged on groups that it has not
    seen. Other classes, or the same ones in other shares, count as drift, too. Where it succeeds,
    it is tried again on groups dealt out to old and new by chance.
    """
    features = np.concatenate([old.numbers, new.numbers])
    is_new = np.arange(len(features)) >= len(old.numbers)
    _, group = np.unique(
        np.stack([is_new, np.concatenate([old.groups, new.groups])]), axis=1, return_inverse=True
    )
    auc = _told_apart(features, is_new, group)
    belongs = np.zeros(group.max() + 1, dtype=bool)
    belongs[group] = is_new
    rng = np.random.default_rng(0)
    by_chance = [
        _told_apart(features, rng.permutation(belongs)[group], group)
        for _ in range(SHUFFLES if auc >= ALIKE else 0)
    ]
    chance = (1 + sum(other >= auc for other in by_chance)) / (1 + len(by_chance))
    moved = new.numbers.mean(axis=0) - old.numbers.mean(axis=0)
    moved = moved / (old.numbers.std(axis=0) + 1e-9)
    shifts = {
        NAMES[i]: float(moved[i]) for i in np.argsort(-np.abs(moved)) if abs(moved[i]) >= SHIFTED
    }
    return Drift(auc=auc, shifts=shifts, chance=chance)


def _told_apart(features: Numbers, is_new: NDArray[np.bool_], group: NDArray[np.int64]) -> float:
    """AUC, cross-validated by groups; 0.5 where one side has too few of them."""
    fewest = min(len(np.unique(group[side])) for side in (is_new, ~is_new))
    if fewest < 2:
        return 0.5
    folds = StratifiedGroupKFold(min(FOLDS, fewest)).split(features, is_new, group)
    cuts = [(fitted, judged) for fitted, judged in folds if len(judged)]
    if any(len(np.unique(is_new[fitted])) < 2 for fitted, _ in cuts):
        return 0.5
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    told = cross_val_predict(
        model,
        features,
        is_new,
        cv=cuts,
        method="predict_proba",
    )[:, 1]
    return float(roc_auc_score(is_new, told))
