"""How well label-free scores order policies as the probe does, and what they cost.

    uv run python -m benchmarks.scores.proxies path/to/neu_cls --space factory --policies 24

Policies are the four baselines and points of a Sobol sequence over the space; each is trained once
as a trial of the `standard` study. Outcomes are kept in `--runs`, so a run that was stopped goes
on. Prints the audit that a study of these trials would end with and writes
results/proxies-<data>.json.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.bench.scoring import label_free
from augsearch.search.result.proxies import audit
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.study_file import load_study_config
from benchmarks.shared.runs import images_of, spread_policies
from benchmarks.shared.timing import machine, write_result


def outcomes(
    bench: Bench, policies: list[tuple[str, Policy]], folder: Path
) -> list[tuple[Policy, Outcome]]:
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name, policy in policies:
        file = folder / f"{name}.json"
        if not file.exists():
            outcome = bench.try_policy(policy, replicate=0, steps=bench.config.pretrain.steps)
            file.write_text(outcome.model_dump_json())
            print(
                f"{name}: {100 * outcome.score:.1f}, {outcome.seconds['total']:.0f} s", flush=True
            )
        found.append((policy, Outcome.model_validate_json(file.read_text())))
    return found


def cost(bench: Bench, repeats: int = 5) -> tuple[float, float]:
    """Median seconds of all label-free scores together, and of a trial's training."""
    steps = bench.config.pretrain.steps
    run = bench.pretraining(Policy(ops=()), replicate=0, steps=steps)
    shares = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run.advance(run.step + 20)
        trained = time.perf_counter()
        label_free(bench, run, "validation")
        shares.append((time.perf_counter() - trained, (trained - begin) / 20 * steps))
    shares.sort(key=lambda pair: pair[0] / pair[1])
    return shares[repeats // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="a folder of images, or surfaces/<label>")
    parser.add_argument("--space", default="factory")
    parser.add_argument("--policies", type=int, default=24)
    parser.add_argument("--steps", type=int, help="of each run; those of the study by default")
    parser.add_argument("--runs", type=Path, default=Path("proxy-runs"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_study_config(find_config("standard", "studies"))
    if arguments.steps:
        pretrain = config.pretrain.model_copy(update={"steps": arguments.steps})
        config = config.model_copy(update={"pretrain": pretrain})
    images = images_of(arguments.data, config.data.image_size, config.data.fit)
    bench = Bench.build(images, config, seed=0, device=torch.device("cpu"))
    name = Path(arguments.data).name
    scores, training = cost(bench)
    print(f"all label-free scores: {scores:.2f} s, {100 * scores / training:.1f} % of the training "
          f"of a trial ({training:.1f} s) on {machine()}")  # fmt: skip
    policies = list(spread_policies(arguments.space, arguments.policies, images.channels))
    folder = arguments.runs / f"{name}-{config.pretrain.steps}"
    result = audit(outcomes(bench, policies, folder))
    if result is None:
        raise SystemExit("too few trials for an audit")
    for proxy in result.proxies:
        low, high = proxy.interval
        follows = ", ".join(f"{c.what} {c.correlation:+.2f}" for c in proxy.confounders)
        print(
            f"| {proxy.name} | {proxy.correlation:+.2f} | {low:+.2f} to {high:+.2f} | {follows} |"
        )
    print(write_result(f"proxies-{name}", {
        "seconds": scores, "training_seconds": training, **result.model_dump(mode="json"),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
