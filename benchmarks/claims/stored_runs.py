"""Real confirmation runs of the embedded surfaces: made once, kept in benchmarks/tables/."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import UNTRAINED, Bench
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.search.confirm.confirmation import scored_images
from augsearch.space.policy import Policy
from augsearch.space.presets import find_config
from augsearch.stats.scored_images import ScoredImages
from augsearch.store.runs import SCORING
from augsearch.study_file import StudyConfig, load_study_config
from benchmarks.shared.folders import TABLES

NULL, GAINING = "crop only", "SimCLR s=0.5"
SEEDS = 16
SALTS = {"surfaces": {NULL: 6, GAINING: 1}, "shuffled": {NULL: 4}}


class Stored(NamedTuple):
    """One confirmation run."""

    score: float
    hits: NDArray[np.int64]
    seen: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """Stored runs by (policy, salt, seed), and the test images that they were scored on."""

    runs: Mapping[tuple[str, int, int], Stored]
    images: ScoredImages

    def seeds(self) -> list[int]:
        """Seeds of which every run is there."""
        wanted = {(policy, salt) for policy, salt, _ in self.runs}
        every = {seed for *_, seed in self.runs}
        return sorted(s for s in every if all((*key, s) in self.runs for key in wanted))


def salted(policy: Policy, salt: int) -> Policy:
    """The policy with draws of its own: these follow from the operations' names."""
    ops = [op.model_copy(update={"name": f"{op.instance}_{salt}"}) for op in policy.ops or ()]
    return policy.model_copy(update={"ops": tuple(ops)})


def study_of(path: Path) -> StudyConfig:
    """The `quick` study, with the settings under which a table was begun if there is one."""
    config = load_study_config(find_config("quick", "studies"))
    if not path.exists():
        return config
    with path.open() as file:
        head = json.loads(file.readline())
    parts = {name: head[name] for name in ("encoder", "pretrain", "evaluate")}
    confirm = {"steps": head["pretrain"]["steps"], "seeds": config.confirm.seeds}
    pruner = {"pruner": {"kind": "none"}}
    return StudyConfig.model_validate({**parts, "confirm": confirm, "search": pruner})


def make(name: str) -> None:
    """Run what is missing of a table, seed by seed, one process on one thread."""
    import torch

    path = TABLES / f"verdict-{name}.jsonl"
    config = study_of(path)
    torch.set_num_threads(config.compute.threads)
    images = draw_surfaces(SurfaceSpec(shuffle_labels=name == "shuffled"))
    bench = Bench.build(images, config, seed=0, device=torch.device("cpu"))
    sample = scored_images(bench)
    if sample is None:
        raise SystemExit("the study's metric is no mean over images")
    head = {
        "data": images.digest,
        "scoring": SCORING,
        "encoder": config.encoder.model_dump(mode="json"),
        "pretrain": {**config.pretrain.model_dump(mode="json"), "steps": config.confirm.steps},
        "evaluate": config.evaluate.model_dump(mode="json"),
        "draws": sample.draws,
        "labels": sample.labels.tolist(),
        "groups": sample.groups.tolist(),
    }
    if not path.exists():
        TABLES.mkdir(exist_ok=True)
        path.write_text(json.dumps(head) + "\n")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if lines[0] != head:
        raise SystemExit(f"{path} holds runs of other data or settings; delete it to begin anew")
    there = {(line["policy"], line["salt"], line["seed"]) for line in lines[1:]}
    wanted = [
        (policy, salt, seed)
        for seed in range(1, SEEDS + 1)
        for policy, salts in {UNTRAINED: 1, **SALTS[name]}.items()
        for salt in range(salts)
    ]
    for policy, salt, seed in wanted:
        if (policy, salt, seed) in there:
            continue
        if policy == UNTRAINED:
            outcome = bench.untrained(replicate=seed, scored="test")
        else:
            outcome = bench.try_policy(
                salted(BASELINES[policy], salt),
                replicate=seed,
                steps=config.confirm.steps,
                scored="test",
            )
        packed = base64.b64encode(np.array(outcome.hits, dtype=np.uint8).tobytes()).decode()
        line = {"policy": policy, "salt": salt, "seed": seed, "score": outcome.score}
        with path.open("a") as file:
            file.write(json.dumps({**line, "hits": packed}) + "\n")
        print(f"{name}: {policy}, salt {salt}, seed {seed}: {100 * outcome.score:.1f}", flush=True)


def read(name: str) -> Table:
    head, *lines = map(json.loads, (TABLES / f"verdict-{name}.jsonl").read_text().splitlines())
    images = ScoredImages(
        np.array(head["labels"]),
        np.array(head["groups"]),
        head["draws"],
        by_class=head["evaluate"]["metric"] == "balanced_accuracy",
    )
    runs = {}
    for line in lines:
        hits = np.frombuffer(base64.b64decode(line["hits"]), dtype=np.uint8).astype(np.int64)
        runs[line["policy"], line["salt"], line["seed"]] = Stored(line["score"], hits)
    return Table(runs, images)
