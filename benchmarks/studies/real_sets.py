"""The `standard` study on real image sets, beside supervised training with the same labels.

    uv run python -m benchmarks.studies.real_sets path/to/neu_cls --space factory
        [--runs DIR] [--triage]

Before the study its triage says what to expect; `--triage` stops there. The study is the one that a
user runs, except that every baseline is confirmed: with six policies the first five seeds take 43 %
of all steps, more than the race may have, so that it ends there. Then the same encoder is trained
from scratch with labels alone, for the steps of a confirmation, over five seeds: each with one draw
of `labels_per_class` labels, on images as they are, cropped only, and under the recommended policy;
scored on the sealed split, as the confirmation is. A probe's score is the mean over many draws, so
a supervised seed is noisier than a confirmed one.

A folder `X` with a table `X_groups.csv` (path, group) beside it is read with those groups. All may
be stopped and goes on. Prints a table and the verdict, writes results/study-<data>.json with all
that a later judgement needs: policies, and which sealed images each confirmation run had right.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from augsearch.bench.bench import Bench
from augsearch.bench.outcome import Outcome
from augsearch.bench.supervised import try_supervised
from augsearch.cli.terminal.tables import print_triage
from augsearch.engines.processes import Processes
from augsearch.space.policy import Policy, load_policy
from augsearch.space.presets import find_config
from augsearch.store.database import DEFAULT_STORAGE
from augsearch.store.runs import CONFIRMATION
from augsearch.store.stored import find_study
from augsearch.study.reopen import reopen
from augsearch.study_file import StudyConfig, load_study_config
from augsearch.verbs.run import run_study
from augsearch.verbs.triage import triage_study
from augsearch.watch.terminal import TerminalProgress
from benchmarks.shared.folders import ROOT
from benchmarks.shared.timing import write_result

SEEDS = range(1, 6)
Row = tuple[str, str, float | None, float | None, tuple[float, float] | None, tuple[float, ...]]
"""Of the table: policy, what it is, in the search, confirmed, interval, one score a seed."""


def with_groups(data: Path, folder: Path) -> Path:
    """The images; a copy with the groups inside, if there is a table of groups beside them."""
    table = data.with_name(f"{data.name}_groups.csv")
    if not table.exists():
        return data
    copy = folder / data.name
    if not (copy / "groups.csv").exists():
        shutil.copytree(data, copy, dirs_exist_ok=True)
        groups = pd.read_csv(table)
        groups["path"] = groups.path.str.removeprefix(f"{data.name}/")
        groups.to_csv(copy / "groups.csv", index=False)
    return copy


def confirmed_runs(name: str) -> dict[str, Any]:
    """Every policy of the confirmation with its hits by seed: bytes of one image each, zlib,
    base64; images are the sealed ones in the order of the study's split.csv."""
    found: dict[str, Any] = {}
    for (policy, seed), run in sorted(find_study(DEFAULT_STORAGE, name).runs(CONFIRMATION).items()):
        if run.outcome is None:
            continue
        packed = zlib.compress(np.array(run.outcome.hits, dtype=np.uint8).tobytes(), 9)
        content = run.policy.model_dump(mode="json", exclude_none=True) if run.policy else None
        entry = found.setdefault(policy, {"policy": content, "hits": {}})
        entry["hits"][seed] = base64.b64encode(packed).decode()
    return found


@dataclass(frozen=True)
class Job:
    """A supervised run: under which policy, with which seed, and where its outcome lies."""

    policy: Policy
    seed: int
    kept: Path


def train(bench: Bench, job: Job) -> None:
    steps = bench.config.confirm.steps
    outcome = try_supervised(bench, job.policy, replicate=job.seed, steps=steps, scored="test")
    job.kept.write_text(outcome.model_dump_json())


def supervised(bench: Bench, ways: Mapping[str, Policy], folder: Path) -> dict[str, list[float]]:
    """Scores on the sealed split for every policy, one for each seed."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    jobs = {
        way: [Job(policy, seed, folder / f"{way}-{seed}.json") for seed in SEEDS]
        for way, policy in ways.items()
    }
    todo = [job for some in jobs.values() for job in some if not job.kept.exists()]
    for job, _ in Processes(threads=1).run(train, bench, todo):
        print(f"supervised: {job.kept.stem}", flush=True)
    return {
        way: [Outcome.model_validate_json(job.kept.read_text()).score for job in some]
        for way, some in jobs.items()
    }


def foretold(name: str, space: str, data: Path, config: StudyConfig) -> dict[str, Any]:
    """What the study's triage says, with the seconds that it took; kept from an earlier call."""
    kept = Path(f"triage-{name}.json")
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    begin = time.perf_counter()
    with TerminalProgress() as progress:
        said = triage_study(
            space, data=data, study=config, name=name, device="cpu", progress=progress
        )
        print_triage(said, Path("runs") / name, progress.console)
    found = {**said.model_dump(mode="json"), "seconds": time.perf_counter() - begin}
    kept.write_text(json.dumps(found))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="a folder of images")
    parser.add_argument("--space", required=True)
    parser.add_argument("--study", default="standard")
    parser.add_argument("--runs", type=Path, default=Path("runs/real_sets"))
    parser.add_argument("--triage", action="store_true", help="stop after it")
    options = parser.parse_args()
    data, study = options.data.resolve(), find_config(options.study, "studies").resolve()
    options.runs.mkdir(parents=True, exist_ok=True)
    os.chdir(options.runs)
    data = with_groups(data, Path("data").resolve())
    config = load_study_config(study)
    confirm = config.confirm.model_copy(update={"baselines": 4})
    config = config.model_copy(update={"confirm": confirm})
    name = f"{data.name}-{options.space}"
    triage = foretold(name, options.space, data, config)
    if options.triage:
        return
    with TerminalProgress() as progress:
        result = run_study(
            options.space, data=data, study=config, name=name, device="cpu", progress=progress
        )
        setup = reopen(name, storage=DEFAULT_STORAGE, data=data, device="cpu", progress=progress)
    ways = {
        "as they are": Policy(ops=()),
        "crop only": setup.baselines["crop only"],
        "recommended policy": load_policy(setup.directory / "policy.yaml"),
    }
    trained = supervised(setup.bench, ways, Path("supervised") / name)
    rows: list[Row] = [
        (p.name, p.kind, p.search_score, p.confirmed_mean, p.interval, p.confirmed_scores)
        for p in result.policies
    ]
    for way, scores in trained.items():
        own, error = float(np.mean(scores)), stats.sem(scores)
        low, high = stats.t.interval(0.95, len(scores) - 1, own, error)
        rows.append((f"supervised, {way}", "labels alone", None, own, (low, high), tuple(scores)))
    print("\n| policy | what it is | in the search | confirmed | 95 % interval | seeds |")
    print("|---|---|---|---|---|---|")
    for policy, kind, search, mean, ends, confirmed in rows:
        found = "" if search is None else f"{100 * search:.1f}"
        shown = "" if mean is None else f"{100 * mean:.1f}"
        interval = "" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"
        print(f"| {policy} | {kind} | {found} | {shown} | {interval} | {len(confirmed)} |")
    print(f"\n{result.verdict.sentence} {result.verdict.advice}")
    text = json.dumps(
        {
            "triage": triage,
            "result": result.model_dump(mode="json"),
            "supervised": trained,
            "confirmed": confirmed_runs(name),
        }
    )
    content = json.loads(text.replace(str(data.parent), "path/to"))
    os.chdir(ROOT)
    print(write_result(f"study-{data.name}", content))


if __name__ == "__main__":
    # Other processes find what they are to do by its module's name, which here is __main__.
    from benchmarks.studies import real_sets  # noqa: PLW0406

    real_sets.main()
