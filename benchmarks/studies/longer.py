"""Does the winner of a short study still win after a full pretraining and after fine-tuning?

    uv run python -m benchmarks.studies.longer NAME [NAME ...] --storage sqlite:///augsearch.db
        [--times 8] [--seeds 3] [--labels 10]

NAME is a finished study. Its winner and its best baseline are pretrained from random weights for
`--times` the steps of a confirmation run, over fresh seeds, by a pilot of that study. Then the few-
label probe of the confirmation scores these encoders on the sealed images (20 draws of labels a
seed), and the pilot's classifiers, fine-tuned with one draw a seed, are scored there, too.

Prints a row for each study: winner less best baseline, in points, after the study's steps, after
the long pretraining, and after fine-tuning. Stopped, it goes on. Writes results/longer.json.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.piloting.result import Pilot
from augsearch.progress import Quiet
from augsearch.search.confirm.confirmation import sealed_images
from augsearch.search.result.result import load_result
from augsearch.stats.crossed import estimate_difference
from augsearch.study.reopen import reopen
from augsearch.study.setup import Setup
from augsearch.verbs.pilot import pilot
from augsearch.watch.terminal import TerminalProgress
from benchmarks.shared.timing import write_result

FIRST = 601
"""Replicate of the first seed's label draws: none that a study or an ablation uses."""
WAYS = ("simclr_found", "simclr_baseline")
LEVEL = 0.95
Difference = tuple[float, float, float]
"""In points, with its interval."""


def probed(setup: Setup, encoder: Path, replicate: int) -> Outcome:
    """How the few-label probe scores a pretrained encoder on the sealed images."""
    weights = setup.config.encoder.model_copy(update={"weights": str(encoder.absolute())})
    config = setup.config.model_copy(update={"encoder": weights})
    bench = Bench.build(setup.image_set, config, seed=setup.seed, device=torch.device("cpu"))
    return bench.untrained(replicate=replicate, scored="test")


def after_long(setup: Setup, directory: Path, seeds: int) -> Difference:
    """Of the few-label probe on the encoders that the pilot pretrained."""
    found, published = (
        [
            probed(
                setup,
                directory / "pretrained" / f"{way}-seed-{seed}" / "model.safetensors",
                FIRST + seed,
            )
            for seed in range(seeds)
        ]
        for way in WAYS
    )
    estimate = estimate_difference(found, published, sealed_images(setup.bench))
    return points(estimate.mean, *estimate.interval(LEVEL))


def after_study(setup: Setup, winner: str) -> Difference:
    """As the study's verdict says."""
    result = load_result(setup.directory)
    against = [one for one in result.verdict.differences if one.of == winner]
    kinds = {policy.name: policy.kind for policy in result.policies}
    hardest = min((one for one in against if kinds[one.against] == "baseline"),
                  key=lambda one: one.mean)  # fmt: skip
    return points(hardest.mean, hardest.low, hardest.high)


def after_tuning(found: Pilot, labels: int) -> Difference:
    """Of the pilot's classifiers."""
    [gain] = [one for one in found.gains if one.against == "baseline" and one.labels == labels]
    return points(gain.gained.mean, gain.gained.low, gain.gained.high)


def points(mean: float, low: float, high: float) -> Difference:
    return round(100 * mean, 2), round(100 * low, 2), round(100 * high, 2)


def shown(difference: Difference) -> str:
    mean, low, high = difference
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("studies", nargs="+")
    parser.add_argument("--storage", required=True)
    parser.add_argument("--times", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, default=10)
    options = parser.parse_args()
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{Path('longer.db').absolute()}")
    rows = []
    for name in options.studies:
        setup = reopen(name, storage=options.storage, data=None, device="cpu", progress=Quiet())
        steps = options.times * setup.config.confirm.steps
        directory = Path("runs") / f"longer-{name}"
        with TerminalProgress() as progress:
            found = pilot(
                name, weights="none", labels=[options.labels], seeds=options.seeds, steps=steps,
                device="cpu", storage=options.storage, output=directory, progress=progress,
            )  # fmt: skip
        winner = load_result(setup.directory).verdict.recommended
        rows.append(
            {
                "study": name,
                "steps": steps,
                "baseline": found.baseline,
                "after_study": after_study(setup, winner),
                "after_long": after_long(setup, directory, options.seeds),
                "after_tuning": after_tuning(found, options.labels),
                "scores": {curve.way: curve.points[0].score.mean for curve in found.curves},
            }
        )
        print(rows[-1], flush=True)
    print(f"| study | its steps | {options.times} times as long | fine-tuned |\n|---|---|---|---|")
    for row in rows:
        ways = (row["after_study"], row["after_long"], row["after_tuning"])
        print(f"| {row['study']} | {' | '.join(map(shown, ways))} |")
    print("written:", write_result("longer", {"rows": rows, **vars(options)}))


if __name__ == "__main__":
    main()
