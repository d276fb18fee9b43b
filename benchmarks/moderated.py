"""How often the intervals and claims of an ablation are right: simulated cells of equal means.

    python benchmarks/moderated.py

Each cell is compared with one reference, seed by seed, as in leave-one-out. Shown for cells that
are equally noisy, and for cells whose standard deviations differ (0.5 in the logarithm): how often
a 95 % interval covers the truth, and how often any of the cells is claimed to differ.
"""

from __future__ import annotations

import numpy as np

from augsearch.search.crossed import holm
from augsearch.search.moderated import moderated_means, two_sided

ROUNDS = 500


def simulate(
    cells: int, seeds: int, spread: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Shares of intervals that cover and of rounds with a false claim."""
    covered, claimed = [], []
    for _ in range(ROUNDS):
        noise = np.exp(rng.normal(0, spread, cells))[:, None]
        reference = rng.normal(0, 1, seeds) * noise.mean()
        estimates = moderated_means(rng.normal(0, 1, (cells, seeds)) * noise - reference)
        intervals = [estimate.interval(0.95) for estimate in estimates]
        covered += [low < 0 < high for low, high in intervals]
        claimed.append(min(holm([two_sided(estimate) for estimate in estimates])) < 0.05)
    return float(np.mean(covered)), float(np.mean(claimed))


def main() -> None:
    rng = np.random.default_rng(0)
    print("| cells | seeds | covered | false claims | covered, unequal | false claims, unequal |")
    print("|---|---|---|---|---|---|")
    for cells in (4, 6, 20):
        for seeds in (2, 3, 5):
            shares = [*simulate(cells, seeds, 0.0, rng), *simulate(cells, seeds, 0.5, rng)]
            print(f"| {cells} | {seeds} | " + " | ".join(f"{s:.3f}" for s in shares) + " |")


if __name__ == "__main__":
    main()
