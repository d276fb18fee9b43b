"""Whole confirmations replayed from stored runs: what the race and the verdict say of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import binomtest

from augsearch.bench.bench import UNTRAINED
from augsearch.search.confirm.decide import decide
from augsearch.search.confirm.race import Race, RacePlan, run_race
from augsearch.stats.crossed import variance_parts
from augsearch.stats.scored_images import ScoredImages
from benchmarks.claims.stored_runs import GAINING, NULL, SALTS, Stored, Table, make, read

GAIN = 0.05
RACES = {"five seeds, one look": 20, "8 runs more": 28, "up to 15 seeds": 60}
"""Runs that a race of two candidates and two baselines may take in all."""
CANDIDATES, BASELINE_NAMES = ("candidate 1", "candidate 2"), ("baseline 1", "baseline 2")


def races(table: Table, plan: RacePlan, replays: int, *, gain: bool) -> Iterator[Race]:
    """Whole confirmations from stored runs."""
    rng = np.random.default_rng(0)
    salts = sorted({salt for policy, salt, _ in table.runs if policy == NULL})
    seeds = table.seeds()
    flips = _flips(table, seeds) if gain else (0.0, 0.0)
    for _ in range(replays):
        chosen = rng.permutation(seeds)
        dealt: dict[tuple[str, int], Stored] = {}
        for number, seed in enumerate(chosen, 1):
            four = rng.permutation(salts)[:4]
            for name, salt in zip((*CANDIDATES, *BASELINE_NAMES), four, strict=True):
                dealt[name, number] = table.runs[NULL, int(salt), int(seed)]
            dealt[UNTRAINED, number] = table.runs[UNTRAINED, 0, int(seed)]
            if gain:
                run = table.runs[GAINING, 0, int(seed)]
                dealt[CANDIDATES[0], number] = _flipped(run, flips, table.images, rng)

        def fetch(wanted: Any, dealt: Any = dealt) -> Any:
            return {key: dealt[key] for key in wanted}

        race = run_race(CANDIDATES, BASELINE_NAMES, UNTRAINED, plan, table.images, fetch)
        if race is None:
            raise RuntimeError("stored runs do not fail")
        yield race


def _flips(table: Table, seeds: list[int]) -> tuple[float, float]:
    """Odds that a miss becomes a hit, and a hit a miss, so that the mean gap is `GAIN`."""
    null = [run.score for (policy, _, seed), run in table.runs.items() if policy == NULL]
    found = float(np.mean([table.runs[GAINING, 0, seed].score for seed in seeds]))
    missing = float(np.mean(null)) + GAIN - found
    return max(0.0, missing) / (1 - found), max(0.0, -missing) / found


def _flipped(
    run: Stored, flips: tuple[float, float], images: ScoredImages, rng: np.random.Generator
) -> Stored:
    gained = rng.binomial(images.draws - run.hits, flips[0])
    lost = rng.binomial(run.hits, flips[1])
    hits = run.hits + gained - lost
    recall = [hits[images.labels == c].mean() for c in np.unique(images.labels)]
    return Stored(float(np.mean(recall)) / images.draws, hits)


def replayed(table: Table, plan: RacePlan, replays: int, *, gain: bool = False) -> dict[str, Any]:
    """How the replays ended; "better" with its two-sided 95 % Clopper-Pearson interval."""
    codes: dict[str, int] = {}
    planted, runs, looks = 0, [], []
    for race in races(table, plan, replays, gain=gain):
        verdict = decide(race, table.images)
        codes[verdict.code] = codes.get(verdict.code, 0) + 1
        planted += verdict.code == "better" and verdict.recommended == CANDIDATES[0]
        runs.append(sum(count for name, count in verdict.seeds.items() if name != UNTRAINED))
        looks.append(len(verdict.looks))
    better = planted if gain else codes.get("better", 0)
    bounds = binomtest(better, replays).proportion_ci(0.95, method="exact")
    return {
        "replays": replays,
        "better": better,
        "share": better / replays,
        "low": float(bounds.low),
        "high": float(bounds.high),
        "codes": codes,
        "mean_runs": float(np.mean(runs)),
        "mean_looks": float(np.mean(looks)),
    }


def spreads(table: Table) -> dict[str, float]:
    """Standard deviations in points, of scores and of differences between two policies: the
    effects of seeds, of units of images, and what neither explains (see confirm/power.py)."""
    seeds = table.seeds()
    salts = sorted({salt for policy, salt, _ in table.runs if policy == NULL})
    scores = np.array([[table.runs[NULL, k, seed].score for seed in seeds] for k in salts])
    gaining = [table.runs[GAINING, 0, seed] for seed in seeds]
    null = [[table.runs[NULL, k, seed] for seed in seeds] for k in salts]
    pairs = {
        "equal": [(null[k], null[k + 1]) for k in salts[:-1]],
        "real": [(gaining, one) for one in null],
    }
    found = {
        "mean score": float(scores.mean()),
        "score between seeds": float(scores.std(axis=1, ddof=1).mean()),
        "gain of the real pair": float(np.mean([run.score for run in gaining]) - scores.mean()),
    }
    for name, those in pairs.items():
        effects = np.mean([_squared_effects(*pair, table.images) for pair in those], axis=0)
        spread = np.sqrt(np.maximum(effects, 0))
        for part, value in zip(("seeds", "images", "rest"), spread, strict=True):
            found[f"difference of {name} policies: {part}"] = float(value)
    return {name: round(100 * value, 2) for name, value in found.items()}


def _squared_effects(
    one: list[Stored], other: list[Stored], images: ScoredImages
) -> tuple[float, float, float]:
    gaps = np.array([a.score - b.score for a, b in zip(one, other, strict=True)])
    hits = np.array([a.hits - b.hits for a, b in zip(one, other, strict=True)])
    parts = variance_parts(gaps, hits / images.draws, images)
    seeds, concentration = len(gaps), images.concentration
    return (
        seeds * (parts.by_seed - parts.rest),
        (parts.by_image - parts.rest) / concentration,
        seeds * parts.rest / concentration,
    )


def from_tables(arguments: argparse.Namespace) -> dict[str, Any]:
    """Replays of stored runs."""
    if not arguments.no_runs:
        for name in SALTS:
            make(name)
    plans = {
        name: RacePlan(top=2, baselines=2, seeds=5, max_seeds=15, runs=runs)
        for name, runs in RACES.items()
    }
    tables = {name: read(name) for name in SALTS}
    tests = {
        "null": (tables["surfaces"], 2, False),
        "null, one baseline": (tables["surfaces"], 1, False),
        "shuffled labels": (tables["shuffled"], 2, False),
        "shuffled labels, one baseline": (tables["shuffled"], 1, False),
        "power, 5 points": (tables["surfaces"], 2, True),
    }
    results: dict[str, Any] = {"seeds": {n: len(t.seeds()) for n, t in tables.items()}}
    results["spread"] = spreads(tables["surfaces"])
    print(json.dumps(results, indent=1))
    print('| test | race | "better" | 95 % bounds | runs | looks |\n|---|---|---|---|---|---|')
    for test, (table, baselines, gain) in tests.items():
        for race, whole in plans.items():
            runs = whole.runs * (whole.top + baselines) // (whole.top + whole.baselines)
            plan = replace(whole, baselines=baselines, runs=runs)
            found = replayed(table, plan, arguments.replays, gain=gain)
            results.setdefault(test, {})[race] = found
            print(
                f"| {test} | {race} | {100 * found['share']:.1f} % | {100 * found['low']:.1f} to "
                f"{100 * found['high']:.1f} % | {found['mean_runs']:.0f} | "
                f"{found['mean_looks']:.1f} |",
                flush=True,
            )
    return results
