"""Tables of scores on which searches are replayed: every policy of a small grid, several seeds.

    uv run python -m benchmarks.search.tables path/to/neu_cls --seeds 5     # 40 minutes, two cores
    uv run python -m benchmarks.search.tables surfaces/hue --seeds 5
    uv run python -m benchmarks.search.tables surfaces/hue_orientation --seeds 5

A grid has four operations at three strengths, 81 policies. Each is trained with every seed for 300
steps, in all else as in the `standard` study, and scored at a quarter, half, three quarters and
the end, as trials are. It may be stopped and goes on. Runs lie in `--runs`, the scores in
benchmarks/tables/grid-<data>.csv: a row for each (policy, seed, step).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from augsearch.space.policy import Policy
from benchmarks.shared.folders import TABLES
from benchmarks.shared.runs import Job, Setting, bench_of, make_runs, probe_score, read_run

LEVELS = 3
STEPS = 300
Op = dict[str, Any]

CROP: tuple[Op, ...] = tuple({"op": "resized_crop", "scale_min": s} for s in (1.0, 0.4, 0.08))
LIGHT: tuple[Op, ...] = tuple(
    {"op": "color_jitter", "name": "light", "p": 0.8, "brightness": s, "contrast": s}
    for s in (0.0, 0.4, 0.8)
)
BLUR: tuple[Op, ...] = tuple(
    {"op": "gaussian_blur", "p": 0.5, "sigma": s} for s in (0.0, 0.02, 0.04)
)
QUARTERS: tuple[Op, ...] = tuple({"op": "rotate90", "p": p} for p in (0.0, 0.25, 0.5))
TURN: tuple[Op, ...] = tuple({"op": "rotation", "p": 0.8, "degrees": d} for d in (0, 45, 180))
HUE: tuple[Op, ...] = tuple(
    {"op": "color_jitter", "name": "hue", "p": 0.8, "hue": h} for h in (0.0, 0.05, 0.2)
)
TINTED = {"crop": CROP, "light": LIGHT, "turn": TURN, "hue": HUE}
GRIDS: dict[str, dict[str, tuple[Op, ...]]] = {
    "hue": TINTED,
    "hue_orientation": TINTED,
    "neu_cls": {"crop": CROP, "light": LIGHT, "quarters": QUARTERS, "blur": BLUR},
}
"""By the last part of the data's name: for each axis the operation at its three strengths."""


def grid_of(data: str) -> dict[str, tuple[Op, ...]]:
    """The grid that belongs to a data set; that of steel for one without its own."""
    return GRIDS.get(Path(data).name, GRIDS["neu_cls"])


def policy_at(grid: dict[str, tuple[Op, ...]], levels: Sequence[int]) -> Policy:
    """The policy with these strengths; the first level of an axis does nothing."""
    ops = [
        choices[level] for choices, level in zip(grid.values(), levels, strict=True) if level > 0
    ]
    return Policy.model_validate({"name": name_of(levels), "ops": ops})


def name_of(levels: Sequence[int]) -> str:
    return "".join(str(level) for level in levels)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="a folder of images, or surfaces/<label>")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    name, grid = Path(options.data).name, grid_of(options.data)
    setting = Setting("grid", options.data, changes={"pretrain": {"steps": STEPS}})
    jobs = {
        (levels, seed): Job(
            setting,
            options.runs / f"{name}-grid",
            name_of(levels),
            policy_at(grid, levels).model_dump_json(exclude_none=True),
            seed,
        )
        for seed in range(1, options.seeds + 1)
        for levels in product(range(LEVELS), repeat=len(grid))
    }
    make_runs(list(jobs.values()), options.processes)
    bench = bench_of(setting)
    rows = []
    for (levels, seed), job in jobs.items():
        run = read_run(job)
        if run is None:
            raise SystemExit(f"{job.name} with seed {seed} did not train through")
        for step, features in zip(run.steps, run.features, strict=True):
            cpu = run.cpu_seconds * step / run.steps[-1]
            score = round(probe_score(bench, features), 4)
            rows.append((*levels, seed, int(step), score, round(cpu, 1)))
    columns = [*grid, "seed", "step", "score", "cpu_seconds"]
    target = TABLES / f"grid-{name}.csv"
    target.parent.mkdir(exist_ok=True)
    pd.DataFrame(rows, columns=columns).to_csv(target, index=False)
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
