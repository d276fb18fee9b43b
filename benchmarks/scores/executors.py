"""Do the two executors give the same scores? Trained with both, on your images.

    uv run python -m benchmarks.scores.executors path/to/images [--replicates 12] [--study standard]

For SimCLR's policy (s=0.5) and one of the `factory` preset that turns and blurs (so that the fused
executor samples once where the reference samples three times), each replicate trains one encoder
with each executor, from the same weights, batches and draws. Printed for each policy: the mean
difference of their scores (fused less kornia, in points) with its t-based 90 % interval, the
standard deviation of a score between replicates, and whether the interval lies within one point on
both sides (two one-sided tests at 5 %: then the executors are equivalent for that purpose); and
the power of that test, the chance that it passes if there is no difference at all.
Writes results/executor_scores.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy import stats

from augsearch.augment.baselines import simclr
from augsearch.bench.bench import Bench
from augsearch.data.cache import load_images
from augsearch.engines.processes import Processes
from augsearch.simclr.device import resolve_device
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.study_file import load_study_config
from benchmarks.shared.timing import write_result

MARGIN = 1.0  # points of score
TURNING = {
    "name": "turns and blurs",
    "ops": [
        {"op": "resized_crop", "scale_min": 0.3},
        {"op": "horizontal_flip", "p": 0.5},
        {"op": "rotation", "p": 0.5, "degrees": 20},
        {"op": "affine", "p": 0.5, "translate": 0.1, "zoom": 1.2},
        {"op": "color_jitter", "p": 0.8, "brightness": 0.4, "contrast": 0.4},
        {"op": "gaussian_blur", "p": 0.5, "sigma": 0.02},
    ],
}
POLICIES = (simclr(0.5), Policy.model_validate(TURNING))
Job = tuple[int, str, int]  # number of the policy, executor, replicate


def benches(data: Path, study: str) -> dict[str, Bench]:
    """One for each executor."""
    config = load_study_config(find_config(study, "studies"))
    images = load_images(data, config.data)
    return {
        executor: Bench.build(
            images,
            config.model_copy(
                update={"compute": config.compute.model_copy(update={"executor": executor})}
            ),
            seed=0,
            device=resolve_device("cpu"),
        )
        for executor in ("kornia", "fused")
    }


def score(of: dict[str, Bench], job: Job) -> float:
    number, executor, replicate = job
    bench = of[executor]
    steps = bench.config.pretrain.steps
    return bench.try_policy(POLICIES[number], replicate=replicate, steps=steps).score


def equivalence(differences: np.ndarray) -> dict[str, float | bool]:
    """Two one-sided t-tests of paired differences, in points, and their power at no difference."""
    count = len(differences)
    error = float(differences.std(ddof=1)) / np.sqrt(count)
    mean, t = float(differences.mean()), float(stats.t.ppf(0.95, count - 1))
    # Simulated with the spread that was seen: the interval of an exact nil must fit the margin.
    normal = np.random.default_rng(0).normal(0, error * np.sqrt(count), (20_000, count))
    reach = t * normal.std(axis=1, ddof=1) / np.sqrt(count)
    power = float((np.abs(normal.mean(axis=1)) + reach < MARGIN).mean())
    low, high = mean - t * error, mean + t * error
    passed = bool(low > -MARGIN and high < MARGIN)
    return {"mean": mean, "low": low, "high": high, "equivalent": passed, "power": power}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--replicates", type=int, default=12)
    parser.add_argument("--study", default="standard")
    options = parser.parse_args()
    jobs = [
        (number, executor, replicate)
        for number in range(len(POLICIES))
        for replicate in range(1, options.replicates + 1)
        for executor in ("kornia", "fused")
    ]
    found: dict[Job, float] = {}
    shared = benches(options.data, options.study)
    for job, points in Processes(threads=1).run(score, shared, jobs):
        found[job] = 100 * points
        print(f"{len(found)}/{len(jobs)}", POLICIES[job[0]].name, *job[1:], f"{100 * points:.1f}")
    rows = []
    print(
        f"\n{'policy':20} {'difference':>10}  90 % interval    between seeds  "
        f"within {MARGIN:g}  power"
    )
    for number, policy in enumerate(POLICIES):
        scores = {
            executor: np.array(
                [found[number, executor, r] for r in range(1, options.replicates + 1)]
            )
            for executor in ("kornia", "fused")
        }
        result = equivalence(scores["fused"] - scores["kornia"])
        spread = float(scores["kornia"].std(ddof=1))
        rows.append({"policy": policy.name, "between_seeds": spread, **result, **{
            name: values.tolist() for name, values in scores.items()
        }})  # fmt: skip
        print(
            f"{policy.name:20} {result['mean']:+10.2f}  {result['low']:+.2f} to "
            f"{result['high']:+.2f}   {spread:10.2f}     {result['equivalent']!s:8} "
            f"{100 * float(result['power']):.0f} %"
        )
    content = {"data": options.data.name, "study": options.study, "margin": MARGIN, "rows": rows}
    print(write_result("executor_scores", content))


if __name__ == "__main__":
    # Other processes find what they are to do by its module's name, which here is __main__.
    from benchmarks.scores import executors  # noqa: PLW0406

    executors.main()
