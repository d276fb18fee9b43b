"""May the verdict be trusted? How often it is wrong where the truth is known, and what it finds.

    uv run python -m benchmarks.claims.verdict --simulated [--replays 4000]

simulates confirmations (`confirmations.py` has the model) of policies that are equal, of a
candidate at the margin of "as good", and of baselines that equal the untrained encoder; counts
what the product's own race, verdict and class intervals say falsely, and in how many of
an eighth as many replays a gain of 5 points is called "better". It ends with exit code 1 if an
error rate is above what is promised.

    uv run python -m benchmarks.claims.verdict --tables [--replays 2000]

makes what is missing of benchmarks/tables/verdict-*.jsonl (real confirmation runs of the `quick`
study on the embedded surfaces; stopped, it goes on where it was; --no-runs leaves it as it is),
replays whole confirmations from it. Both print a table and write benchmarks/results/verdict.json.

The null: one policy (crop only) under several salts. A salt is a suffix of its operations' names,
so it draws other views, while weights and batches of a seed stay those of the other salts: the
salts are policies that are equal in distribution. A replay takes random seeds, and for each of
them deals four salts out at random to two candidates and two baselines, which is one more draw of
the same null. Then it runs the product's own race and verdict on these runs. With a single
baseline "better" is easier to say falsely than with two that are equal, so that is tried as well.

The power: one candidate is another real policy (SimCLR s=0.5) on the same seeds; what its mean
differs from 5 points above crop only is mended by flipping hits at random. The other candidate and
the baselines are salts of crop only.

Shuffled labels: the null's replays, on surfaces whose labels are dealt out at random.
"""

from __future__ import annotations

import argparse
import json
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.claims.replayed import from_tables
from benchmarks.claims.simulated import simulated
from benchmarks.shared.folders import RESULTS
from benchmarks.shared.timing import machine, made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--replays", type=int, default=4000)
    parser.add_argument("--simulated", action="store_true", help="simulated confirmations")
    parser.add_argument("--tables", action="store_true", help="stored runs of real training")
    parser.add_argument("--only", default="", help="simulated worlds with this in their name")
    parser.add_argument("--no-runs", action="store_true", help="replay what is stored")
    arguments = parser.parse_args()
    if not (arguments.simulated or arguments.tables):
        parser.error("say --simulated, --tables or both")
    path = RESULTS / "verdict.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    above: list[str] = []
    if arguments.simulated:
        found, above = simulated(arguments.replays, arguments.only)
        stored |= {
            "simulated": {
                **made(),
                "machine": machine(),
                "replays": arguments.replays,
                "worlds": found,
            }
        }
    if arguments.tables:
        stored |= {"tables": {**made(), "machine": machine(), **from_tables(arguments)}}
    if not arguments.only:
        path.write_text(json.dumps(stored, indent=1) + "\n")
    if above:
        raise SystemExit("above what is promised: " + "; ".join(above))


if __name__ == "__main__":
    main()
