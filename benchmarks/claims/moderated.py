"""How often the intervals and claims of an ablation are right: simulated cells of equal means.

    python -m benchmarks.claims.moderated

Each cell is compared with one reference, seed by seed, as in leave-one-out. Shown for cells that
are equally noisy, and for cells whose standard deviations differ (0.5 in the logarithm): how often
a 95 % interval covers the truth, and how often any of the cells is claimed to differ.

Then the same for the recalls of seven classes under five operations, none of which does anything:
means over 20 draws of labels on 10 images of each class, which come in grains; of some classes
almost every image is always right.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from augsearch.stats.corrections import holm
from augsearch.stats.moderated import moderated_means, two_sided

ROUNDS = 500
OPERATIONS, CLASSES, IMAGES, DRAWS = 5, 7, 10, 20
Gaps = NDArray[np.float64]


def shares(make_gaps: Callable[[], Gaps]) -> tuple[float, float]:
    """Shares of intervals that cover 0 and of rounds with a false claim; gaps `[rows, seeds]`."""
    covered, claimed = [], []
    for _ in range(ROUNDS):
        estimates = moderated_means(make_gaps())
        intervals = [estimate.interval(0.95) for estimate in estimates]
        covered += [low <= 0 <= high for low, high in intervals]
        claimed.append(min(holm([two_sided(estimate) for estimate in estimates])) < 0.05)
    return float(np.mean(covered)), float(np.mean(claimed))


def scores(cells: int, seeds: int, spread: float, rng: np.random.Generator) -> Gaps:
    noise = np.exp(rng.normal(0, spread, cells))[:, None]
    reference = rng.normal(0, 1, seeds) * noise.mean()
    gaps: Gaps = rng.normal(0, 1, (cells, seeds)) * noise - reference
    return gaps


def recalls(saturated: int, seeds: int, rng: np.random.Generator) -> Gaps:
    """Gaps of a policy to itself without each operation, `[operations * classes, seeds]`."""
    easy = np.where(np.arange(CLASSES) < saturated, 7.0, rng.uniform(0, 2, CLASSES))
    logits = easy[:, None] + rng.normal(0, 1.2, (CLASSES, IMAGES))
    shape = (OPERATIONS + 1, seeds, CLASSES)
    noise = rng.normal(0, 0.3, (*shape, 1)) + rng.normal(0, 0.5, (*shape, IMAGES))
    right = rng.binomial(DRAWS, 1 / (1 + np.exp(-(logits + noise)))) / DRAWS
    recall = right.mean(axis=-1)
    gaps: Gaps = np.moveaxis(recall[0] - recall[1:], 1, -1).reshape(-1, seeds)
    return gaps


def main() -> None:
    rng = np.random.default_rng(0)
    print("| cells | seeds | covered | false claims | covered, unequal | false claims, unequal |")
    print("|---|---|---|---|---|---|")
    for cells in (4, 6, 20):
        for seeds in (2, 3, 5):
            found = [
                share
                for spread in (0.0, 0.5)
                for share in shares(partial(scores, cells, seeds, spread, rng))
            ]
            print(f"| {cells} | {seeds} | " + " | ".join(f"{s:.3f}" for s in found) + " |")
    print("\n| classes almost always right | seeds | covered | false claims |\n|---|---|---|---|")
    for saturated in (0, 3, 5):
        for seeds in (2, 3, 5):
            covered, claimed = shares(partial(recalls, saturated, seeds, rng))
            print(f"| {saturated} of {CLASSES} | {seeds} | {covered:.3f} | {claimed:.3f} |")


if __name__ == "__main__":
    main()
