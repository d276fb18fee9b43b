"""Have a pilot's curves the order that is known to be right?

    uv run python -m benchmarks.studies.pilots [--only hue,scale,...] [--seeds 3]

On an unseen instance of each drawn domain a pilot is made of three policies: one that fits (the
domain's base and all that varies its nuisance), the base alone, and one that destroys what carries
the label. With few labels SimCLR under the fitting one should be best, above the base; the one that
destroys should be below both and below labels alone. Stopped, it goes on.

Prints a row for each domain, and writes results/pilots-planted.json.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from augsearch.data.embedded.domains import DOMAINS, Domain
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.model_sections import PilotConfig
from augsearch.piloting.result import Pilot
from augsearch.search.selftest.planted import IMAGES_PER_CLASS, quick_config
from augsearch.space.policy import Policy
from augsearch.study_file import StudyConfig
from augsearch.verbs.pilot import pilot
from benchmarks.shared.timing import write_result

KEPT = Path("runs/pilots")
SEED, STEPS = 2700, 600
LABELS = (5, 20)
FITTING, BASE, DESTROYING = "fitting", "base", "destroying"


def policies(domain: Domain) -> dict[str, Policy]:
    """The three, by name."""
    parts = {
        FITTING: (*domain.base, *domain.matches.values()),
        BASE: domain.base,
        DESTROYING: (*domain.base, *domain.destroys.values()),
    }
    return {
        name: Policy.model_validate({"name": name, "ops": list(ops)}) for name, ops in parts.items()
    }


def settings(seeds: int) -> StudyConfig:
    return quick_config().model_copy(update={"pilot": PilotConfig(labels=LABELS, seeds=seeds)})


def piloted(domain: Domain, seeds: int) -> dict[str, Pilot]:
    """A pilot of each policy on one unseen instance."""
    KEPT.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{KEPT}/mlflow.db")
    images = draw_surfaces(SurfaceSpec(domain.label, images_per_class=IMAGES_PER_CLASS, seed=SEED))
    return {
        name: pilot(
            settings(seeds),
            data=images,
            policy=policy,
            weights="none",
            steps=STEPS,
            seed=SEED,
            device="cpu",
            storage=f"sqlite:///{KEPT}/studies.db",
            output=KEPT / f"{domain.label}-{name}",
        )
        for name, policy in policies(domain).items()
    }


def row_of(label: str, found: dict[str, Pilot]) -> dict[str, Any]:
    """Scores with the fewest labels and with the most, in percent."""
    row: dict[str, Any] = {"domain": label}
    for place, count in enumerate(LABELS):
        scores = {name: one.curve("simclr_found").points[place] for name, one in found.items()}
        first = found[FITTING]
        scores["published"] = first.curve("simclr_baseline").points[place]
        scores["labels alone"] = first.curve("scratch").points[place]
        row[str(count)] = {
            name: [round(100 * x, 1) for x in (p.score.mean, p.score.low, p.score.high)]
            for name, p in scores.items()
        }
    few = {name: score[0] for name, score in row[str(LABELS[0])].items()}
    row["ordered"] = few[FITTING] >= few[BASE] and min(few, key=few.__getitem__) == DESTROYING
    row["recommendation"] = {name: one.recommendation.title for name, one in found.items()}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(DOMAINS))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    names = (FITTING, BASE, "published", "labels alone", DESTROYING)
    print(f"| domain | labels | {' | '.join(names)} | in order |")
    print("|" + "---|" * (len(names) + 3))
    rows = []
    for label, domain in DOMAINS.items():
        if label not in options.only.split(","):
            continue
        row = row_of(label, piloted(domain, options.seeds))
        rows.append(row)
        for count in map(str, LABELS):
            cells = [
                f"{row[count][n][0]} ({row[count][n][1]} to {row[count][n][2]})" for n in names
            ]
            order = "yes" if row["ordered"] else "no"
            shown = order if count == str(LABELS[0]) else ""
            print(f"| {label} | {count} | {' | '.join(cells)} | {shown} |", flush=True)
    print("written:", write_result("pilots-planted", {"seeds": options.seeds, "rows": rows}))


if __name__ == "__main__":
    main()
