"""Do a fine-tuning's probabilities and its threshold mean what they say?

    uv run python -m benchmarks.studies.finetunes planted [--seeds 50]
    uv run python -m benchmarks.studies.finetunes sets path/to/neu_cls [...] [--labels 10]
    uv run python -m benchmarks.studies.finetunes views PRETRAINED [...] [--labels 5 50]

`planted`: the embedded inspection surfaces, another instance for each seed, with as many labels as
the pool has; the threshold for a stated share of missed defects against what it misses of 4,500
sealed ones. `sets`: real sets, ten labels a class, from nothing; expected calibration error on the
sealed images before the temperature and after. `views`: from directories of `augsearch pretrain`
(a pilot has some), whether held-out folds choose rightly between the policy and images as they are:
both are trained and judged on the sealed images.

Prints a table and writes results/finetunes-<what>.json. Stopped, it goes on.
"""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.finetuning.result import RESULT_FILE, Finetuned
from augsearch.model_sections import FinetuneConfig
from augsearch.search.selftest.planted import quick_config
from augsearch.study_file import StudyConfig
from augsearch.verbs.finetune import finetune
from benchmarks.shared.timing import write_result

KEPT = Path("runs/finetunes")
SEED, STEPS = 3100, 100
POOL, SEALED = 100, 900
GOOD, RATE = "clean", 0.1


def settings(**wanted: Any) -> StudyConfig:
    section = FinetuneConfig.model_validate({"combine": "single", "steps": STEPS, **wanted})
    return quick_config().model_copy(update={"finetune": section})


def instance(seed: int) -> ImageSet:
    """Surfaces of which the first images of each class are learnt from, whole plates."""
    spec = SurfaceSpec("defect", images_per_class=POOL + SEALED, seed=seed)
    images = draw_surfaces(spec)
    sealed = np.zeros(len(images), dtype=bool)
    for label in range(len(images.classes)):
        groups = np.unique(images.groups[images.labels == label])
        size = np.array([(images.groups == group).sum() for group in groups])
        sealed |= np.isin(images.groups, groups[np.cumsum(size) > POOL])
    return replace(images, fixed_split=tuple("test" if one else "train" for one in sealed))


def planted_one(seed: int) -> dict[str, float]:
    """What one instance shows."""
    directory = KEPT / f"planted-{seed}"
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{KEPT}/mlflow.db")
    path = directory / RESULT_FILE
    if path.is_file():
        found = Finetuned.model_validate_json(path.read_text())
    else:
        found = finetune(
            data=instance(seed),
            study=settings(good=GOOD, miss_rate=RATE),
            policy="none",
            labels="all",
            seed=seed,
            device="cpu",
            storage=f"sqlite:///{KEPT}/ledger-{seed}.db",
            output=directory,
        )
        shutil.rmtree(directory / "networks")
    sealed, limit = found.sealed, found.limit
    assert sealed is not None and limit is not None and sealed.missed is not None
    assert sealed.missed_parts is not None and sealed.false_alarms is not None
    return {
        "asked": RATE,
        "low": limit.low,
        "high": limit.high,
        "missed": sealed.missed.value,
        "missed_parts": sealed.missed_parts.value,
        "parts": sealed.missed_parts.of,
        "defects": sealed.missed.of,
        "false_alarms": sealed.false_alarms.value,
        "balanced_accuracy": sealed.balanced_accuracy,
        "error_before": sealed.calibration_error_before,
        "error_after": sealed.calibration_error,
    }


def planted(options: argparse.Namespace) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    seeds = [SEED + number for number in range(options.seeds)]
    rows = {}
    for seed in seeds:
        rows[seed] = row = planted_one(seed)
        print(f"{len(rows)}/{len(seeds)}", {k: round(v, 4) for k, v in row.items()}, flush=True)
    held = [row["low"] <= row["missed_parts"] <= row["high"] for row in rows.values()]
    means = {key: float(np.mean([row[key] for row in rows.values()])) for key in row}
    print("| seeds | asked | missed parts | defects | interval holds | ECE before | ECE after |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {len(rows)} | {100 * RATE:.0f} % | {100 * means['missed_parts']:.1f} % | "
        f"{100 * means['missed']:.1f} % | {100 * np.mean(held):.0f} % | "
        f"{100 * means['error_before']:.1f} | "
        f"{100 * means['error_after']:.1f} |"
    )
    content = {"steps": STEPS, "held": float(np.mean(held)), "rows": list(rows.values())}
    print("written:", write_result("finetunes-planted", content))


def sets(options: argparse.Namespace) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{KEPT}/mlflow.db")
    rows = []
    print("| images | labels a class | balanced accuracy | ECE before | ECE after |")
    print("|---|---|---|---|---|")
    for folder in options.data:
        for labels in options.labels:
            found = finetune(
                data=folder,
                study=settings(steps=300),
                policy="none",
                labels=labels,
                device="cpu",
                storage=f"sqlite:///{KEPT}/ledger.db",
                output=KEPT / f"{Path(folder).name}-{labels}",
            )
            assert found.sealed is not None
            row = {
                "images": Path(folder).name,
                "labels": labels,
                "balanced_accuracy": found.sealed.balanced_accuracy,
                "error_before": found.sealed.calibration_error_before,
                "error_after": found.sealed.calibration_error,
            }
            rows.append(row)
            values = [f"{100 * float(row[key]):.1f}" for key in list(row)[2:]]
            print(f"| {row['images']} | {labels} | {' | '.join(values)} |", flush=True)
    print("written:", write_result("finetunes-sets", {"rows": rows}))


def views(options: argparse.Namespace) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{KEPT}/mlflow.db")
    rows = []
    print("| encoder | labels a class | | held-out folds | sealed | chosen |")
    print("|---|---|---|---|---|---|")
    for number, directory in enumerate(options.pretrained):
        for labels in options.labels:
            common: dict[str, Any] = {
                "study": settings(steps=300),
                "labels": labels,
                "seed": number,
                "device": "cpu",
                "storage": f"sqlite:///{KEPT}/ledger.db",
            }
            kept = KEPT / f"views-{directory.parent.parent.name}-{directory.name}-{labels}"
            found = finetune(directory, output=kept, **common)
            plain = found.plain
            other = directory / "policy.yaml" if plain else "none"
            beside = finetune(directory, policy=other, output=f"{kept}-other", **common)
            held = dict(zip(("none", "policy"), found.views.values(), strict=True))
            for kind, one in zip(held, (found, beside) if plain else (beside, found), strict=True):
                assert one.sealed is not None
                row = {
                    "encoder": str(kept.name),
                    "labels": labels,
                    "views": kind,
                    "held_out": held[kind],
                    "sealed": one.sealed.balanced_accuracy,
                    "chosen": one is found,
                }
                rows.append(row)
                print(
                    f"| {row['encoder']} | {labels} | {row['views']} | {100 * row['held_out']:.1f} "
                    f"| {100 * row['sealed']:.1f} | {'yes' if row['chosen'] else ''} |",
                    flush=True,
                )
    print("written:", write_result("finetunes-views", {"rows": rows}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True)
    of_planted = kinds.add_parser("planted")
    of_planted.add_argument("--seeds", type=int, default=50)
    of_planted.set_defaults(do=planted)
    of_sets = kinds.add_parser("sets")
    of_sets.add_argument("data", nargs="+")
    of_sets.add_argument("--labels", type=int, nargs="+", default=[10, 50])
    of_sets.set_defaults(do=sets)
    of_views = kinds.add_parser("views")
    of_views.add_argument("pretrained", nargs="+", type=Path)
    of_views.add_argument("--labels", type=int, nargs="+", default=[5, 50])
    of_views.set_defaults(do=views)
    options = parser.parse_args()
    options.do(options)


if __name__ == "__main__":
    main()
