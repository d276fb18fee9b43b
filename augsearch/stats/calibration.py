"""Whether probabilities mean what they say, and how to make them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

LARGEST = 20.0
"""Temperatures lie between this and its inverse."""
USUAL = 0.5
"""Standard deviation of log T that is expected beforehand: a few images move it little."""
BINS = 15

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]


def fit_temperature(log_probabilities: Probabilities, labels: Labels) -> float:
    """The temperature that makes held-out labels most likely, near 1 where there are few.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv 1706.04599). Without
    an expectation beforehand, a few images that are all right would drive T to 0.

    Args:
        log_probabilities: `[n, K]`, of images that took no part in the training; logits will do.
        labels: `[n]`.

    Returns:
        T; above 1 for a network that is too sure of itself.
    """

    def surprise(log_temperature: float) -> float:
        scaled = log_softmax(log_probabilities / np.exp(log_temperature), axis=1)
        likelihood = float(scaled[np.arange(len(labels)), labels].sum())
        return (log_temperature / USUAL) ** 2 / 2 - likelihood

    bound = float(np.log(LARGEST))
    return float(np.exp(minimize_scalar(surprise, bounds=(-bound, bound), method="bounded").x))


def match_temperature(log_probabilities: Probabilities, wanted: Probabilities) -> float:
    """The temperature at which answers are most like other ones.

    Args:
        log_probabilities: `[n, K]`; logits will do.
        wanted: `[n, K]` probabilities.
    """

    def surprise(log_temperature: float) -> float:
        scaled = log_softmax(log_probabilities / np.exp(log_temperature), axis=1)
        return -float((wanted * scaled).sum(axis=1).mean())

    bound = float(np.log(LARGEST))
    return float(np.exp(minimize_scalar(surprise, bounds=(-bound, bound), method="bounded").x))


def tempered(log_probabilities: Probabilities, temperature: float) -> Probabilities:
    """`[n, K]` probabilities at a temperature."""
    scaled: Probabilities = np.exp(log_softmax(log_probabilities / temperature, axis=1))
    return scaled


def expected_calibration_error(probabilities: Probabilities, labels: Labels) -> float:
    """Mean distance of the confidence in what is said to how often it is right, in [0, 1].

    Over bins of equal width, each by its number of images (Guo et al. 2017, equation 3).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(places, minlength=BINS)
    gap = np.bincount(places, confidence - right, minlength=BINS)
    return float(np.abs(gap).sum() / count.sum())
