"""Do maps point at what was planted, do their checks tell a network that learnt from one that did
not, and are planted label errors found?

    uv run python -m benchmarks.studies.explanations maps [--seeds 2] [--images 60] [--only DOMAIN]
    uv run python -m benchmarks.studies.explanations labels [path/to/neu_cls ...] [--seeds 2]

`maps`: a classifier of each planted domain, an instance for each seed. Right decisions on sealed
images are explained. A map points at the mark if more than half of the fifth that it names lies in
it; also told is how often its maximum lies there, and both for maps of a network of shuffled
weights. Then the checks: of the classifier, of a network with random weights that never learnt, and
of the classifier's own weights shuffled.

`labels`: 5 % of the labels changed to another class, before anything is split or learnt from.
Precision and recall of the suspected labels, and of those that most neighbours contradict as well.

Prints a table, and writes results/explanations-<what>.json. Stopped, it goes on.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from augsearch.data.cache import load_images
from augsearch.data.config import DataConfig
from augsearch.data.embedded.surfaces import SurfaceSpec, draw_surfaces
from augsearch.data.imageset import ImageSet
from augsearch.explaining.examine import Examined, examine
from augsearch.explaining.maps.attribution import maps_of
from augsearch.explaining.maps.faithful import named_area
from augsearch.explaining.maps.networks import Asked
from augsearch.explaining.outputs import result_of
from augsearch.explaining.result import Explained
from augsearch.finetuning.classifier import Classifier, ItsImages, open_classifier, open_images
from augsearch.finetuning.result import RESULT_FILE
from augsearch.model_sections import FinetuneConfig
from augsearch.progress import Quiet
from augsearch.search.selftest.planted import quick_config
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.randomness import seeded
from augsearch.space.policy import Policy
from augsearch.stats.proportions import share_of
from augsearch.study_file import StudyConfig
from augsearch.verbs.finetune import finetune
from benchmarks.shared.folders import RESULTS
from benchmarks.shared.marked import Marked, Planted, draw_marked
from benchmarks.shared.timing import write_result

KEPT = Path("runs/explanations")
SEED = 5100
STEPS: dict[Planted, int] = {"position": 400, "texture": 600}
RATES: dict[Planted, float] = {"position": 0.002, "texture": 0.004}
PER_CLASS: dict[Planted, int] = {"position": 300, "texture": 600}
TURNED = Policy.model_validate(
    {
        "name": "turned",
        "ops": [{"op": op, "p": 0.5} for op in ("horizontal_flip", "vertical_flip", "rotate90")],
    }
)
POLICIES: dict[Planted, str | Policy] = {"position": "none", "texture": TURNED}
"""What labelled images are seen through: turns leave a texture and take a side away."""
CPU = torch.device("cpu")
FLIPPED = 0.05


def settings(steps: int, folds: int, rate: float) -> StudyConfig:
    section = FinetuneConfig(combine="single", steps=steps, folds=folds, learning_rate=rate)
    return quick_config().model_copy(update={"finetune": section})


def classifier_of(
    name: str,
    images: ImageSet,
    steps: int,
    folds: int = 2,
    policy: str | Policy = "none",
    rate: float = 0.002,
) -> Classifier:
    """Trained from nothing with all labels of the pool, or opened if it is there."""
    KEPT.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{KEPT}/mlflow.db")
    if not (KEPT / name / RESULT_FILE).is_file():
        finetune(
            data=images,
            study=settings(steps, folds, rate),
            policy=policy,
            labels="all",
            device="cpu",
            storage=f"sqlite:///{KEPT}/ledger.db",
            output=KEPT / name,
        )
    return open_classifier(KEPT / name)


def examined(
    classifier: Classifier, images: ItsImages, count: int, seed: int
) -> tuple[Examined, Explained]:
    found = examine(classifier, images, count, seed, CPU, Quiet())
    return found, result_of(found, name="", uses=0, identity={}, seconds=0.0)


def never_learnt(classifier: Classifier, seed: int) -> Classifier:
    """The same networks with initial weights."""
    found = classifier.found
    with seeded(seed, CPU):
        encoder = build_encoder(classifier.config.encoder, found.channels, found.image_size)
        head = nn.Linear(encoder.feature_dim, len(found.classes))
    return replace(classifier, networks=(nn.Sequential(encoder, head).eval(),))


def pointed(
    maps: NDArray[np.float32], marks: NDArray[np.bool_], seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """For each map whether most of its area lies in the mark, whether its maximum does, and the
    share of the area that does."""
    count = len(maps)
    area = named_area(maps, seed)
    share = (area & marks).sum(axis=(1, 2)) / area.sum(axis=(1, 2))
    highest = maps.reshape(count, -1).argmax(axis=1)
    return share > 0.5, marks.reshape(count, -1)[np.arange(count), highest], share


def maps_row(domain: Planted, seed: int, count: int, per_class: int) -> dict[str, Any]:
    """One instance."""
    marked = draw_marked(domain, per_class, seed)
    steps, rate = STEPS[domain], RATES[domain]
    name = f"{domain}-{per_class}-{steps}-{seed}"
    policy = POLICIES[domain]
    classifier = classifier_of(name, marked.images, steps, policy=policy, rate=rate)
    images = open_images(classifier, marked.images, progress=Quiet())
    found, result = examined(classifier, images, count, seed)
    asked = Asked.of(classifier, CPU)
    shuffled = asked.shuffled(images.pool.images.images, seed + 100)
    controls = {
        "never learnt": never_learnt(classifier, seed),
        "shuffled": replace(classifier, networks=shuffled.networks),
    }
    told = {name: examined(one, images, count, seed)[1] for name, one in controls.items()}
    return {
        "domain": domain,
        "seed": seed,
        "accuracy": 1 - result.wrong / result.sealed,
        "checks": [check.model_dump(mode="json") for check in result.checks],
        "controls": {
            name: [check.model_dump(mode="json") for check in one.checks]
            for name, one in told.items()
        },
        "maps": pointing(found, marked, shuffled, seed),
    }


def pointing(found: Examined, marked: Marked, shuffled: Asked, seed: int) -> dict[str, Any]:
    """Where the maps of right decisions point, for each method."""
    decisions, sealed = found.decisions, found.sealed
    right = ~sealed.wrong[decisions.places]
    rows = decisions.rows[right]
    marks = marked.marks_of(sealed.images, rows)
    guesses = sealed.guesses[decisions.places][right]
    pixels = np.asarray(sealed.images.images[rows])
    rows_of: dict[str, Any] = {"mark": float(marks.mean())}
    for method, one in decisions.tested.items():
        theirs = maps_of(
            method,
            found.methods.layer,
            shuffled.networks,
            shuffled.pixels(pixels),
            shuffled.targets(guesses),
        )
        each = {"learnt": one.maps[right], "shuffled": theirs}
        rows_of[method] = {
            name: {
                "most": most.tolist(),
                "highest": highest.tolist(),
                "share": float(share.mean()),
            }
            for name, maps in each.items()
            for most, highest, share in [pointed(maps, marks, seed)]
        }
    return rows_of


def of_all(rows: Sequence[dict[str, Any]], method: str, whose: str, what: str) -> str:
    """A share over all instances with its interval, in percent."""
    hits = np.concatenate([row["maps"][method][whose][what] for row in rows])
    found = share_of(hits, np.arange(len(hits)))
    assert found is not None
    return f"{100 * found.value:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def passed(rows: Sequence[dict[str, Any]], method: str, control: str | None) -> str:
    """In how many instances the checks of a method were passed."""
    each = [row["checks"] if control is None else row["controls"][control] for row in rows]
    good = [not c["warnings"] for checks in each for c in checks if c["method"] == method]
    return f"{sum(good)} of {len(good)}"


def print_maps(rows: Sequence[dict[str, Any]]) -> None:
    print(
        "| domain | accuracy, % | mark, % of the image | maps | most of the area in the mark, % | "
        "shuffled | maximum in the mark, % | shuffled | area in the mark, % | checks passed | "
        "never learnt | shuffled |"
    )
    print("|" + "---|" * 12)
    for domain in get_args(Planted):
        those = [row for row in rows if row["domain"] == domain]
        for method in those[0]["maps"] if those else ():
            if method == "mark":
                continue
            mean = {
                "accuracy": np.mean([row["accuracy"] for row in those]),
                "mark": np.mean([row["maps"]["mark"] for row in those]),
                "share": np.mean([row["maps"][method]["learnt"]["share"] for row in those]),
            }
            cells = [
                domain,
                f"{100 * mean['accuracy']:.1f}",
                f"{100 * mean['mark']:.0f}",
                method,
                of_all(those, method, "learnt", "most"),
                of_all(those, method, "shuffled", "most"),
                of_all(those, method, "learnt", "highest"),
                of_all(those, method, "shuffled", "highest"),
                f"{100 * mean['share']:.0f}",
                *(passed(those, method, one) for one in (None, "never learnt", "shuffled")),
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


def earlier() -> list[dict[str, Any]]:
    """Rows of an earlier run, which a run with --only leaves as they are."""
    file = RESULTS / "explanations-maps.json"
    return list(json.loads(file.read_text())["rows"]) if file.exists() else []


def maps(options: argparse.Namespace) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    rows = []
    for domain in options.only.split(","):
        for number in range(options.seeds):
            seed = SEED + number
            kept = KEPT / f"{domain}-{seed}-{options.images}.json"
            if not kept.exists():
                row = maps_row(domain, seed, options.images, PER_CLASS[domain])
                kept.write_text(json.dumps(row))
            rows.append(row := json.loads(kept.read_text()))
            print(f"{domain} {number + 1}: {100 * row['accuracy']:.1f} % right", flush=True)
    rows += [row for row in earlier() if row["domain"] not in options.only.split(",")]
    print_maps(rows)
    content = {
        "steps": dict(STEPS),
        "per_class": dict(PER_CLASS),
        "images": options.images,
        "rows": rows,
    }
    print("written:", write_result("explanations-maps", content))


def flipped(images: ImageSet, seed: int) -> tuple[ImageSet, NDArray[np.bool_]]:
    """The images with some labels wrong, and which."""
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(images.labels >= 0)
    rows = rng.choice(known, round(FLIPPED * len(known)), replace=False)
    labels = images.labels.copy()
    labels[rows] = (labels[rows] + rng.integers(1, len(images.classes), len(rows))) % len(
        images.classes
    )
    wrong = np.zeros(len(labels), dtype=bool)
    wrong[rows] = True
    return replace(images, labels=labels, digest=f"{images.digest}-flipped-{seed}"), wrong


def labels_row(name: str, images: ImageSet, seed: int, steps: int) -> dict[str, Any]:
    """One set with planted errors."""
    spoilt, wrong = flipped(images, seed)
    classifier = classifier_of(f"labels-{name}-{seed}", spoilt, steps, folds=3)
    its = open_images(classifier, spoilt, progress=Quiet())
    _, result = examined(classifier, its, 2, seed)
    planted = {path for path, bad in zip(spoilt.paths, wrong.tolist(), strict=True) if bad}
    suspects = [one.path for one in result.suspects]
    agreed = [one.path for one in result.suspects if 2 * one.neighbours < one.of]
    found = {"all": suspects, "contradicted": agreed, "first": suspects[: len(planted)]}
    return {
        "images": name,
        "seed": seed,
        "judged": result.judged,
        "planted": len(planted),
        "accuracy": 1 - result.wrong / result.sealed,
        **{
            which: {
                "suspected": len(those),
                "precision": len(planted & set(those)) / max(1, len(those)),
                "recall": len(planted & set(those)) / len(planted),
            }
            for which, those in found.items()
        },
    }


def labels(options: argparse.Namespace) -> None:
    rows = []
    print(
        "| images | judged | planted | right on (spoilt) sealed, % | suspected | precision, % | "
        "recall, % | contradicted by neighbours | precision, % | recall, % | the first (as many as "
        "planted), precision, % |"
    )
    print("|" + "---|" * 11)
    for number in range(options.seeds):
        seed = SEED + number
        sets = {
            "position": draw_surfaces(SurfaceSpec("position", 150, seed=seed)),
            "inspection surfaces": draw_surfaces(SurfaceSpec("defect", 300, seed=seed)),
        }
        for folder in options.data:
            side = DataConfig(image_size=options.side)
            sets[Path(folder).name] = load_images(Path(folder), side)
        for name, images in sets.items():
            row = labels_row(name.replace(" ", "-"), images, seed, options.steps)
            rows.append(row)
            cells = [
                f"{row[which][key] if key == 'suspected' else round(100 * row[which][key], 1)}"
                for which in ("all", "contradicted")
                for key in ("suspected", "precision", "recall")
            ]
            cells.append(f"{100 * row['first']['precision']:.1f}")
            head = [name, str(row["judged"]), str(row["planted"]), f"{100 * row['accuracy']:.1f}"]
            print(f"| {' | '.join(head + cells)} |", flush=True)
    print("written:", write_result("explanations-labels", {"steps": options.steps, "rows": rows}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True)
    of_maps = kinds.add_parser("maps")
    of_maps.add_argument("--seeds", type=int, default=2)
    of_maps.add_argument("--images", type=int, default=60)
    of_maps.add_argument("--only", default=",".join(get_args(Planted)))
    of_maps.set_defaults(do=maps)
    of_labels = kinds.add_parser("labels")
    of_labels.add_argument("data", nargs="*")
    of_labels.add_argument("--seeds", type=int, default=2)
    of_labels.add_argument("--side", type=int, default=32)
    of_labels.add_argument("--steps", type=int, default=300)
    of_labels.set_defaults(do=labels)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.do(options)


if __name__ == "__main__":
    main()
