"""Does triage say what the whole study finds?

    uv run python -m benchmarks.studies.triage replays [--replays 60]
    uv run python -m benchmarks.studies.triage planted [--only hue,texture,...]
    uv run python -m benchmarks.studies.triage sets

`replays`: whole searches of 48 trials on the planted formulas and grids of known_baselines.py
(search/); what triage foresees from the baselines and the first two trials, against what the search
then gains over the best baseline in truth.

`planted`: on an unseen instance of each drawn domain, the triage of a study of 24 trials and then
that study (planted.py says what it is), which goes on from it.

`sets`: the same of the real sets, from what real_sets.py wrote.

All print a table and write results/triage-<what>.json. Stopped, `planted` goes on.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from augsearch.data.embedded.domains import DOMAINS
from augsearch.data.embedded.scenes import Label
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.engines.processes import Processes
from augsearch.search.selftest.planted import IMAGES_PER_CLASS, SPACE
from augsearch.search.triage.answer import GAIN_LEVEL
from augsearch.search.triage.findings import NOISE
from augsearch.stats.forecast import foresee_gain
from augsearch.verbs.run import run_study
from augsearch.verbs.triage import triage_study
from benchmarks.search import known_baselines
from benchmarks.search.known_baselines import PLANTED, Domain, of_grid, planted, replay
from benchmarks.search.replay import prepare
from benchmarks.search.tables import GRIDS
from benchmarks.shared.folders import RESULTS
from benchmarks.shared.timing import write_result
from benchmarks.studies.planted import study_config

TRIALS, FIRST = 48, 2
KEPT = Path("runs/triage")
SEED, STUDY_TRIALS = 2600, 24
WORTH = 1.0
"""Points below which a gain is none."""


def replayed(_: None, job: tuple[str, int]) -> dict[str, float]:
    """What is foreseen of a search, and what it gains; in points."""
    prepare()
    known_baselines.SHOWN = (FIRST, TRIALS)
    name, number = job
    domain = planted(name) if name in PLANTED else of_grid(name, number)
    seen: list[float] = []

    def readings(point: Any, rng: np.random.Generator) -> tuple[float, float]:
        half, end = domain.readings(point, rng)
        seen.append(end)
        return half, end

    heard = Domain(domain.axes, domain.baselines, domain.truth, readings)
    found = replay(heard, "known", number)[-1]
    count = len(domain.baselines)
    foreseen = foresee_gain(seen[:count], seen[count : count + FIRST], NOISE, TRIALS, seed=number)
    rival = max(domain.truth(point) for point in domain.baselines.values())
    low, high = foreseen.interval(GAIN_LEVEL)
    return {
        "gain": 100 * max(0.0, float(found - rival)),
        "foreseen": 100 * foreseen.mean,
        "low": 100 * low,
        "high": 100 * high,
        "chance": foreseen.chance_above(WORTH / 100),
    }


def replays(options: argparse.Namespace) -> None:
    jobs = [
        (name, number)
        for name in [*PLANTED, *GRIDS]
        for number in range(options.replays)
        if name in PLANTED or of_grid(name, number).baselines
    ]
    done = dict(Processes(threads=1, most=options.processes).run(replayed, None, jobs))
    rows = []
    print("| domain | gain of the search | foreseen | in the 80 % interval | says search |")
    print("|---|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in jobs):
        of = [found for (domain, _), found in done.items() if domain == name]
        inside = [one["low"] - 0.05 <= one["gain"] <= one["high"] + 0.05 for one in of]
        row: dict[str, Any] = {
            "domain": name,
            "replays": len(of),
            "gain": float(np.mean([one["gain"] for one in of])),
            "foreseen": float(np.mean([one["foreseen"] for one in of])),
            "inside": float(np.mean(inside)),
            "search": float(np.mean([one["chance"] >= 0.5 for one in of])),
        }
        rows.append(row)
        print(
            f"| {name} | {row['gain']:.1f} | {row['foreseen']:.1f} | {100 * row['inside']:.0f} % "
            f"| {100 * row['search']:.0f} % |",
            flush=True,
        )
    print("written:", write_result("triage-replays", {"trials": TRIALS, "rows": rows}))


def domain_row(label: Label) -> dict[str, Any]:
    """Triage and study of one unseen instance."""
    kept = KEPT / f"{label}.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    KEPT.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{KEPT}/mlflow.db")
    images = draw_surfaces(SurfaceSpec(label, images_per_class=IMAGES_PER_CLASS, seed=SEED))
    asked: dict[str, Any] = {
        "data": images,
        "study": study_config(),
        "trials": STUDY_TRIALS,
        "seed": SEED,
        "device": "cpu",
        "storage": f"sqlite:///{KEPT}/studies.db",
        "name": label,
        "output": KEPT / label,
    }
    said = triage_study(SPACE, **asked)
    result = run_study(SPACE, **asked)
    found = {
        "triage": said.model_dump(mode="json"),
        "result": result.model_dump(mode="json"),
    }
    kept.write_text(json.dumps(found))
    return found


def told(name: str, triage: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """A row: what triage said, and what the study found."""
    verdict = result["verdict"]
    gain = triage["gain"]
    return {
        "name": name,
        "answer": triage["title"],
        "foreseen": [100 * gain[key] for key in ("mean", "low", "high")],
        "share": triage["share"],
        "verdict": verdict["code"],
        "sentence": verdict["sentence"],
        "gain": hardest(result),
    }


def hardest(result: dict[str, Any]) -> list[float]:
    """The winner less the best baseline confirmed, in points, with its interval."""
    kinds = {policy["name"]: policy["kind"] for policy in result["policies"]}
    found = [
        one
        for one in result["verdict"]["differences"]
        if kinds[one["of"]] == "candidate" and kinds[one["against"]] == "baseline"
    ]
    first = [one for one in found if one["of"] == found[0]["of"]]
    least = min(first, key=lambda one: one["mean"])
    return [100 * least[key] for key in ("mean", "low", "high")]


def show(what: str, rows: Sequence[dict[str, Any]]) -> None:
    print("| images | triage says | gain foreseen (80 %) | the study found, points | share |")
    print("|---|---|---|---|---|")
    for row in rows:
        foreseen, gain = (
            f"{mean:.1f} ({low:.1f} to {high:.1f})"
            for mean, low, high in (row["foreseen"], row["gain"])
        )
        print(
            f"| {row['name']} | {row['answer']} | {foreseen} | {row['verdict']}, {gain} "
            f"| {100 * row['share']:.1f} % |"
        )
    print("written:", write_result(f"triage-{what}", {"rows": list(rows)}))


def drawn(options: argparse.Namespace) -> None:
    rows = []
    for label in (label for label in DOMAINS if label in options.only.split(",")):
        found = domain_row(label)
        rows.append(told(label, found["triage"], found["result"]))
        print(rows[-1], flush=True)
    show("planted", rows)


def sets(options: argparse.Namespace) -> None:
    del options
    rows = []
    for file in sorted(RESULTS.glob("study-*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        if "triage" in content:
            rows.append(told(file.stem, content["triage"], content["result"]))
    show("sets", rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True)
    of_replays = kinds.add_parser("replays")
    of_replays.add_argument("--replays", type=int, default=60)
    of_replays.add_argument("--processes", type=int)
    of_replays.set_defaults(do=replays)
    of_planted = kinds.add_parser("planted")
    of_planted.add_argument("--only", default=",".join(DOMAINS))
    of_planted.set_defaults(do=drawn)
    kinds.add_parser("sets").set_defaults(do=sets)
    options = parser.parse_args()
    options.do(options)


if __name__ == "__main__":
    # Other processes find what they are to do by its module's name, which here is __main__.
    from benchmarks.studies import triage  # noqa: PLW0406

    triage.main()
