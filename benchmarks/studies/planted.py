"""Is the planted truth found in every embedded domain, on instances never used while building?

    uv run python -m benchmarks.studies.planted [--seeds 4] [--first 2000] [--only scale,hue]
        [--no-studies]
    uv run python -m benchmarks.studies.planted --pictures

For each domain and seed: the untrained encoder, the base policy, and the base with each operation
that should hurt or help, at the budget of the preset `quick`; then one real study of the small
space `search.planted.SPACE`, all baselines confirmed. Every finished run is kept in
runs/planted.jsonl, so a run that was stopped goes on. Studies share the cores that the process may
use, whatever --processes says. Prints a table and writes
benchmarks/results/planted.json. `--pictures` draws docs/images/planted/ instead.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from augsearch.bench.bench import UNTRAINED
from augsearch.data.embedded.domains import DOMAINS, Domain
from augsearch.data.embedded.scenes import Label
from augsearch.data.embedded.surfaces import CLASSES, VERSION, SurfaceSpec, draw_surfaces
from augsearch.search.result.result import StudyResult
from augsearch.search.selftest.planted import (
    BASE,
    IMAGES_PER_CLASS,
    SPACE,
    PlantedRun,
    effects,
    paired_gain,
    planted_jobs,
    quick_config,
    score_jobs,
)
from augsearch.space.policy import load_policy
from augsearch.study_file import StudyConfig
from augsearch.verbs.run import run_study
from benchmarks.shared.folders import PICTURES, RESULTS
from benchmarks.shared.timing import made, write_result

KEPT = Path("runs/planted.jsonl")
STRIPS = PICTURES / "planted"
SIMCLR = ("SimCLR s=1", "SimCLR s=0.5")
STUDY_STEPS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--first", type=int, default=2000, help="the first seed")
    parser.add_argument("--study-seed", type=int, default=None, help="default: the first seed")
    parser.add_argument("--trials", type=int, default=24, help="of a study")
    parser.add_argument("--only", default=",".join(DOMAINS), help="domains, separated by commas")
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--no-studies", action="store_true")
    parser.add_argument("--pictures", action="store_true")
    arguments = parser.parse_args()
    labels: list[Label] = [label for label in DOMAINS if label in arguments.only.split(",")]
    if arguments.pictures:
        draw_pictures()
        return
    KEPT.parent.mkdir(exist_ok=True)
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    steps = quick_config().pretrain.steps
    jobs = planted_jobs(labels, seeds, steps)
    scores = keep_scores(jobs, arguments.processes)
    rows = [domain_row(DOMAINS[label], scores, seeds, steps) for label in labels]
    if not arguments.no_studies:
        for row in rows:
            seed = arguments.first if arguments.study_seed is None else arguments.study_seed
            row["study"] = study_row(row["label"], seed, arguments.trials)
    print(tables(rows))
    if not arguments.no_studies:
        others = [row for row in read_result() if row["label"] not in labels]
        rows = sorted(others + rows, key=lambda row: list(DOMAINS).index(row["label"]))
        content = {"version": VERSION, "steps": steps, "study_steps": STUDY_STEPS, "domains": rows}
        print(f"wrote {write_result('planted', content)}")


def read_kept() -> list[dict[str, Any]]:
    if not KEPT.exists():
        return []
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]


def read_result() -> list[dict[str, Any]]:
    """Domains of an earlier run, which a run with --only leaves as they are."""
    file = RESULTS / "planted.json"
    return list(json.loads(file.read_text(encoding="utf-8"))["domains"]) if file.exists() else []


def keep(line: dict[str, Any]) -> None:
    with KEPT.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def keep_scores(jobs: Sequence[PlantedRun], processes: int | None) -> dict[PlantedRun, float]:
    """Every job's score, made now or before."""
    scores = {PlantedRun(**line["job"]): line["score"] for line in read_kept() if "job" in line}
    todo = [job for job in jobs if job not in scores]
    print(f"{len(jobs) - len(todo)} runs are there, {len(todo)} to make", flush=True)
    for job, score in score_jobs(todo, processes) if todo else ():
        scores[job] = score
        keep({"job": asdict(job), "score": score})
        print(f"{job.label:16} {job.policy:18} {job.seed} {100 * score:.1f}", flush=True)
    return scores


def domain_row(
    domain: Domain, scores: dict[PlantedRun, float], seeds: Sequence[int], steps: int
) -> dict[str, Any]:
    """What is reported of a domain; scores in [0, 1]."""
    names = {job.policy: None for job in planted_jobs([domain.label], seeds, steps)}
    of = {n: [scores[PlantedRun(domain.label, n, s, steps)] for s in seeds] for n in names}
    return {
        "label": domain.label,
        **made(),
        "seeds": list(seeds),
        "scores": of,
        "effects": [{**asdict(effect), "found": effect.found} for effect in effects(domain, of)],
    }


def study_row(label: Label, seed: int, trials: int) -> dict[str, Any]:
    """One study on one unseen instance: its winner against SimCLR on the sealed split."""
    for line in read_kept():
        if line.get("study") == label and line["seed"] == seed:
            return dict(line["row"])
    images = draw_surfaces(SurfaceSpec(label, images_per_class=IMAGES_PER_CLASS, seed=seed))
    directory = KEPT.parent / f"planted-{label}-{seed}"
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{KEPT.parent}/planted-mlflow.db")
    result = run_study(
        SPACE,
        data=images,
        study=study_config(),
        trials=trials,
        seed=seed,
        device="cpu",
        storage=f"sqlite:///{KEPT.parent}/planted.db",
        name=directory.name,
        output=directory,
    )
    row = {"seed": seed, "trials": trials, **summary(result, directory)}
    keep({"study": label, "seed": seed, "row": row})
    return row


def study_config() -> StudyConfig:
    """`quick`, shorter, with the winner and all baselines confirmed on the same seeds."""
    config = quick_config()
    confirm = {"top": 1, "baselines": 4, "seeds": 5, "max_seeds": 5, "steps": STUDY_STEPS}
    pruner = {"kind": "successive_halving", "first_rung": STUDY_STEPS // 2, "reduction_factor": 2}
    content = config.model_dump()
    content["pretrain"]["steps"] = STUDY_STEPS
    content["search"]["pruner"] = pruner
    return StudyConfig.model_validate({**content, "name": "planted", "confirm": confirm})


def summary(result: StudyResult, directory: Path) -> dict[str, Any]:
    confirmed = {p.name: p.confirmed_scores for p in result.policies if p.confirmed_scores}
    winner = next(p for p in result.policies if p.kind == "candidate")
    against = {}
    for name in SIMCLR:
        both = list(zip(confirmed[winner.name], confirmed[name], strict=False))
        ours, theirs = zip(*both, strict=True)
        against[name] = {"seeds": len(ours), **asdict(paired_gain(ours, theirs))}
    found = None
    if result.verdict.recommended == winner.name:
        found = load_policy(directory / "policy.yaml").flatten()
    return {
        "verdict": result.verdict.code,
        "sentence": result.verdict.sentence,
        "confirmed": {name: list(scores) for name, scores in confirmed.items()},
        "winner": winner.name,
        "against": against,
        "policy": found,
        "seconds": sum(result.seconds.values()),
    }


def points(gain: dict[str, float]) -> str:
    low, mean, high = (100 * gain[key] for key in ("low", "mean", "high"))
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"


def tables(rows: Sequence[dict[str, Any]]) -> str:
    """Both tables of docs/planted.md."""
    lines = ["| domain | untrained | base | operation | should | gain in points | found |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        floor, base = (100 * float(np.mean(row["scores"][n])) for n in (UNTRAINED, BASE))
        for number, effect in enumerate(row["effects"]):
            cells = (row["label"], f"{floor:.1f}", f"{base:.1f}") if number == 0 else ("", "", "")
            said = (effect["op"], effect["expected"], points(effect["gain"]))
            lines.append(f"| {' | '.join((*cells, *said, 'yes' if effect['found'] else 'no'))} |")
    lines += [
        "",
        "| domain | SimCLR destroys by | trials | winner | SimCLR s=1 | winner less SimCLR s=1 "
        "| winner less SimCLR s=0.5 | verdict |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        study = row.get("study")
        if study is None:
            continue
        ours, theirs = (
            f"{100 * float(np.mean(study['confirmed'][name])):.1f}"
            for name in (study["winner"], SIMCLR[0])
        )
        gaps = (points(study["against"][name]) for name in SIMCLR)
        destroys = DOMAINS[row["label"]].simclr_destroys or "nothing"
        cells = (
            row["label"],
            destroys,
            str(study["trials"]),
            ours,
            theirs,
            *gaps,
            study["verdict"],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw_pictures() -> None:
    """A strip of images for each domain, two of each class, classes in alphabetical order."""
    STRIPS.mkdir(parents=True, exist_ok=True)
    for label in DOMAINS:
        data = draw_surfaces(SurfaceSpec(label, images_per_class=4, image_size=64, seed=0))
        # The first and the last of a class lie on different plates.
        rows = [np.flatnonzero(data.labels == k)[[0, -1]] for k in range(len(CLASSES[label]))]
        strip = np.concatenate(list(data.images[np.concatenate(rows)]), axis=2)
        Image.fromarray(strip.transpose(1, 2, 0)).save(STRIPS / f"{label}.jpg", quality=90)
    print(f"wrote {STRIPS}")


if __name__ == "__main__":
    main()
