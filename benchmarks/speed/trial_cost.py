"""What a trial costs beyond its training and its probes, from a study that has been run.

    uv run python -m benchmarks.speed.trial_cost NAME [--storage sqlite:///augsearch.db]

Fixed cost of a trial: from the start of one complete trial to the start of the next run, less
training (views and encoder) and probes: building the encoder, asking and telling Optuna, and the
copy to MLflow with its picture. Prints the median and writes benchmarks/results/trial_cost.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from itertools import pairwise

from augsearch.store.database import open_storage
from augsearch.store.frozen_trials import trial_outcome
from augsearch.store.study_store import Store
from benchmarks.shared.folders import RESULTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--storage", default="sqlite:///augsearch.db")
    arguments = parser.parse_args()
    trials = Store(open_storage(arguments.storage), arguments.name).trials()
    rows = []
    for trial, following in pairwise(trials):
        outcome = trial_outcome(trial)
        if outcome is None or trial.datetime_start is None or following.datetime_start is None:
            continue
        whole = (following.datetime_start - trial.datetime_start).total_seconds()
        paid = outcome.seconds["training"] + outcome.seconds["probe"]
        rows.append({"trial": trial.number, "seconds": whole, "fixed_share": 1 - paid / whole})
        print(f"trial {trial.number:3d}  {whole:6.2f} s  fixed {100 * (1 - paid / whole):5.2f} %")
    median = statistics.median(row["fixed_share"] for row in rows)
    print(f"median fixed cost: {100 * median:.2f} % of {len(rows)} complete trials")
    target = RESULTS / "trial_cost.json"
    target.parent.mkdir(exist_ok=True)
    content = {
        "study": arguments.name,
        "machine": platform.platform(),
        "median_fixed_share": median,
        "trials": rows,
    }
    target.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
