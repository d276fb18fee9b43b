"""Does a search that knows its baselines' scores find what they show, and lose nothing elsewhere?

    uv run python -m benchmarks.search.known_baselines [--replays 200]

Whole searches in the preset `natural`, replayed on planted domains: what a policy is worth follows
from a formula instead of a training, and all else is augsearch's own: sampler, rungs, noise of a
seed. Domains: in `corner` everything but the crop hurts, so that the baseline "crop only" is the
best policy there is; in `edge` flips and light colour help and the rest hurts; in `inside` the best
values lie inside every range; in `flat` nothing matters. Then the grids of `tables.py`, on which a
baseline is the grid's nearest policy.

Strategies: the sampler without the baselines; with their nearest points in its history; and as
augsearch runs it ("known"), where every other trial is near the best point so far as well.

Printed after 12 and 24 trials, in points: mean of the best trial's true score less that of the best
baseline, and the share of replays in which it is more than a point below; both of the study's
recommendation, the better of the two on five fresh seeds; and what the best trial is worth more
than that of the sampler without baselines (95 % interval over replays). Writes
results/known-baselines.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import IntDistribution
from optuna.trial import TrialState
from scipy import stats

from augsearch.augment.baselines import BASELINES
from augsearch.engines.processes import Processes
from augsearch.search.trials.sampler import SeededPerTrial, build_pruner, distributions
from augsearch.space.nearest import distance, nearest_point
from augsearch.space.space import load_space
from augsearch.study_sections import SuccessiveHalvingConfig, TpeConfig
from benchmarks.search.grid_scores import read_table
from benchmarks.search.replay import prepare, seed_order
from benchmarks.search.tables import GRIDS, policy_at
from benchmarks.shared.timing import write_result

SHOWN = (12, 24)
CONFIRMED = 5
NOISE = 0.015
"""Standard deviation of a seed's score, as on real sets."""
HALFWAY = 0.03
"""What a trial gains, on the whole, in its second half."""
SPACE = load_space("natural")
AXES = distributions(SPACE)
STRATEGIES = ("without", "history", "known")


def shares(point: Mapping[str, float]) -> dict[str, float]:
    """Each searched value as a share of the way from no effect to the bound of the space."""
    found = {}
    for axis in SPACE.axes():
        low, high = min(axis.form.extremes()), max(axis.form.extremes())
        still = axis.identity if axis.identity is not None else low
        end = low if abs(low - still) > abs(high - still) else high
        found[axis.name] = (point[axis.name] - still) / (end - still)
    return found


def corner(point: Mapping[str, float]) -> float:
    at = shares(point)
    hurts = {
        **{"strength.colour": 0.14, "horizontal_flip.p": 0.02, "grayscale.p": 0.08},
        **{"gaussian_blur.sigma": 0.08, "solarize.p": 0.1, "rotation.degrees": 0.08},
        **{"erasing.p": 0.06, "gaussian_noise.std": 0.1},
    }
    lost: float = sum(weight * at[name] ** 0.7 for name, weight in hurts.items())
    return 0.63 - lost - 0.2 * (1 - at["resized_crop.scale_min"]) ** 2


def edge(point: Mapping[str, float]) -> float:
    at = shares(point)
    hurts = {"grayscale.p": 0.06, "gaussian_blur.sigma": 0.1, "solarize.p": 0.08}
    hurts |= {"rotation.degrees": 0.06, "erasing.p": 0.04, "gaussian_noise.std": 0.08}
    lost = sum(weight * at[name] ** 0.7 for name, weight in hurts.items())
    gained = 0.04 * at["horizontal_flip.p"] - 0.3 * (at["strength.colour"] - 0.3) ** 2
    return float(0.6 + gained - lost - 0.2 * (at["resized_crop.scale_min"] - 0.8) ** 2)


def inside(point: Mapping[str, float]) -> float:
    at = shares(point)
    best = {"strength.colour": 0.6, "resized_crop.scale_min": 0.6, "grayscale.p": 0.4}
    best |= {"gaussian_blur.sigma": 0.4, "rotation.degrees": 0.5, "gaussian_noise.std": 0.4}
    lost = sum(0.15 * (at[name] - value) ** 2 for name, value in best.items())
    return 0.6 - lost + 0.03 * at["erasing.p"] + 0.02 * at["horizontal_flip.p"]


def flat(point: Mapping[str, float]) -> float:
    del point
    return 0.6


PLANTED: dict[str, Callable[[Mapping[str, float]], float]] = {
    "corner": corner, "edge": edge, "inside": inside, "flat": flat,
}  # fmt: skip


@dataclass(frozen=True)
class Domain:
    """What a replay searches.

    Attributes:
        axes: Optuna's distributions.
        baselines: points of baselines that the space expresses.
        truth: what a point is worth.
        readings: (point, replay's random numbers) -> score halfway and at the end.
    """

    axes: Mapping[str, Any]
    baselines: Mapping[str, Mapping[str, float]]
    truth: Callable[[Mapping[str, float]], float]
    readings: Callable[[Mapping[str, float], np.random.Generator], tuple[float, float]]


def planted(name: str) -> Domain:
    truth = PLANTED[name]
    near = {key: nearest_point(SPACE, policy) for key, policy in BASELINES.items()}
    points = {key: one.point for key, one in near.items() if one.stands_for_it}

    def readings(point: Mapping[str, float], rng: np.random.Generator) -> tuple[float, float]:
        end = truth(point) + NOISE * rng.standard_normal()
        return end - HALFWAY + 0.7 * NOISE * rng.standard_normal(), end

    return Domain(AXES, points, truth, readings)


def of_grid(name: str, number: int) -> Domain:
    """The table of a grid, with this replay's training seed."""
    table = read_table(name)
    _, order = seed_order(number, table.seeds)
    grid = GRIDS[name]
    levels = [tuple(int(n) for n in at) for at in np.ndindex(*table.scores.shape[:-2])]
    points = {}
    for key, policy in BASELINES.items():
        apart = {at: distance(policy_at(grid, at), policy) for at in levels if any(at)}
        nearest = min(apart, key=apart.__getitem__)
        if apart[nearest] <= 0.35:  # a grid is coarse
            points[key] = dict(zip(table.axes, nearest, strict=True))

    def at(point: Mapping[str, float]) -> tuple[int, ...]:
        return tuple(int(point[name]) for name in table.axes)

    def truth(point: Mapping[str, float]) -> float:
        return float(table.ends[at(point)][order[1:]].mean())

    def readings(point: Mapping[str, float], rng: np.random.Generator) -> tuple[float, float]:
        del rng
        scores = table.scores[at(point)][order[0]]
        return float(scores[len(scores) // 2 - 1]), float(scores[-1])

    axes = {name: IntDistribution(0, table.levels - 1) for name in table.axes}
    return Domain(axes, points, truth, readings)


class History(SeededPerTrial):
    """The baselines are in the model's history, and that is all."""

    def _is_near(self) -> bool:
        return False


def replay(domain: Domain, strategy: str, number: int) -> NDArray[np.float64]:
    """`[trials]` what the best trial so far is truly worth."""
    rng = np.random.default_rng([number, 2])
    known = [
        optuna.trial.create_trial(
            params=dict(point),
            distributions=dict(domain.axes),
            value=domain.readings(point, rng)[1],
        )
        for point in domain.baselines.values()
    ]
    kind = History if strategy == "history" else SeededPerTrial
    study = optuna.create_study(
        direction="maximize",
        sampler=kind(TpeConfig(), number, known=() if strategy == "without" else known),
        pruner=build_pruner(SuccessiveHalvingConfig(first_rung=1)),
    )
    worth: list[float] = []
    best, found = -np.inf, np.nan
    while len(worth) < SHOWN[-1]:
        trial = study.ask(fixed_distributions=dict(domain.axes))
        half, end = domain.readings(trial.params, rng)
        trial.report(half, 1)
        if trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, end)
            if end > best:
                best, found = end, domain.truth(trial.params)
        worth.append(found)
    return np.array(worth)


def work(_: None, job: tuple[str, str, int]) -> tuple[NDArray[np.float64], float]:
    """`[trials, 2]` what the best trial and what the study's recommendation are worth, and what the
    best baseline is worth.

    The recommendation is the better of the two on `CONFIRMED` fresh seeds.
    """
    prepare()
    name, strategy, number = job
    domain = planted(name) if name in PLANTED else of_grid(name, number)
    rival = max((domain.truth(point) for point in domain.baselines.values()), default=np.nan)
    found = replay(domain, strategy, number)
    ours, theirs = np.random.default_rng([number, 3]).normal(0, NOISE / CONFIRMED**0.5, 2)
    recommended = np.where(found + ours >= rival + theirs, found, rival)
    return np.stack([found, recommended], axis=1), rival


def compare(name: str, replays: int, processes: int | None) -> list[dict[str, Any]]:
    jobs = [(name, strategy, number) for strategy in STRATEGIES for number in range(replays)]
    done = dict(Processes(threads=1, most=processes).run(work, None, jobs))
    rows = []
    for strategy in STRATEGIES:
        worth = np.stack([done[name, strategy, n][0] for n in range(replays)])
        plain = np.stack([done[name, "without", n][0] for n in range(replays)])
        rival = np.array([done[name, strategy, n][1] for n in range(replays)])
        for shown in SHOWN:
            above, recommended = 100 * (worth[:, shown - 1] - rival[:, None]).T
            more = 100 * (worth - plain)[:, shown - 1, 0]
            half = stats.t.ppf(0.975, replays - 1) * more.std(ddof=1) / np.sqrt(replays)
            row: dict[str, Any] = {
                "domain": name, "strategy": strategy, "trials": shown,
                "above_best_baseline": float(above.mean()),
                "a_point_below": float((above < -1).mean()),
                "recommended_above_best_baseline": float(recommended.mean()),
                "recommended_a_point_below": float((recommended < -1).mean()),
                "gain": float(more.mean()),
                "gain_interval": [float(more.mean() - half), float(more.mean() + half)],
            }  # fmt: skip
            rows.append(row)
            print(
                f"{name:16} {strategy:8} {shown:3}  {row['above_best_baseline']:+6.2f}  "
                f"{100 * row['a_point_below']:4.0f} %   "
                f"{row['recommended_above_best_baseline']:+6.2f}  "
                f"{100 * row['recommended_a_point_below']:4.1f} %   {row['gain']:+5.2f} "
                f"({row['gain_interval'][0]:+.2f} to {row['gain_interval'][1]:+.2f})",
                flush=True,
            )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--domains", default=",".join([*PLANTED, *GRIDS]))
    parser.add_argument("--processes", type=int)
    given = parser.parse_args(arguments)
    print(
        "domain           strategy  trials  best trial less best baseline, more than a point "
        "below; the same of the recommendation; gain over 'without' (95 %)"
    )
    rows = [
        row
        for name in given.domains.split(",")
        for row in compare(name, given.replays, given.processes)
    ]
    print("written:", write_result("known-baselines", {"replays": given.replays, "rows": rows}))


if __name__ == "__main__":
    # Other processes find what they are to do by its module's name, which here is __main__.
    from benchmarks.search import known_baselines  # noqa: PLW0406

    known_baselines.main()
