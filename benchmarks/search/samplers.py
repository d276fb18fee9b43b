"""Samplers and pruners replayed on tables of real scores: what finds a good policy soonest?

    uv run python -m benchmarks.search.samplers [--replays 200] [--only "gp, carried; gp, pruned"]
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
carried" is the default, which is replayed with several trials at once as well, as
`compute.parallel` runs them. `--only` does some of them again, with random search and the default,
which all are compared with, and keeps the others' results.

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
from collections.abc import Sequence
from typing import Any

import numpy as np

from augsearch.engines.processes import Processes, process_count
from benchmarks.search.grid_scores import read_table
from benchmarks.search.regrets import judged, less_than
from benchmarks.search.replay import BUDGET, STARTUP, STRATEGIES, Replay, Strategy, work
from benchmarks.shared.folders import PICTURES, RESULTS
from benchmarks.shared.timing import write_result

SHOWN = (4, 8, 12, 16, 24, 32, 48)
RACED = 5
"""Seeds of a table from which on races are worth replaying."""
MEASURES = {"regret": "the best trial", "confirmed": "the better of two, confirmed"}
REFERENCE, DEFAULT = "random, plain", "tpe, carried"
DRAWN = {
    REFERENCE: ("random, no pruning", "#8a949b"),
    "random, pruned": ("random, pruned", "#b8860b"),
    "tpe, plain": ("TPE, no pruning", "#7aa6c2"),
    "gp, carried": ("GP, as augsearch runs it", "#b5495b"),
    DEFAULT: ("TPE, as augsearch runs it (the default)", "#0b6e4f"),
}
"""Strategies in the picture, with their names and colours."""


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
    figure.savefig(PICTURES / "search.png")


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
    main()
