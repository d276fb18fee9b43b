"""Samplers and pruners replayed on tables of real scores: what finds a good policy soonest?

    uv run python benchmarks/search.py [--replays 200] [--only "gp, carried; gp, pruned"]
        [--tables hue,hue_orientation,neu_cls]

A replay is a whole search with Optuna in which a trial's score is looked up in a table of
`tables.py` instead of trained. Everything else is real: noise of one seed, rungs, pruning. Each
replay has a sampler's seed and a training seed of its own, the same for all strategies. Compute is
counted in trials of full length: a trial stopped at half its steps costs a half, one that is raced
over three seeds costs three.

Strategies: random, QMC, TPE, GP and CMA-ES; each plain, with successive halving ("pruned"), and
with seeds raced by Optuna's `WilcoxonPruner` ("raced": a trial runs with up to all seeds but one,
and stops when it is worse than the best trial on the seeds so far; on tables of five seeds or more,
as three must agree). TPE and GP also with a model that learns from stopped trials as if they had
finished ("carried"); these two and the pruned ones run in augsearch's own sampler, of which "tpe,
carried" is the default. `--only` does some of them again, with random search and the default, which
all are compared with, and keeps the others' results.

Regret is what is lost by taking the policy that the search thinks best: the table's best minus that
policy's mean over seeds that this replay has not seen, so that luck with the seeds it saw does not
count as skill; what a seed adds to the scores of all policies is taken off first. The best is drawn
towards the mean of the table as far as seeds disagree, pooled over all policies; single regrets can
be below zero. Two regrets are given. "The best trial": the policy with the best score. "Confirmed",
much as a study decides, which takes more seeds: of the two best policies the better one on two more
seeds, judged on the two that are left; the mean over all choices of the two. A race has confirmed
by itself, runs three seeds of a trial at least, and is judged on the one seed that is left.

Printed for each strategy: median regret in points after some compute, with the range from the 10th
to the 90th percentile of replays at the end; the share of the full compute from which on its median
and its mean regret are as low as random search's at full compute, with a 95 % band from resampling
the replays; and its mean regret from the first `STARTUP` trials' compute on minus that of the
default, with a 95 % interval in which a training seed counts once. Writes
results/search-<table>.json and docs/images/search.png.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import TrialState
from scipy import stats
from threadpoolctl import threadpool_limits
from timing import RESULTS, write_result

from augsearch.engines.processes import Processes, process_count
from augsearch.search.trials.sampler import SeededPerTrial
from augsearch.study_sections import GpConfig, TpeConfig

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
MEASURES = {"regret": "the best trial", "confirmed": "the better of two, confirmed"}
TOP, CONFIRMED = 2, 2
"""Trials that a study confirms (`confirm.top`), and fresh seeds of a replayed confirmation."""
IMAGES = Path(__file__).parents[1] / "docs" / "images"
REFERENCE, DEFAULT = "random, plain", "tpe, carried"
DRAWN = {
    REFERENCE: ("random, no pruning", "#8a949b"),
    "random, pruned": ("random, pruned", "#b8860b"),
    "tpe, plain": ("TPE, no pruning", "#7aa6c2"),
    "gp, carried": ("GP, as augsearch runs it", "#b5495b"),
    DEFAULT: ("TPE, as augsearch runs it (the default)", "#0b6e4f"),
}
"""Strategies in the picture, with their names and colours."""
SAMPLERS = ("random", "qmc", "tpe", "gp", "cmaes")
Variant = Literal["plain", "pruned", "carried", "raced"]
VARIANTS: tuple[Variant, ...] = ("plain", "pruned", "carried", "raced")
OWN: dict[str, type[TpeConfig | GpConfig]] = {"tpe": TpeConfig, "gp": GpConfig}
"""Samplers that augsearch has, which can learn from stopped trials as if they had finished."""


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
        return len(self.scores)

    @property
    def seeds(self) -> int:
        return int(self.scores.shape[-2])


@cache
def read_table(name: str) -> Table:
    frame = pd.read_csv(TABLES / f"grid-{name}.csv")
    axes = tuple(frame.columns[: frame.columns.get_loc("seed")])
    keys = [*axes, "seed", "step"]
    ordered = frame.set_index(keys).score.sort_index()
    assert isinstance(ordered.index, pd.MultiIndex)
    shape = [len(level) for level in ordered.index.levels]
    if shape[-2] < CONFIRMED + 2:
        raise SystemExit(f"grid-{name}.csv has {shape[-2]} seeds: {CONFIRMED + 2} are the least")
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
    if variant != "carried" or sampler in OWN
)


def sampler_of(name: str, seed: int, variant: Variant) -> optuna.samplers.BaseSampler:
    if name in OWN and variant in ("pruned", "carried"):
        config = OWN[name](startup_trials=STARTUP)
        return SeededPerTrial(config, seed, carry=variant == "carried")
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
        regret: `[BUDGET + 1]` after so much compute, of the best trial; entry 0 is of a random
            policy.
        confirmed: the same of the better of the two best, as two more seeds say.
        stopped: share of trials that did not run to their end.
    """

    regret: NDArray[np.float64]
    confirmed: NDArray[np.float64]
    stopped: float


def seed_order(number: int, seeds: int) -> tuple[np.random.Generator, NDArray[np.int64]]:
    """A replay's random numbers and the order of its training seeds, the study's own first."""
    rng = np.random.default_rng([number, 1])
    return rng, rng.permutation(seeds)


def replay(table: Table, strategy: Strategy, number: int) -> Replay:
    """A search by `strategy` in which scores are looked up; the same number, the same seeds."""
    rng, order = seed_order(number, table.seeds)
    study = optuna.create_study(
        direction="maximize",
        sampler=sampler_of(strategy.sampler, number, strategy.variant),
        pruner=pruner_of(strategy.variant),
    )
    axes: dict[str, BaseDistribution] = {
        name: IntDistribution(0, table.levels - 1) for name in table.axes
    }
    raced = strategy.variant == "raced"
    regrets = table.best - table.ends[..., order[-1:] if raced else order[1:]].mean(axis=-1)
    regret = np.full(BUDGET + 1, rng.choice(regrets.ravel()))
    confirmed = regret.copy()
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
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if begin <= BUDGET and complete:
            complete.sort(key=lambda trial: (-float(trial.value or 0.0), trial.number))
            ranked = list(dict.fromkeys(tuple(t.params[a] for a in table.axes) for t in complete))
            regret[begin:] = confirmed[begin:] = regrets[ranked[0]]
            if not raced:  # a race has confirmed by itself
                confirmed[begin:] = confirmed_regret(table, order[1:], ranked[:TOP])
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return Replay(regret, confirmed, states.count(TrialState.PRUNED) / len(states))


def confirmed_regret(
    table: Table, unseen: NDArray[np.int64], policies: Sequence[tuple[int, ...]]
) -> float:
    """Regret of the policy that is best on `CONFIRMED` unseen seeds, judged on the others.

    The mean over all choices of the seeds.
    """
    ends = np.stack([table.ends[levels] for levels in policies])
    left = []
    for fresh in combinations(unseen, CONFIRMED):
        others = [seed for seed in unseen if seed not in fresh]
        chosen = ends[:, list(fresh)].mean(axis=1).argmax()
        left.append(table.best - ends[chosen, others].mean())
    return float(np.mean(left))


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


def work(_: None, job: tuple[str, Strategy, int]) -> Replay:
    prepare()
    table, strategy, number = job
    return replay(read_table(table), strategy, number)


def prepare() -> None:
    threadpool_limits(1)  # the process's matrices are small: two threads take twice the time
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
    own: Sequence[float], default: Sequence[float], seeds: int
) -> tuple[float, float, float]:
    """Mean regret minus that of the default, with a 95 % interval for other training seeds.

    Replays of one training seed look up the same scores: their mean counts once.

    Args:
        own, default: `[replays]`, regret over the search; the same seeds stand first.
        seeds: of the table.
    """
    both = min(len(own), len(default))
    gaps = pd.Series(np.array(own[:both]) - np.array(default[:both]))
    means = gaps.groupby([seed_order(number, seeds)[1][0] for number in range(both)]).mean()
    mean, half = float(means.mean()), float(stats.t.ppf(0.975, len(means) - 1) * means.sem())
    return round(mean, 3), round(mean - half, 3), round(mean + half, 3)


def judged(curves: NDArray[np.float64], reference: NDArray[np.float64]) -> dict[str, Any]:
    """What is kept of a strategy's regrets, `[replays, BUDGET + 1]`; in points."""
    points = 100 * curves
    low, high = np.percentile(points, [10, 90], axis=0)
    return {
        "median": np.median(points, axis=0).round(3).tolist(),
        "mean": points.mean(axis=0).round(3).tolist(),
        "low": low.round(3).tolist(),
        "high": high.round(3).tolist(),
        "share_to_reach_random": {
            "median": share_with_band(curves, reference, np.median),
            "mean": share_with_band(curves, reference, np.mean),
        },
        "over_the_search": points[:, STARTUP:].mean(axis=1).round(3).tolist(),
    }


def print_row(row: dict[str, Any], measure: str) -> None:
    found = row[measure]
    shown = "".join(f"{found['median'][at]:6.2f}" for at in SHOWN)
    median, mean = (found["share_to_reach_random"][how] for how in ("median", "mean"))
    more = found["less_than_default"]
    print(
        f"  {row['strategy']:16}{shown}  {found['low'][-1]:4.2f}..{found['high'][-1]:4.2f}   "
        f"{median[0]:.2f} ({median[1]:.2f}..{median[2]:.2f})  "
        f"{mean[0]:.2f} ({mean[1]:.2f}..{mean[2]:.2f})   "
        f"{more[0]:+.2f} ({more[1]:+.2f}..{more[2]:+.2f})   {row['stopped']:4.0%}"
    )


def search_table(name: str, replays: int, strategies: Sequence[Strategy], processes: int) -> None:
    table = read_table(name)
    strategies = [s for s in strategies if s.variant != "raced" or table.seeds >= RACED]
    jobs = [(name, strategy, number) for strategy in strategies for number in range(replays)]
    replays_of: dict[str, list[Replay]] = {s.name: [] for s in strategies}
    found = dict(Processes(threads=1, most=processes).run(work, None, jobs))
    for job in jobs:
        replays_of[job[1].name].append(found[job])
    noise = np.sqrt(table.ends.var(axis=-1, ddof=1).mean())
    best, middle = 100 * table.best, 100 * np.median(table.ends.mean(axis=-1))
    policies = table.ends.size // table.seeds
    print(
        f"\n{name}: {policies} policies, {table.seeds} seeds; best {best:.1f}, median "
        f"{middle:.1f}, sd of a seed {100 * noise:.1f} points"
    )
    rows: list[dict[str, Any]] = [
        {
            "strategy": key,
            "replays": len(some),
            "stopped": round(float(np.mean([one.stopped for one in some])), 3),
        }
        for key, some in replays_of.items()
    ]
    for measure in MEASURES:
        whole = {
            key: np.stack([getattr(one, measure) for one in some])
            for key, some in replays_of.items()
        }
        for row in rows:
            row[measure] = judged(whole[row["strategy"]], whole[REFERENCE])
    earlier = earlier_result(name)
    kept = [row for row in earlier.get("rows", []) if row["strategy"] not in replays_of]
    rows += kept
    order = [strategy.name for strategy in STRATEGIES]
    rows.sort(key=lambda row: order.index(row["strategy"]))
    for measure, said in MEASURES.items():
        print(f"\n  median regret of {said}")
        head = "".join(f"{shown:>6}" for shown in SHOWN)
        print(
            f"  {'':16}{head}  10..90 %     compute to reach random: median, mean     "
            f"mean regret minus the default's   stopped"
        )
        default = next(row[measure] for row in rows if row["strategy"] == DEFAULT)
        for row in rows:
            found = row[measure]
            found["less_than_default"] = less_than(
                found["over_the_search"], default["over_the_search"], table.seeds
            )
            print_row(row, measure)
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
            found = row["confirmed"]
            axes.plot(compute[1:], found["mean"][1:], color=colour, label=label, linewidth=1.8)
            if strategy in (REFERENCE, DEFAULT):
                low, high = np.array(found["low"]), np.array(found["high"])
                axes.fill_between(compute[1:], low[1:], high[1:], color=colour, alpha=0.13)
        axes.axhline(
            rows[REFERENCE]["confirmed"]["mean"][-1], color="#545e64", linewidth=0.8, linestyle=":"
        )
        axes.set_title(name, loc="left", fontsize=10)
        axes.set_xlabel("compute, in trials of full length")
        axes.set_xlim(STARTUP - 2, BUDGET)
        axes.set_ylim(-2, max(5.0, 1.1 * rows[REFERENCE]["confirmed"]["mean"][STARTUP]))
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
    wanted = {REFERENCE, DEFAULT, *(name.strip() for name in options.only.split(";"))}
    strategies = [s for s in STRATEGIES if not options.only or s.name in wanted]
    for name in options.tables.split(","):
        search_table(name, options.replays, strategies, options.processes)
    picture(options.tables.split(","))


if __name__ == "__main__":
    # Other processes find what they are to do by its module's name, which here is __main__.
    import search

    search.main()
