"""The search of a study with trials one by one, and with trials side by side: its wall time.

    uv run python -m benchmarks.speed.side_by_side [--study standard] [--space factory] [--data DIR]
        [--trials N] [--at-once 2] [--pairs 3]

A pair is two searches with the same seed, one after the other, the order changing from pair to
pair; the baselines are trained before, once for both. Asking, training, probing and keeping
count, MLflow does not. The two searches are different ones, since what is under way is not known
when the next point is chosen, and may stop more trials or fewer. So the table has both the ratio of
the times and the ratio of the times of a training step, by the steps that were trained. Writes
results/side-by-side.json.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import Bench
from augsearch.data.cache import load_images
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.engines.processes import Processes, cpu_threads
from augsearch.progress import Quiet
from augsearch.search.confirm.confirmation import run_baselines
from augsearch.search.trials.loop import run_trials
from augsearch.space.presets import find_config
from augsearch.space.space import Space, load_space
from augsearch.store.database import open_storage
from augsearch.store.frozen_trials import trial_curve, trial_outcome
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store
from augsearch.study_file import StudyConfig, load_study_config
from benchmarks.shared.timing import write_result


def bench_of(config: StudyConfig, data: str | None, seed: int) -> Bench:
    size = config.data.image_size
    assert isinstance(size, int)
    images = (
        draw_surfaces(SurfaceSpec(image_size=size))
        if data is None
        else load_images(Path(data), config.data)
    )
    return Bench.build(images, config, seed=seed, device=torch.device("cpu"))


def searched(bench: Bench, space: Space, baselines: Store, at_once: int) -> dict[str, Any]:
    """A whole search: seconds, steps trained, and what it found."""
    with TemporaryDirectory() as folder:
        store = Store(open_storage(f"sqlite:///{folder}/s.db"), "s", settings={})
        for run in baselines.runs(BASELINE).values():
            store.add_run(run)
        begin = time.perf_counter()
        with cpu_threads(bench.config.compute.threads):
            run_trials(
                store,
                bench,
                space,
                bench.config.search.trials,
                Quiet(),
                after_each=lambda: None,
                engine=Processes(bench.config.compute.threads) if at_once > 1 else None,
                shares=[bench] * at_once,
            )
        seconds = time.perf_counter() - begin
        trials = store.finished()
        steps = sum(
            outcome.steps if (outcome := trial_outcome(trial)) else trial_curve(trial)[-1][0]
            for trial in trials
        )
        scores = [outcome.score for trial in trials if (outcome := trial_outcome(trial))]
    return {
        "at_once": at_once,
        "seconds": seconds,
        "steps": steps,
        "stopped": len(trials) - len(scores),
        "best": max(scores),
    }


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    print(f"{'':6}{'at once':>8}{'seconds':>9}{'steps':>8}{'stopped':>9}{'best':>8}")
    for row in rows:
        print(
            f"{row['pair']:>6}{row['at_once']:>8}{row['seconds']:>9.0f}{row['steps']:>8}"
            f"{row['stopped']:>9}{100 * row['best']:>7.1f} %"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", default="standard")
    parser.add_argument("--space", default="factory")
    parser.add_argument("--data")
    parser.add_argument("--trials", type=int)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    config = load_study_config(find_config(options.study, "studies"))
    search = config.search.model_copy(update={"trials": options.trials or config.search.trials})
    config = config.model_copy(update={"search": search})
    space = load_space(find_config(options.space, "spaces"))
    rows: list[dict[str, Any]] = []
    for pair in range(options.pairs):
        bench = bench_of(config, options.data, pair)
        with TemporaryDirectory() as folder:
            before = Store(open_storage(f"sqlite:///{folder}/s.db"), "s", settings={})
            run_baselines(before, bench, BASELINES, Quiet(), Processes(config.compute.threads))
            degrees = (1, options.at_once)
            for at_once in degrees if pair % 2 == 0 else reversed(degrees):
                rows.append({"pair": pair, **searched(bench, space, before, at_once)})
                print_rows(rows[-1:])
    pairs = [
        [next(r for r in rows if (r["pair"], r["at_once"]) == (pair, d)) for d in degrees]
        for pair in range(options.pairs)
    ]
    ratios = [beside["seconds"] / alone["seconds"] for alone, beside in pairs]
    steps = [
        ratio * alone["steps"] / beside["steps"]
        for ratio, (alone, beside) in zip(ratios, pairs, strict=True)
    ]
    print()
    print_rows(rows)
    print(
        f"wall time, ratio: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    )
    print(f"of a step, ratio: {statistics.median(steps):.2f} ({min(steps):.2f}-{max(steps):.2f})")
    content = {
        "study": options.study,
        "space": options.space,
        "data": Path(options.data).name if options.data else "embedded surfaces",
        "trials": search.trials,
        "rows": rows,
        "wall_time_ratios": ratios,
        "step_time_ratios": steps,
    }
    print(write_result("side-by-side", content))


if __name__ == "__main__":
    main()
