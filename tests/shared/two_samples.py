"""Whether two ways to make views of the same images have one distribution.

Two looks, each with its own tolerance; `differences` names what is outside:

- moments: mean and mean square of simple features, channel by channel where they are of colours,
  within the images, in standard errors;
- two-sample test: the kernel MMD (Gretton et al. 2012, JMLR 13) of the same features, against its
  distribution when the two ways are exchanged at random, image by image.

`rate_is_off` looks at how often an operation alone changes an image.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

P_VALUE = 0.002
"""Below it the two-sample test says that they differ: two of a thousand tests of equal ones."""
SPREADS = 5.0
"""Standard errors that a moment or a rate may be off: of equal ones, one of two million is more."""
EXCHANGES = 1000
LEVEL = 1 / 255
COLOURS = ("red", "green", "blue")
FEATURES = (
    *(f"mean of {colour}" for colour in COLOURS),
    *(f"spread of {colour}" for colour in COLOURS),
    "red less green", "blue less green", "red against green", "blue against green",
    "colourfulness", "no colour at all", "share of black", "share of white",
    *(f"light in part {number} of 16" for number in range(1, 17)),
    "detail across", "detail down", "sharpness",
)  # fmt: skip
DETAIL = 3
"""The last features, which depend on interpolation."""


def features(views: Tensor) -> np.ndarray:
    """`[n, F]` of views `[n, 3, H, W]`, by the names of `FEATURES`."""
    grey = views.mean(1)
    red, green, blue = views.unbind(1)
    apart = views.amax(1) - views.amin(1)
    parts = torch.nn.functional.adaptive_avg_pool2d(grey[:, None], 4).flatten(1)
    single = [
        (red - green).mean((1, 2)),
        (blue - green).mean((1, 2)),
        (red - green).abs().mean((1, 2)),
        (blue - green).abs().mean((1, 2)),
        apart.mean((1, 2)),
        (apart.amax((1, 2)) < LEVEL).float(),
        (grey < LEVEL).float().mean((1, 2)),
        (grey > 1 - LEVEL).float().mean((1, 2)),
    ]
    detail = [
        grey.diff(dim=2).abs().mean((1, 2)),
        grey.diff(dim=1).abs().mean((1, 2)),
        grey.diff(dim=2, n=2).abs().mean((1, 2)),
    ]
    columns = [views.mean((2, 3)), views.std((2, 3)), torch.stack(single, 1), parts]
    return torch.cat([*columns, torch.stack(detail, 1)], dim=1).double().numpy()


def differences(ours: Tensor, theirs: Tensor, *, detail: bool = True) -> list[str]:
    """What differs between views `[images, views, 3, H, W]` of the same images, a line each."""
    images, views = ours.shape[:2]
    seen = len(FEATURES) if detail else len(FEATURES) - DETAIL
    both = torch.cat([ours, theirs], dim=1).flatten(0, 1)
    found = features(both).reshape(images, 2 * views, -1)[:, :, :seen]
    a, b = found[:, :views], found[:, views:]
    lines = []
    for power, moment in ((1, "mean"), (2, "mean square")):
        x, y = a**power, b**power
        error = np.sqrt((x.var(1, ddof=1) + y.var(1, ddof=1)).sum(0) / views) / images
        off = np.abs((x.mean(1) - y.mean(1)).mean(0)) / (error + 1e-9)
        lines += [
            f"{moment} of {FEATURES[column]} is {off[column]:.1f} standard errors off"
            for column in np.flatnonzero(off > SPREADS)
        ]
    p = mmd_p_value(found)
    return [*lines, *([f"two-sample test: p = {p:.4f}"] if p < P_VALUE else [])]


def mmd_p_value(found: np.ndarray) -> float:
    """Of the hypothesis that both halves of `[images, 2 views, F]` have one distribution."""
    images, views = found.shape[0], found.shape[1] // 2
    # What an image looks like says nothing of how its views were made.
    rows = (found - found.mean(1, keepdims=True)).reshape(2 * images * views, -1)
    rows = rows / (rows.std(0) + 1e-9)
    squared = cdist(rows, rows, "sqeuclidean")
    kernel = np.exp(-squared / np.median(squared))
    np.fill_diagonal(kernel, 0)
    side = np.repeat([1.0, -1.0], views)
    rng = np.random.default_rng(0)
    exchanged = rng.permuted(np.tile(side, (EXCHANGES, images, 1)), axis=2)
    signs = np.concatenate([np.tile(side, (1, images)), exchanged.reshape(EXCHANGES, -1)])
    mmd = np.einsum("ei,ei->e", signs @ kernel, signs)
    return float(np.count_nonzero(mmd >= mmd[0])) / (1 + EXCHANGES)


def rate_is_off(changed: int, of: int, p: float) -> bool:
    """Whether `changed` of so many views is not what a gate of probability `p` gives."""
    return abs(changed - p * of) > SPREADS * math.sqrt(p * (1 - p) * of) + 0.5
