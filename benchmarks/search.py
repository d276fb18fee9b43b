"""Samplers and pruners replayed on tables of real scores: what finds a good policy soonest?

    uv run python benchmarks/search.py [--replays 200] [--only "gp, carried"]
        [--tables hue,hue_orientation,neu_cls]

A replay is a whole search with Optuna in which a trial's score is looked up in a table of
`tables.py` instead of trained. Everything else is real: noise of one seed, rungs, pruning. Each
replay has a sampler's seed and a training seed of its own, the same for all strategies. Compute is
counted in trials of full length: a trial stopped at half its steps costs a half, one that is raced
over three seeds costs three.

Strategies: random, QMC, TPE, GP and CMA-ES; each plain, with successive halving ("pruned"), and
with seeds raced by Optuna's `WilcoxonPruner` ("raced": a trial runs with up to all seeds but one,
and stops when it is worse than the best trial on the seeds so far; on tables of five seeds or more,
as three must agree). TPE and GP also as augsearch runs them ("carried": successive halving, and the
model learns from stopped trials as if they had finished). `--only` does some of them again, with
random search and the default, which all are compared with, and keeps the others' results.

Regret is what is lost by taking the policy that the search thinks best: the table's best less that
policy's mean over the seeds that this replay has not seen, so that luck with the seeds it saw does
not count as skill; what a seed adds to the scores of all policies is taken off first. The best is
drawn towards the mean of the table as far as its seeds disagree; single regrets can be below zero.
Printed for each strategy: median regret in points after some compute, with the range from the 10th
to the 90th percentile of replays at the end; and the share of the full compute from which on its
median and its mean regret are as low as random search's at full compute, with a 95 % band from
resampling the replays; and its mean regret over the search (from the first `STARTUP` trials'
compute on) less that of the default, paired by replay. Writes results/search-<table>.json and
docs/images/search.png.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optuna.trial import TrialState
from timing import RESULTS, write_result

from augsearch.engines.processes import process_count, run_jobs
from augsearch.search.config import GpConfig, TpeConfig
from augsearch.search.sampler import SeededPerTrial

TABLES = Path(__file__).parent / "tables"
BUDGET = 48
"""Trials of full length: the full compute."""
SHOWN = (4, 8, 12, 16, 24, 32, 48)
SUSPICION = 0.2
"""A raced trial stops below this p-value: worse on each of three seeds is the least that can do it
(p = 1/8); with Optuna's 0.1 it takes four."""
RACED = 5
"""Seeds of a table from which on races are worth replaying."""
STARTUP = 8
IMAGES = Path(__file__).parents[1] / "docs" / "images"
REFERENCE, DEFAULT = "random, plain", "gp, carried"
DRAWN = {
    REFERENCE: ("random, no pruning", "#8a949b"),
    "random, pruned": ("random, pruned", "#b8860b"),
    "tpe, plain": ("TPE, no pruning", "#7aa6c2"),
    "tpe, carried": ("TPE, as augsearch runs it", "#b5495b"),
    DEFAULT: ("GP, as augsearch runs it (the default)", "#0b6e4f"),
}
"""Strategies in the picture, with their names and colours."""
SAMPLERS = ("random", "qmc", "tpe", "gp", "cmaes")
Variant = Literal["plain", "pruned", "carried", "raced"]
VARIANTS: tuple[Variant, ...] = ("plain", "pruned", "carried", "raced")
CARRYING = ("tpe", "gp")


@dataclass(frozen=True)
class Table:
    """Scores of a grid.

    Attributes:
        axes: their names.
        scores: `[levels of each axis..., seeds, rungs]`.
        shares: `[rungs]`, of the steps; the last is 1.
    """

    axes: tuple[str, ...]
    scores: NDArray[np.float64]
    shares: tuple[float, ...]

    @property
    def ends(self) -> NDArray[np.float64]:
        """`[levels of each axis..., seeds]` at the last rung, without what a seed adds to all."""
        ends = self.scores[..., -1]
        policies = tuple(range(ends.ndim - 1))
        return np.asarray(ends - ends.mean(axis=policies) + ends.mean())

    @property
    def best(self) -> float:
        """The best policy's mean, without what it owes to being the best of so many."""
        flat = self.ends.reshape(-1, self.seeds)
        means, noise = flat.mean(axis=1), flat.var(axis=1, ddof=1).mean() / self.seeds
        kept = max(0.0, 1 - noise / means.var(ddof=1))
        return float(means.mean() + kept * (means.max() - means.mean()))

    @property
    def levels(self) -> int:
        return self.scores.shape[0]

    @property
    def seeds(self) -> int:
        return self.scores.shape[-2]


@cache
def read_table(name: str) -> Table:
    frame = pd.read_csv(TABLES / f"grid-{name}.csv")
    axes = tuple(frame.columns[: frame.columns.get_loc("seed")])
    keys = [*axes, "seed", "step"]
    ordered = frame.set_index(keys).score.sort_index()
    shape = [len(level) for level in ordered.index.levels]
    if len(ordered) != np.prod(shape):
        raise SystemExit(f"grid-{name}.csv has holes: make it again with benchmarks/tables.py")
    steps = ordered.index.levels[-1].to_numpy()
    shares = tuple((steps / steps[-1]).tolist())
    return Table(axes, ordered.to_numpy().reshape(shape), shares)


@dataclass(frozen=True)
class Strategy:
    sampler: str
    variant: Variant

    @property
    def name(self) -> str:
        return f"{self.sampler}, {self.variant}"


STRATEGIES = tuple(
    Strategy(sampler, variant)
    for sampler in SAMPLERS
    for variant in VARIANTS
    if variant != "carried" or sampler in CARRYING
)


def sampler_of(name: str, seed: int, variant: Variant) -> optuna.samplers.BaseSampler:
    if variant == "carried":
        kind = GpConfig if name == "gp" else TpeConfig
        return SeededPerTrial(kind(startup_trials=STARTUP), seed)
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name == "qmc":
        return optuna.samplers.QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
    if name == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTUP)
    if name == "cmaes":
        return optuna.samplers.CmaEsSampler(
            seed=seed, n_startup_trials=STARTUP, warn_independent_sampling=False
        )
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True)


def pruner_of(variant: Variant) -> optuna.pruners.BasePruner:
    if variant in ("pruned", "carried"):
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2)
    if variant == "raced":
        return optuna.pruners.WilcoxonPruner(p_threshold=SUSPICION, n_startup_steps=2)
    return optuna.pruners.NopPruner()


@dataclass(frozen=True)
class Replay:
    """One search.

    Attributes:
        regret: `[BUDGET + 1]` after so much compute; entry 0 is of a random policy.
        stopped: share of trials that did not run to their end.
    """

    regret: NDArray[np.float64]
    stopped: float


def replay(table: Table, strategy: Strategy, number: int) -> Replay:
    """A search by `strategy` in which scores are looked up; the same number, the same seeds."""
    rng = np.random.default_rng([number, 1])
    order = rng.permutation(table.seeds)  # a study's own seed first
    study = optuna.create_study(
        direction="maximize",
        sampler=sampler_of(strategy.sampler, number, strategy.variant),
        pruner=pruner_of(strategy.variant),
    )
    axes = {name: optuna.distributions.IntDistribution(0, table.levels - 1) for name in table.axes}
    unseen = order[table.seeds - 1 :] if strategy.variant == "raced" else order[1:]
    regrets = table.best - table.ends[..., unseen].mean(axis=-1)
    regret = np.full(BUDGET + 1, rng.choice(regrets.ravel()))
    spent = 0.0
    while spent < BUDGET:
        trial = study.ask(fixed_distributions=axes)
        scores = table.scores[tuple(trial.params[name] for name in table.axes)]
        value, cost = run_trial(trial, scores[order], table.shares, strategy.variant)
        if value is None:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, value)
        spent += cost
        begin = int(np.ceil(spent - 1e-9))
        if begin <= BUDGET and study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            best = study.best_trial.params
            regret[begin:] = regrets[tuple(best[name] for name in table.axes)]
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return Replay(regret, states.count(TrialState.PRUNED) / len(states))


def run_trial(
    trial: optuna.Trial, scores: NDArray[np.float64], shares: Sequence[float], variant: Variant
) -> tuple[float | None, float]:
    """A trial's value (None if it was stopped) and its cost, from `[seeds, rungs]`."""
    if variant == "raced":
        seeds = len(scores) - 1
        for place in range(seeds):
            trial.report(scores[place, -1], place)
            if place + 1 < seeds and trial.should_prune():
                return None, place + 1
        return float(scores[:seeds, -1].mean()), seeds
    if variant in ("pruned", "carried"):
        for rung, share in enumerate(shares[:-1], 1):
            trial.report(scores[0, rung - 1], rung)
            if trial.should_prune():
                return None, share
    return float(scores[0, -1]), 1.0


def work(job: tuple[str, Strategy, int]) -> Replay:
    table, strategy, number = job
    return replay(read_table(table), strategy, number)


def quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def compute_to_reach(curve: NDArray[np.float64], level: float) -> float:
    """The least compute from which on the curve `[BUDGET + 1]` stays at or below `level`."""
    above = np.flatnonzero(curve > level + 1e-12)
    if len(above) == 0:
        return 0.0
    return float(above[-1] + 1) if above[-1] < BUDGET else np.inf


def share_with_band(
    curves: NDArray[np.float64],
    reference: NDArray[np.float64],
    typical: Callable[..., NDArray[np.float64]],
) -> tuple[float, float, float]:
    """Compute to reach random search's final regret, over the full compute; 95 % band.

    Args:
        curves: `[replays, BUDGET + 1]`, of a strategy.
        reference: those of random search, at least as many; the same seeds stand first.
        typical: `np.median` or `np.mean`, over replays.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(500):
        rows = rng.integers(len(curves), size=len(curves))
        level = float(typical(reference[rows, -1]))
        found.append(compute_to_reach(typical(curves[rows], axis=0), level))
    value = compute_to_reach(typical(curves, axis=0), float(typical(reference[: len(curves), -1])))
    low, high = np.percentile(found, [2.5, 97.5], method="nearest")
    return value / BUDGET, float(low) / BUDGET, float(high) / BUDGET


def less_than(
    curves: NDArray[np.float64], default: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Mean regret over the search less that of the default, with a 95 % interval, in points.

    Args:
        curves, default: `[replays, BUDGET + 1]`; the same seeds stand first.
    """
    both = min(len(curves), len(default))
    gaps = 100 * (curves[:both, STARTUP:] - default[:both, STARTUP:]).mean(axis=1)
    rows = np.random.default_rng(0).integers(both, size=(2000, both))
    low, high = np.percentile(gaps[rows].mean(axis=1), [2.5, 97.5])
    return float(gaps.mean()), float(low), float(high)


def search_table(name: str, replays: int, strategies: Sequence[Strategy], processes: int) -> None:
    table = read_table(name)
    strategies = [s for s in strategies if s.variant != "raced" or table.seeds >= RACED]
    jobs = [(name, strategy, number) for strategy in strategies for number in range(replays)]
    replays_of: dict[str, list[Replay]] = {s.name: [] for s in strategies}
    found = dict(run_jobs(work, jobs, processes=processes, threads=1, prepare=quiet, shared=()))
    for job in jobs:
        replays_of[job[1].name].append(found[job])
    whole = {key: np.stack([one.regret for one in some]) for key, some in replays_of.items()}
    reference = whole["random, plain"]
    noise = np.sqrt(table.ends.var(axis=-1, ddof=1).mean())
    best, middle = 100 * table.best, 100 * np.median(table.ends.mean(axis=-1))
    policies = table.ends.size // table.seeds
    print(
        f"\n{name}: {policies} policies, {table.seeds} seeds; best {best:.1f}, median "
        f"{middle:.1f}, sd of a seed {100 * noise:.1f} points; "
        f"median regret over {replays} replays"
    )
    head = "".join(f"{shown:>6}" for shown in SHOWN)
    print(
        f"  {'':16}{head}  10..90 %     compute to reach random: median, mean     "
        f"mean regret less the default's   stopped"
    )
    rows = []
    for key, own in whole.items():
        points = 100 * own
        low, high = np.percentile(points, [10, 90], axis=0)
        median = share_with_band(own, reference, np.median)
        mean = share_with_band(own, reference, np.mean)
        more = less_than(own, whole[DEFAULT])
        stopped = float(np.mean([one.stopped for one in replays_of[key]]))
        shown = "".join(f"{np.median(points[:, at]):6.2f}" for at in SHOWN)
        print(
            f"  {key:16}{shown}  {low[-1]:4.2f}..{high[-1]:4.2f}   "
            f"{median[0]:.2f} ({median[1]:.2f}..{median[2]:.2f})  "
            f"{mean[0]:.2f} ({mean[1]:.2f}..{mean[2]:.2f})   "
            f"{more[0]:+.2f} ({more[1]:+.2f}..{more[2]:+.2f})   {stopped:4.0%}"
        )
        rows.append(
            {
                "strategy": key,
                "replays": len(own),
                "median": np.median(points, axis=0).round(3).tolist(),
                "mean": points.mean(axis=0).round(3).tolist(),
                "low": low.round(3).tolist(),
                "high": high.round(3).tolist(),
                "share_to_reach_random": {"median": median, "mean": mean},
                "less_than_default": more,
                "stopped": round(stopped, 3),
            }
        )
    earlier = earlier_result(name)
    kept = [row for row in earlier.get("rows", []) if row["strategy"] not in whole]
    rows += kept
    order = [strategy.name for strategy in STRATEGIES]
    rows.sort(key=lambda row: order.index(row["strategy"]))
    content: dict[str, Any] = {"table": name, "budget": BUDGET, "rows": rows}
    if kept:
        others = earlier.get(
            "others", {key: earlier[key] for key in ("date", "command", "machine")}
        )
        content["others"] = {**others, "strategies": [row["strategy"] for row in kept]}
    print(write_result(f"search-{name}", content))


def earlier_result(name: str) -> dict[str, Any]:
    """What an earlier call found on this table."""
    path = RESULTS / f"search-{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def picture(names: Sequence[str]) -> None:
    """Regret against compute: a panel for each table, from its results."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(names), 4), dpi=120, layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        result = json.loads((RESULTS / f"search-{name}.json").read_text(encoding="utf-8"))
        rows = {row["strategy"]: row for row in result["rows"]}
        compute = np.arange(BUDGET + 1)
        for strategy, (label, colour) in DRAWN.items():
            if (row := rows.get(strategy)) is None:
                continue
            axes.plot(compute[1:], row["mean"][1:], color=colour, label=label, linewidth=1.8)
            if strategy in (REFERENCE, DEFAULT):
                low, high = np.array(row["low"]), np.array(row["high"])
                axes.fill_between(compute[1:], low[1:], high[1:], color=colour, alpha=0.13)
        axes.axhline(rows[REFERENCE]["mean"][-1], color="#545e64", linewidth=0.8, linestyle=":")
        axes.set_title(name, loc="left", fontsize=10)
        axes.set_xlabel("compute, in trials of full length")
        axes.set_xlim(STARTUP - 2, BUDGET)
        axes.set_ylim(-1, max(5.0, 1.1 * rows[REFERENCE]["mean"][STARTUP]))
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=9)
    figure.axes[0].set_ylabel("mean regret, points (10th to 90th percentile)")
    figure.savefig(IMAGES / "search.png")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", default="hue,hue_orientation,neu_cls")
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--only", default="", help="names of strategies, with semicolons between")
    parser.add_argument("--processes", type=int, default=process_count(1, 16))
    options = parser.parse_args()
    quiet()
    wanted = {REFERENCE, DEFAULT, *(name.strip() for name in options.only.split(";"))}
    strategies = [s for s in STRATEGIES if not options.only or s.name in wanted]
    for name in options.tables.split(","):
        search_table(name, options.replays, strategies, options.processes)
    picture(options.tables.split(","))


if __name__ == "__main__":
    # Other processes find what they are to do by its module's name, which here is __main__.
    import search

    search.main()
