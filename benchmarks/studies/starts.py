"""Do policies still matter where the encoder starts from pretrained weights?

    uv run python -m benchmarks.studies.starts adaptation path/to/neu_cls path/to/rsscn7
        --weights FILE
    uv run python -m benchmarks.studies.starts policies path/to/neu_cls --space factory
        --weights FILE
    uv run python -m benchmarks.studies.starts show

`adaptation` tries how to go on from weights: learning rate, layer-wise decay, frozen parts, batch
norm's statistics; it asks which of them beats the weights as they are. `policies` trains the same
policies (four baselines and points spread over the space) from scratch and from the weights, at
several image sizes, over several seeds. FILE holds the weights of `encoders/mobilenetv1_025.py`.
The name of a drawn domain (`hue`, `texture`, ...) stands for an unseen instance of it.

Each encoder is scored by the probe with few labels, that with all, and fine-tuned with few labels
and images as they are. All scores are of validation images. Runs are kept in tables/starts.jsonl
as they end: stopped, the same command goes on. `show` prints what is there, and writes
results/starts.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from augsearch.augment.baselines import BASELINES
from augsearch.data.embedded.domains import DOMAINS
from augsearch.engines.processes import Processes
from augsearch.space.policy import Policy
from augsearch.space.space import load_space
from benchmarks.shared.folders import TABLES
from benchmarks.shared.timing import write_result
from benchmarks.studies.real_sets import with_groups
from benchmarks.studies.start_runs import Run, Shared, do_run

TABLE = TABLES / "starts.jsonl"
CASE = ["data", "size", "start"]
MEASURES = ("score", "all_labels", "fine_tuned")
SHOWN = ("SimCLR s=0.5", "SimCLR s=1", "crop only")
UNTOUCHED = 2  # steps of a run that takes none: a study file wants some
GRID = (
    *({"learning_rate": rate} for rate in (1e-4, 3e-4, 1e-3)),
    *({"learning_rate": rate, "statistics": "keep"} for rate in (1e-4, 3e-4, 1e-3)),
    *({"learning_rate": 3e-4, "layer_decay": decay} for decay in (0.5, 0.7)),
    *({"learning_rate": 3e-4, "frozen_stages": parts} for parts in (2, 4)),
    {"learning_rate": 1e-3, "layer_decay": 0.5, "frozen_stages": 2},
    {"learning_rate": 3e-4, "layer_decay": 0.7, "statistics": "keep"},
)


def policies_of(space: str, count: int) -> dict[str, Policy]:
    """The baselines, and random points of a space."""
    searched, rng = load_space(space), Random(7)
    points = [searched.policy(searched.random_point(rng)) for _ in range(count)]
    return {**BASELINES, **{f"point {n}": policy for n, policy in enumerate(points, 1)}}


def train(runs: Sequence[Run], shared: Shared, processes: int | None) -> None:
    """Do what the table lacks, and add it."""
    known = {tuple(row[f.name] for f in dataclasses.fields(Run)) for row in rows()}
    missing = [run for run in runs if dataclasses.astuple(run) not in known]
    print(f"{len(runs)} runs, {len(missing)} to do", flush=True)
    with TABLE.open("a") as table:
        for run, found in Processes(1, most=processes).run(do_run, shared, missing):
            table.write(json.dumps({**dataclasses.asdict(run), **found}) + "\n")
            table.flush()
            shown = found.get("score")
            print(
                run.data, run.size, run.start, run.setting, run.policy or "as it is", run.seed,
                "failed" if shown is None else f"{100 * shown:.1f}", flush=True,
            )  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Every run so far."""
    return [json.loads(line) for line in TABLE.read_text().splitlines()] if TABLE.exists() else []


def adaptation_runs(names: Sequence[str], size: int, steps: int, seeds: int) -> Iterator[Run]:
    for name, seed in itertools.product(names, range(1, seeds + 1)):
        yield Run(name, size, "pretrained", "{}", "", seed, UNTOUCHED)
        for setting in GRID:
            text = json.dumps(setting, sort_keys=True)
            yield Run(name, size, "pretrained", text, "SimCLR s=0.5", seed, steps)


def policy_runs(
    names: Sequence[str], policies: Sequence[str], given: argparse.Namespace
) -> Iterator[Run]:
    lengths = {"scratch": ("{}", given.steps[0]), "pretrained": (given.setting, given.steps[-1])}
    for name, size, seed in itertools.product(names, given.sizes, range(1, given.seeds + 1)):
        for start in given.starts:
            setting, steps = lengths[start]
            yield Run(name, size, start, "{}", "", seed, UNTOUCHED)
            for policy in policies:
                yield Run(name, size, start, setting, policy, seed, steps)


def show() -> None:
    """Print what the table holds."""
    table = pd.DataFrame(rows())
    table = table[table.score.notna()].reindex(columns=table.columns.union(list(MEASURES)))
    table[list(MEASURES)] *= 100
    adaptation = list(adaptations(table))
    print("adaptation under SimCLR s=0.5, points above the weights as they are")
    for one in adaptation:
        print(
            f"{one['data']:15s} {one['size']:4d} {one['steps']:5d}  {one['gain']:+5.1f}  "
            f"({one['seeds']} seeds)  {one['setting']}"
        )
    policies = list(comparisons(table))
    print("\npolicies: mean score, how far they differ, and how well one seed tells them apart")
    columns = ("images", "pixels", "start", "score", "as it is", *SHOWN, "best", "SD", "ICC")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for one in policies:
        mean = one["mean"]
        best = max(mean, key=mean.__getitem__)
        known = " | ".join(
            f"{mean[name]:.1f}" for name in ("SimCLR s=0.5", "SimCLR s=1", "crop only")
        )
        print(
            f"| {one['data']} | {one['size']} | {one['start']} | {one['measure']} "
            f"| {one['as_it_is']:.1f} | {known} | {mean[best]:.1f} ({best}) "
            f"| {one['spread']:.1f} | {one['icc']:.2f} |"
        )
    print("written:", write_result("starts", {"adaptation": adaptation, "policies": policies}))


def adaptations(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What each way to go on from weights gains over these as they are."""
    as_is = {key: part.score.mean() for key, part in split(table[table.policy == ""], CASE)}
    tried = table[
        (table.policy == "SimCLR s=0.5") & (table.start == "pretrained") & (table.setting != "{}")
    ]
    for (*case, steps, setting), part in split(tried, [*CASE, "steps", "setting"]):
        if tuple(case) not in as_is:
            continue
        yield {
            **{"data": case[0], "size": case[1], "steps": steps, "setting": setting},
            **{"gain": part.score.mean() - as_is[tuple(case)], "seeds": len(part)},
        }


def comparisons(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """How far policies differ, for each set, size, start and score."""
    for (*case, steps, setting), part in split(
        table[table.policy != ""], [*CASE, "steps", "setting"]
    ):
        same = (table[CASE] == case).all(axis=1) & (table.policy == "")
        for measure in MEASURES:
            grid = part.pivot_table(index="policy", columns="seed", values=measure).dropna(axis=1)
            if min(grid.shape) < 2 or len(grid) < 4:
                continue
            scores = grid.to_numpy()
            yield {
                **{"data": case[0], "size": case[1], "start": case[2], "setting": setting},
                **{"steps": steps, "seeds": grid.shape[1], "measure": measure},
                "as_it_is": float(table[same][measure].mean()),
                "mean": {str(name): float(row.mean()) for name, row in grid.iterrows()},
                "spread": float(np.sqrt(max(0.0, variance_of_policies(scores)))),
                "icc": icc(scores),
            }


def split(table: pd.DataFrame, keys: list[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """The rows of each combination of values."""
    for key, part in table.groupby(keys):
        yield tuple(key) if isinstance(key, tuple) else (key,), part


def variance_of_policies(scores: np.ndarray) -> float:
    """Of true differences between policies: two-way, seeds taken out. `scores`: `[P, S]`."""
    between, within = _mean_squares(scores)
    return float((between - within) / scores.shape[1])


def icc(scores: np.ndarray) -> float:
    """Share of a single run's variance, seeds taken out, that is the policy's: ICC(3, 1)."""
    between, within = _mean_squares(scores)
    return float(max(0.0, (between - within) / (between + (scores.shape[1] - 1) * within)))


def _mean_squares(scores: np.ndarray) -> tuple[float, float]:
    count, seeds = scores.shape
    of_policy, of_seed = scores.mean(1, keepdims=True), scores.mean(0, keepdims=True)
    rest = scores - of_policy - of_seed + scores.mean()
    between = seeds * ((of_policy - scores.mean()) ** 2).sum() / (count - 1)
    return float(between), float((rest**2).sum() / ((count - 1) * (seeds - 1)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["adaptation", "policies", "show"])
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--weights", default="")
    parser.add_argument("--space", default="factory")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64])
    parser.add_argument(
        "--steps", type=int, nargs="+", default=[300], help="from scratch, and from weights"
    )
    parser.add_argument("--starts", nargs="+", default=["scratch", "pretrained"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--points", type=int, default=4)
    parser.add_argument("--setting", default="{}", help="JSON of how to go on from weights")
    parser.add_argument("--processes", type=int)
    given = parser.parse_args()
    if given.what == "show":
        show()
        return
    roots = {
        path.name: None if str(path) in DOMAINS else with_groups(path, Path("runs"))
        for path in given.data
    }
    policies = policies_of(given.space, given.points)
    shared = Shared(roots, given.weights, policies)
    if given.what == "adaptation":
        runs = adaptation_runs(list(roots), given.sizes[0], given.steps[0], given.seeds)
    else:
        runs = policy_runs(list(roots), list(policies), given)
    train(list(dict.fromkeys(runs)), shared, given.processes)


if __name__ == "__main__":
    main()
