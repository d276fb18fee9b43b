"""Measures of an encoder that need no label: each a function of features, as its paper has it.

None of them is the accuracy. `augsearch.evaluate.shared_views` computes them on the same views for
every policy and turns them into scores; docs/label_free.md says what each can be fooled by.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.spatial.distance import pdist
from scipy.special import logsumexp

from augsearch.evaluate.config import EvaluateConfig
from augsearch.evaluate.probe import full_probe

Features = NDArray[np.float32]

DELTA = 1e-4
"""LiDAR's ridge, as a share of the features' mean variance: the paper's number is absolute, which
would make the result depend on the features' scale."""

DECAY_RANKS = (4, 100)
"""Eigenvalues whose decay α-ReQ fits, counted from 1: those of its authors' code; the paper names
none."""

NOISE = 1e-10
"""Eigenvalues below this share of the largest are rounding."""

LONGEST_DISTANCE = 4.0
"""Largest squared distance of two unit vectors."""


def rankme(features: Features) -> float:
    """Effective rank of features `[N, D]`, from 1 to min(N, D).

    Source: Garrido et al. 2023, "RankMe" (arXiv 2210.02885), equation 1, without its ε: the
    exponential of the entropy of the singular values' shares. The features are not centred.
    """
    return _effective_count(np.linalg.svd(features.astype(np.float64), compute_uv=False))


def lidar(views: Features) -> float:
    """Effective rank of what tells images apart, against what views of one image differ in.

    Source: Thilak et al. 2023, "LiDAR" (arXiv 2312.04000), equations 1 to 4: the entropy of the
    eigenvalues of Σw^-½ Σb Σw^-½, each image being a class of linear discriminant analysis.

    Args:
        views: `[n, q, D]`, q views of each of n images; n should exceed D.

    Returns:
        From 1 to min(n - 1, D).
    """
    count, each, dim = views.shape
    wide = views.astype(np.float64)
    means = wide.mean(axis=1)  # [n, D]
    offsets = (wide - means[:, None]).reshape(-1, dim)  # [n q, D]
    between = np.atleast_2d(np.cov(means, rowvar=False))
    within = offsets.T @ offsets / (count * (each - 1))
    ridge = DELTA * (np.trace(between) + np.trace(within)) / dim
    if ridge == 0:  # every view of every image alike
        return 1.0
    # The generalised eigenvalues are those of the whitened matrix.
    values = linalg.eigh(between, within + ridge * np.eye(dim), eigvals_only=True)
    return _effective_count(np.maximum(values, 0))


def alignment(first: Features, second: Features) -> float:
    """Mean squared distance of two views' unit features: 0 if they agree, 4 if they are opposite.

    Source: Wang & Isola 2020, "Understanding Contrastive Representation Learning through Alignment
    and Uniformity on the Hypersphere" (arXiv 2005.10242), with their α = 2.

    Args:
        first, second: `[N, D]`; row i is the same image.
    """
    return float(np.square(_unit(first) - _unit(second)).sum(axis=1).mean())


def uniformity(features: Features) -> float:
    """Log of the mean Gaussian potential of all pairs of unit features `[N, D]`, with t = 2.

    0 if all are the same; about -4 at most, for images spread evenly over many dimensions.
    Source: as `alignment`.
    """
    squared = pdist(_unit(features), "sqeuclidean")
    return float(logsumexp(-2 * squared) - np.log(len(squared)))


def spectrum_decay(features: Features) -> float:
    """α of the power law that the eigenvalues of the features' covariance follow.

    Source: Agrawal et al. 2022, "α-ReQ" (arXiv 2202.05808), fitted as in its authors' code, which
    follows Stringer et al. 2019: least squares in logarithms, weighted by 1 / rank, over the
    eigenvalues of `DECAY_RANKS`, or all if these are too few. 0 is a flat spectrum, 1 is what they
    find in features that transfer well, and infinity a spectrum of one value.

    Args:
        features: `[N, D]`.
    """
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    values = np.square(np.linalg.svd(centred, compute_uv=False))
    values = values[values > NOISE * values.max(initial=0)]
    ranks = np.arange(1, len(values) + 1)
    inside = (ranks >= DECAY_RANKS[0]) & (ranks <= DECAY_RANKS[1])
    if inside.sum() < DECAY_RANKS[0]:
        inside[:] = True
    ranks, values = ranks[inside], values[inside]
    if len(values) < 2:
        return np.inf
    # polyfit squares its weights with the residuals.
    slope, _ = np.polyfit(np.log(ranks), np.log(values), 1, w=1 / np.sqrt(ranks))
    return float(-slope)


def rotation_accuracy(turned: Features, held_out: NDArray[np.bool_]) -> float:
    """Accuracy of a linear probe that tells by how much an image was turned; chance is 0.25.

    Source: Gidaris et al. 2018 (arXiv 1803.07728) for the task; as a score of augmentations,
    Reed et al. 2021, "SelfAugment" (arXiv 2009.07724).

    Args:
        turned: `[4, N, D]` features of the images turned by 0, 90, 180 and 270 degrees.
        held_out: `[N]`, the images to score on; the probe is fitted on the others.
    """
    quarters, count, _ = turned.shape
    labels = np.repeat(np.arange(quarters), count)
    score = np.tile(held_out, quarters)
    config = EvaluateConfig(metric="accuracy")
    rows = turned.reshape(quarters * count, -1)
    return full_probe(rows, labels, np.flatnonzero(~score), np.flatnonzero(score), config)


def contrastive(first: Features, second: Features, temperature: float) -> tuple[float, float]:
    """NT-Xent loss, and the share of views whose nearest other view is their partner.

    The warning example: both say how hard the views are, not how good the features.

    Args:
        first, second: `[B, P]` projections of two views of the same images.
        temperature: divides the similarities.
    """
    both = _unit(np.concatenate([first, second]))
    similarity = both @ both.T / temperature  # [2B, 2B]
    np.fill_diagonal(similarity, -np.inf)
    partner = np.roll(np.arange(len(both)), len(first))
    matching = similarity[np.arange(len(both)), partner]
    loss = logsumexp(similarity, axis=1) - matching
    return float(loss.mean()), float((similarity.argmax(axis=1) == partner).mean())


def _effective_count(values: NDArray[np.float64]) -> float:
    """exp of the entropy of the shares of `values`, none negative; 1 if all are 0."""
    total = values.sum()
    share = values[values > 0] / total
    return float(np.exp(-(share * np.log(share)).sum())) if total > 0 else 1.0


def _unit(features: Features) -> NDArray[np.float64]:
    """Rows of length 1; a row of zeros stays one."""
    wide = features.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.where(length > 0, length, 1)
