"""From a policy to the line, as a user types it: how long each command takes, and what comes out.

    uv run python -m benchmarks.studies.chain path/to/neu_cls --study lite0.yaml
        [--policy "SimCLR s=0.5"] [--student small] [--at runs/chain]

`pretrain`, `finetune`, `distill`, `deploy` of the student, `explain`, one after the other in a
directory of their own. The study file says the encoder, the size
of the images and the steps; without `full.steps` an encoder is pretrained for 200. Stopped, it goes
on with the command that was not done.

Prints a row for each command, and writes results/chain-<data>.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.shared.timing import write_result

STEPS = 200
Seconds = Mapping[str, float]


def commands(options: argparse.Namespace) -> dict[str, list[str]]:
    """Each command of the chain, by its verb."""
    settings = ["--study", str(options.study.resolve()), "--steps", str(STEPS)]
    data = ["--data", str(options.data.resolve())]
    return {
        "pretrain": ["--policy", options.policy, *data, *settings, "--output", "pretrained"],
        "finetune": ["pretrained", "--output", "finetuned"],
        "distill": ["finetuned", "--student", options.student, "--output", "student"],
        "deploy": ["student", "--output", "deployed"],
        "explain": ["student", "--output", "explained"],
    }


def done(at: Path, chain: Mapping[str, list[str]]) -> Seconds:
    """The seconds of each command, run here unless it was before."""
    kept = at / "seconds.json"
    seconds: dict[str, float] = json.loads(kept.read_text()) if kept.exists() else {}
    for verb, arguments in chain.items():
        if verb in seconds:
            continue
        print(f"augsearch {verb} {' '.join(arguments)}", flush=True)
        begin = time.perf_counter()
        environment = {**os.environ, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
        subprocess.run(
            [sys.executable, "-m", "augsearch", verb, *arguments],
            cwd=at,
            env=environment,
            check=True,
        )
        seconds[verb] = time.perf_counter() - begin
        kept.write_text(json.dumps(seconds))
    return seconds


def outcome(at: Path) -> dict[str, dict[str, Any]]:
    """What each command found, the little of it that the table shows."""
    taught, deployed = (
        json.loads((at / path).read_text())
        for path in ("student/distill.json", "deployed/deploy.json")
    )
    checked = json.loads((at / "explained/explain.json").read_text())
    return {
        "distill": {key: taught[key] for key in ("teacher", "student", "smaller", "loss")},
        "deploy": {
            one["name"]: {key: one.get(key) for key in ("bytes", "changed", "loss", "one_core")}
            for one in deployed["formats"]
        },
        "explain": {key: checked.get(key) for key in ("sealed", "wrong", "checks", "doubtful")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="a folder of images")
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--policy", default="SimCLR s=0.5")
    parser.add_argument("--student", default="small")
    parser.add_argument("--at", type=Path, default=Path("runs/chain"))
    options = parser.parse_args()
    options.at.mkdir(parents=True, exist_ok=True)
    seconds = done(options.at, commands(options))
    found = outcome(options.at)
    print("\n| command | minutes |\n|---|---|")
    for verb, spent in seconds.items():
        print(f"| {verb} | {spent / 60:.1f} |")
    print(f"| all | {sum(seconds.values()) / 60:.1f} |")
    print(json.dumps(found, indent=1))
    content = {"seconds": dict(seconds), "found": found, "study": options.study.read_text()}
    print(write_result(f"chain-{options.data.name}", content))


if __name__ == "__main__":
    main()
