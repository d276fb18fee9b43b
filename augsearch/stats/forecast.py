"""What a search will gain, foreseen from a few policies: how far they differ, how noisy a run is,
and what the best of many is worth. Pure numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

USUAL_SPREAD, FOLD = 0.04, 2.5
"""Median and geometric standard deviation of what the standard deviation of policies' scores is
taken to be before any is seen: 2 to 12 points on the sets of docs/evidence/triage.md."""
SPREADS = np.geomspace(0.001, 0.5, 60)
PLACES = 160
PER_SCALE = np.pi / np.sqrt(6)
"""Standard deviation of a Gumbel distribution of scale 1."""
NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
MOST = 1.0
"""No score is higher."""
DRAWS = 4000
ALPHA, POWER = 0.0125, 0.8
"""One-sided level of the last look of a race of two candidates, and what `detectable` means."""


@dataclass(frozen=True)
class GainForecast:
    """What a search may gain over the best published policy. Shares of 1, not points.

    Attributes:
        spread: standard deviation of policies' true scores, median.
        best: true score of the best baseline, mean.
        best_error: its standard error.
        gains: `[D]` draws, sorted: what the search's winner has more than the best baseline, below
            0 where it has less.
    """

    spread: float
    best: float
    best_error: float
    gains: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Expected gain; a search that finds nothing better falls back on the baseline, gain 0."""
        return float(np.maximum(self.gains, 0).mean())

    def interval(self, level: float) -> tuple[float, float]:
        """Of the gain, `level` such as 0.8."""
        low, high = np.quantile(np.maximum(self.gains, 0), [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def chance_above(self, gain: float) -> float:
        """Probability that it is larger."""
        return float((self.gains > gain).mean())

    def chance_shown(self, detectable: float) -> float:
        """Probability that the gain is there and that a test shows it, which shows one of
        `detectable` in four cases of five."""
        error = detectable / (norm.isf(ALPHA) + norm.ppf(POWER))
        seen = norm.sf(norm.isf(ALPHA) - self.gains / error)
        return float(np.where(self.gains > 0, seen, 0.0).mean())


def foresee_gain(
    baselines: Sequence[float],
    others: Sequence[float],
    noise: float,
    trials: int,
    *,
    seed: int = 0,
) -> GainForecast:
    """The gain of a search of so many trials over the best baseline.

    True scores of policies are taken for a Gumbel distribution of minima (Gumbel, Statistics of
    Extremes, 1958): there are many ways to hurt and few to help, so that its lower tail is long and
    its best values lie close together. A normal one foresees two to five times as much as replayed
    searches found (docs/evidence/triage.md). Place and scale are drawn from their posterior, on a
    grid, the place being anything; then the baselines' true scores, then searches: the best of
    `trials` policies by what a noisy run shows of each.

    Args:
        baselines: scores of one run each.
        others: scores of further policies.
        noise: standard deviation of a policy's score over seeds, without what all have in common.

    Raises:
        ValueError: less than two policies, or no baseline.
    """
    scores = np.array([*baselines, *others], dtype=float)
    if len(scores) < 2 or not len(baselines):
        raise ValueError("a forecast needs a baseline and another policy")
    rng = np.random.default_rng(seed)
    place, scale = _drawn(scores, noise, rng)
    true = [_true_score(score, noise, place, scale, rng) for score in baselines]
    best: NDArray[np.float64] = np.max(true, axis=0)
    found = place + scale * np.log(rng.standard_exponential((trials, DRAWS)))
    found = np.minimum(found, MOST)
    seen = found + noise * rng.standard_normal(found.shape)
    winner = np.take_along_axis(found, seen.argmax(axis=0)[None], axis=0)[0]
    return GainForecast(
        spread=float(PER_SCALE * np.median(scale)),
        best=float(best.mean()),
        best_error=float(best.std()),
        gains=np.sort(winner - best),
    )


def _density(
    scores: NDArray[np.float64], place: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of the Gumbel distribution of minima; the arguments are broadcast."""
    u = (scores - place) / scale
    return np.asarray(np.exp(u - np.exp(np.minimum(u, 50.0))) / scale)


def _drawn(
    scores: NDArray[np.float64], noise: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`DRAWS` places and scales of the distribution that these scores, with their noise, are of."""
    places = np.linspace(scores.min() - 0.1, scores.max() + 0.4, PLACES)
    scales = SPREADS / PER_SCALE
    grid = np.zeros((PLACES, len(scales)))
    for score in scores:
        true = score + noise * NODES
        density = _density(true, places[:, None, None], scales[:, None])
        grid += np.log(density @ WEIGHTS + 1e-300)
    grid -= 0.5 * (np.log(SPREADS / USUAL_SPREAD) / np.log(FOLD)) ** 2
    weight = np.exp(grid - grid.max()).ravel()
    chosen = rng.choice(len(weight), size=DRAWS, p=weight / weight.sum())
    at, of = np.unravel_index(chosen, grid.shape)
    return places[at], scales[of]


def _true_score(
    score: float,
    noise: float,
    place: NDArray[np.float64],
    scale: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """`DRAWS` true scores behind a noisy one."""
    true = score + noise * NODES
    weight = _density(true, place[:, None], scale[:, None]) * WEIGHTS + 1e-300
    share = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    chosen = (share < rng.random((DRAWS, 1))).sum(axis=1)
    return np.asarray(np.minimum(true[np.minimum(chosen, len(true) - 1)], MOST))
