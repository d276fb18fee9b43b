"""May the verdict be trusted? How often it says "better" where nothing is, and where 5 points are.

    uv run python benchmarks/verdict.py [--replays 2000]

makes what is missing of benchmarks/tables/verdict-*.jsonl (real confirmation runs of the `quick`
study on the embedded surfaces; stopped, it goes on where it was; --no-runs leaves it as it is),
replays whole confirmations from it, prints a table and writes benchmarks/results/verdict.json.

The null: one policy (crop only) under several salts. A salt is a suffix of its operations' names,
so it draws other views, while weights and batches of a seed stay those of the other salts: the
salts are policies that are equal in distribution. A replay takes random seeds, and for each of
them deals four salts out at random to two candidates and two baselines, which is one more draw of
the same null. Then it runs the product's own race and verdict on these runs.

The power: one candidate is another real policy (SimCLR s=0.5) on the same seeds; what its mean
differs from 5 points above crop only is mended by flipping hits at random. The other candidate and
the baselines are salts of crop only.

Shuffled labels: the null's replays, on surfaces whose labels are dealt out at random.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from augsearch.augment.baselines import BASELINES
from augsearch.data.surfaces import SurfaceSpec, draw_surfaces
from augsearch.search.bench import Bench
from augsearch.search.config import StudyConfig, load_study_config
from augsearch.search.confirm import race_plan, scored_images
from augsearch.search.crossed import ScoredImages, estimate_difference, estimate_mean
from augsearch.search.race import Race, RacePlan, run_race
from augsearch.search.verdict import UNTRAINED, decide
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config

HERE = Path(__file__).parent
TABLES = HERE / "tables"
NULL, GAINING = "crop only", "SimCLR s=0.5"
GAIN = 0.05
SEEDS = 16
SALTS = {"surfaces": {NULL: 6, GAINING: 1}, "shuffled": {NULL: 4}}
CANDIDATES, BASELINE_NAMES = ("candidate 1", "candidate 2"), ("baseline 1", "baseline 2")


class Stored(NamedTuple):
    """One confirmation run."""

    score: float
    hits: NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """Stored runs by (policy, salt, seed), and the test images that they were scored on."""

    runs: Mapping[tuple[str, int, int], Stored]
    images: ScoredImages

    def seeds(self) -> list[int]:
        """Seeds of which every run is there."""
        wanted = {(policy, salt) for policy, salt, _ in self.runs}
        every = {seed for *_, seed in self.runs}
        return sorted(s for s in every if all((*key, s) in self.runs for key in wanted))


def salted(policy: Policy, salt: int) -> Policy:
    """The policy with draws of its own: these follow from the operations' names."""
    ops = [op.model_copy(update={"name": f"{op.instance}_{salt}"}) for op in policy.ops or ()]
    return policy.model_copy(update={"ops": tuple(ops)})


def study() -> StudyConfig:
    return load_study_config(find_config("quick", "studies"))


def make(name: str) -> None:
    """Run what is missing of a table, seed by seed, one process on one thread."""
    import torch

    config = study()
    torch.set_num_threads(config.compute.threads)
    images = draw_surfaces(SurfaceSpec(shuffle_labels=name == "shuffled"))
    bench = Bench.build(images, config, seed=0, device=torch.device("cpu"))
    sample = scored_images(bench)
    if sample is None:
        raise SystemExit("the study's metric is no mean over images")
    path = TABLES / f"verdict-{name}.jsonl"
    head = {
        "data": images.digest,
        "encoder": config.encoder.model_dump(mode="json"),
        "pretrain": {**config.pretrain.model_dump(mode="json"), "steps": config.confirm.steps},
        "evaluate": config.evaluate.model_dump(mode="json"),
        "draws": sample.draws,
        "labels": sample.labels.tolist(),
        "groups": sample.groups.tolist(),
    }
    if not path.exists():
        TABLES.mkdir(exist_ok=True)
        path.write_text(json.dumps(head) + "\n")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if lines[0] != head:
        raise SystemExit(f"{path} holds runs of other data or settings; delete it to begin anew")
    there = {(line["policy"], line["salt"], line["seed"]) for line in lines[1:]}
    wanted = [
        (policy, salt, seed)
        for seed in range(1, SEEDS + 1)
        for policy, salts in {UNTRAINED: 1, **SALTS[name]}.items()
        for salt in range(salts)
    ]
    for policy, salt, seed in wanted:
        if (policy, salt, seed) in there:
            continue
        if policy == UNTRAINED:
            outcome = bench.untrained(replicate=seed, scored="test")
        else:
            outcome = bench.try_policy(
                salted(BASELINES[policy], salt),
                replicate=seed,
                steps=config.confirm.steps,
                scored="test",
            )
        packed = base64.b64encode(np.array(outcome.hits, dtype=np.uint8).tobytes()).decode()
        line = {"policy": policy, "salt": salt, "seed": seed, "score": outcome.score}
        with path.open("a") as file:
            file.write(json.dumps({**line, "hits": packed}) + "\n")
        print(f"{name}: {policy}, salt {salt}, seed {seed}: {100 * outcome.score:.1f}", flush=True)


def read(name: str) -> Table:
    head, *lines = map(json.loads, (TABLES / f"verdict-{name}.jsonl").read_text().splitlines())
    images = ScoredImages(
        np.array(head["labels"]),
        np.array(head["groups"]),
        head["draws"],
        by_class=head["evaluate"]["metric"] == "balanced_accuracy",
    )
    runs = {}
    for line in lines:
        hits = np.frombuffer(base64.b64decode(line["hits"]), dtype=np.uint8).astype(np.int64)
        runs[line["policy"], line["salt"], line["seed"]] = Stored(line["score"], hits)
    return Table(runs, images)


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
    """What differences of two policies vary by, in points: what `estimate` assumes."""
    seeds = table.seeds()
    null = [table.runs[NULL, 0, seed] for seed in seeds]
    other = [table.runs[NULL, 1, seed] for seed in seeds]
    found = {"sd_between_seeds": _sd(null), "sd_paired_equal": _sd_paired(null, other)}
    found["sd_untrained"] = _sd([table.runs[UNTRAINED, 0, seed] for seed in seeds])
    if (GAINING, 0, seeds[0]) in table.runs:
        gaining = [table.runs[GAINING, 0, seed] for seed in seeds]
        found["sd_paired_real"] = _sd_paired(gaining, null)
        found["gap_real"] = 100 * estimate_difference(gaining, null, None).mean
        both = estimate_difference(gaining, null, table.images)
        alone = estimate_difference(gaining, null, None)
        found["error_over_seeds"] = 100 * alone.error
        found["error_over_seeds_and_images"] = 100 * both.error
        found["sd_of_an_image"] = _image_sd(gaining, null, table.images)
    found["score"] = 100 * estimate_mean(null, None).mean
    return found


def _sd(runs: list[Stored]) -> float:
    return 100 * float(np.std([run.score for run in runs], ddof=1))


def _sd_paired(one: list[Stored], other: list[Stored]) -> float:
    gaps = [a.score - b.score for a, b in zip(one, other, strict=True)]
    return 100 * float(np.std(gaps, ddof=1))


def _image_sd(one: list[Stored], other: list[Stored], images: ScoredImages) -> float:
    """Standard deviation between images of a difference's true mean, in points."""
    gaps = np.array([a.hits - b.hits for a, b in zip(one, other, strict=True)]) / images.draws
    apart = gaps.mean(axis=0)
    for label in np.unique(images.labels):
        apart[images.labels == label] -= apart[images.labels == label].mean()
    rest = gaps.var(axis=0, ddof=1).mean() / len(gaps)
    return 100 * float(np.sqrt(max(0.0, apart.var(ddof=1) - rest)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--replays", type=int, default=2000)
    parser.add_argument("--no-runs", action="store_true", help="replay what is stored")
    arguments = parser.parse_args()
    if not arguments.no_runs:
        for name in SALTS:
            make(name)
    preset = race_plan(study())
    two = {"top": 2, "baselines": 2, "seeds": preset.seeds}
    plans = {
        "first look only": RacePlan(**two, max_seeds=preset.max_seeds, runs=0),
        "8 more runs": RacePlan(**two, max_seeds=preset.max_seeds, runs=28),
        "up to 15 seeds": RacePlan(**two, max_seeds=preset.max_seeds, runs=60),
    }
    tables = {name: read(name) for name in SALTS}
    tests = {
        "null": (tables["surfaces"], False),
        "shuffled labels": (tables["shuffled"], False),
        "power, 5 points": (tables["surfaces"], True),
    }
    results: dict[str, Any] = {"seeds": {n: len(t.seeds()) for n, t in tables.items()}}
    results["spread"] = spreads(tables["surfaces"])
    print(json.dumps(results, indent=1))
    print('| test | race | "better" | 95 % bounds | runs | looks |\n|---|---|---|---|---|---|')
    for test, (table, gain) in tests.items():
        for race, plan in plans.items():
            found = replayed(table, plan, arguments.replays, gain=gain)
            results.setdefault(test, {})[race] = found
            print(
                f"| {test} | {race} | {100 * found['share']:.1f} % | {100 * found['low']:.1f} to "
                f"{100 * found['high']:.1f} % | {found['mean_runs']:.0f} | "
                f"{found['mean_looks']:.1f} |",
                flush=True,
            )
    (HERE / "results" / "verdict.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
