"""Label-free scores of an encoder on views that are the same for every policy.

A policy must not be judged on its own views: the ones of a weak policy are easy to match. So all
are judged on clean images and under one mild policy with fixed draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import nn

from augsearch.augment.baselines import for_channels
from augsearch.augment.build import Renderer
from augsearch.data.imageset import ImageRows
from augsearch.errors import TrialFailure
from augsearch.evaluate import label_free
from augsearch.evaluate.features import extract_features
from augsearch.evaluate.label_free import Features
from augsearch.space.policy import Policy
from augsearch.space.view_options import Executor

SHARED_POLICY = Policy.model_validate(
    {
        "name": "shared views",
        "ops": [
            {"op": "resized_crop", "scale_min": 0.5, "ratio": 4 / 3},
            {
                "op": "color_jitter",
                "p": 0.8,
                "brightness": 0.2,
                "contrast": 0.2,
                "saturation": 0.2,
                "hue": 0.02,
            },
        ],
    }
)
"""Mild, so that no encoder finds it strange, and without flips and turns: what a view shares with
another must not depend on symmetries that some data lack."""

IMAGES = 1000
"""Most images that are looked at."""

VIEWED, PAIRS = 256, 4
"""Images under the shared policy, and pairs of views of each."""

TURNED = 400
"""Images that the rotation probe sees, a half to fit and a half to score on."""

FEWEST = 16
"""Images below which none of the scores says anything."""

BATCH = 64

SCORES: Mapping[str, str] = MappingProxyType(
    {
        "rankme": "effective rank of clean features, as a share of the largest possible",
        "lidar": "effective rank of what tells images apart under views, as such a share",
        "rotation": "accuracy of a linear probe for quarter turns of clean images",
        "alignment": "1 - a/4 for the mean squared distance a of two views' unit features",
        "uniformity": "u/4 for the negative log potential u of unit features",
        "alignment_uniformity": "mean of alignment and uniformity",
        "alpha_req": "1 / (1 + |α - 1|) for the decay α of the covariance's eigenvalues",
        "contrastive_loss": "1 - l/log(2B - 1) for the NT-Xent loss l: 0 if nothing is told apart",
        "contrastive_accuracy": "share of views whose nearest other view is their partner",
    }
)
"""What every score is; all are the better the higher, and at most 1."""


@dataclass(frozen=True)
class Shown:
    """The images that encoders are judged on.

    Attributes:
        images: uint8, in random order; the first ones serve the dearer scores.
        groups: `[N]`; images of one group are on one side of the rotation probe.
        mean, std: per channel, with pixels in [0, 1].
    """

    images: ImageRows
    groups: NDArray[np.int64]
    mean: Sequence[float]
    std: Sequence[float]


def label_free_scores(
    encoder: nn.Module,
    projection_head: nn.Module,
    shown: Shown,
    *,
    device: torch.device,
    executor: Executor,
    temperature: float,
) -> dict[str, float]:
    """Every score of `SCORES`.

    Args:
        encoder: gives features `h`; used in evaluation mode and left in its own.
        projection_head: from `h` to what the contrastive loss compares.
        executor: who renders the shared views.
        temperature: of the contrastive loss.

    Raises:
        TrialFailure: features are not finite.
    """

    def features_of(pixels: NDArray[np.uint8]) -> Features:
        return extract_features(encoder, pixels, shown.mean, shown.std, device=device)

    images = shown.images[:IMAGES]
    clean = features_of(images)  # [N, D]
    turned = np.stack(
        [clean[:TURNED], *(features_of(np.rot90(images[:TURNED], k, (2, 3))) for k in (1, 2, 3))]
    )  # [4, T, D]
    views = np.stack(
        [features_of(view) for view in _views(images[:VIEWED], executor, device)], axis=1
    )  # [V, 2 * PAIRS, D]
    projected = _projections(projection_head, views, device)  # [V, 2 * PAIRS, P]
    if not (np.isfinite(clean).all() and np.isfinite(projected).all()):
        raise TrialFailure("features became non-finite; try a lower learning rate")
    held_out = _held_out(shown.groups[: turned.shape[1]])
    # Small matrices, in which threads cost more than they save; and one order of summation.
    with threadpool_limits(1):
        return _scores(clean, turned, held_out, views, projected, temperature)


def _scores(
    clean: Features,
    turned: Features,
    held_out: NDArray[np.bool_],
    views: Features,
    projected: Features,
    temperature: float,
) -> dict[str, float]:
    count, dim = clean.shape
    viewed = len(views)
    pairs = [(2 * k, 2 * k + 1) for k in range(views.shape[1] // 2)]
    distance = fmean(label_free.alignment(views[:, a], views[:, b]) for a, b in pairs)
    potential = fmean(label_free.uniformity(views[:, a]) for a, _ in pairs)
    aligned = 1 - distance / label_free.LONGEST_DISTANCE
    uniform = min(1.0, -potential / label_free.LONGEST_DISTANCE)
    matches = [
        label_free.contrastive(projected[:, a], projected[:, b], temperature) for a, b in pairs
    ]
    return {
        "rankme": label_free.rankme(clean) / min(count, dim),
        "lidar": label_free.lidar(views) / min(viewed - 1, dim),
        "rotation": label_free.rotation_accuracy(turned, held_out),
        "alignment": aligned,
        "uniformity": uniform,
        "alignment_uniformity": (aligned + uniform) / 2,
        "alpha_req": 1 / (1 + abs(label_free.spectrum_decay(clean) - 1)),
        "contrastive_loss": 1 - fmean(loss for loss, _ in matches) / math.log(2 * viewed - 1),
        "contrastive_accuracy": fmean(accuracy for _, accuracy in matches),
    }


def _views(
    images: NDArray[np.uint8], executor: Executor, device: torch.device
) -> Iterator[NDArray[np.uint8]]:
    """`2 * PAIRS` views `[V, C, S, S]` of images of the same form; which ones is fixed."""
    renderer = Renderer.build(for_channels(SHARED_POLICY, images.shape[1]), executor)
    for pair in range(PAIRS):
        chunks = []
        for step, begin in enumerate(range(0, len(images), BATCH)):
            batch = torch.from_numpy(images[begin : begin + BATCH]).to(device)
            both = renderer(batch, images.shape[2], seed=0, replicate=pair, step=step)
            chunks.append((255 * both).round().byte().cpu().numpy().reshape(2, *batch.shape))
        yield from np.concatenate(chunks, axis=1)


@torch.no_grad()
def _projections(head: nn.Module, views: Features, device: torch.device) -> Features:
    was_training = head.training
    head.eval()
    try:
        flat = torch.from_numpy(views.reshape(-1, views.shape[2])).to(device)
        found: Features = head(flat).float().cpu().numpy()
    finally:
        head.train(was_training)
    return found.reshape(*views.shape[:2], -1)


def _held_out(groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`[N]` bool: every second group; every second image if there is one group alone."""
    names, place = np.unique(groups, return_inverse=True)
    return np.asarray((place if len(names) > 1 else np.arange(len(groups))) % 2 == 1)
