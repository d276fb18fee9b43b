"""What a fine-tuning leaves: networks that timm and torchvision load, answers and errors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from augsearch import __version__
from augsearch.files import csv_bytes, json_bytes
from augsearch.finetuning.combine import Way
from augsearch.finetuning.judge import Calibration, defect_scores
from augsearch.finetuning.labels import Rows
from augsearch.finetuning.members import Logits, State
from augsearch.finetuning.prepare import Prepared
from augsearch.finetuning.result import CONFIG_FILE, MODEL_FILE, RESULT_FILE, Finetuned
from augsearch.pictures.classified import Error, confusion_png, errors_png
from augsearch.pretraining.outputs import FIT_AS_CROP
from augsearch.simclr.encoders.build import has_fixed_size, split_name
from augsearch.simclr.encoders.checkpoint import write_weights
from augsearch.simclr.encoders.heads import classifier_name
from augsearch.stats.calibration import tempered

OF_SEALED = ("answers.csv", "confusion.png", "errors.png")
ERRORS = 24
"""Pictures in the gallery of errors, the surest first."""
LEARNT, SEEN = "learnt from", "seen without its label"
"""Uses of an image of the pool, as `labels.csv` says them; the third is `threshold`."""


def exported(prepared: Prepared, network: State) -> State:
    """A network's tensors under the names that its library has for them, classifier included."""
    pool = prepared.pool.images
    head = classifier_name(prepared.config.encoder, pool.channels, pool.image_size)
    names = {"1.weight": f"{head}.weight", "1.bias": f"{head}.bias"}
    return {names.get(name, name.removeprefix("0.body.")): t for name, t in network.items()}


def model_files(networks: int) -> list[str]:
    """The names of so many networks' files."""
    return [MODEL_FILE, *(f"model-{number}.safetensors" for number in range(2, networks + 1))]


def stale_files(directory: Path, written: Collection[str]) -> list[Path]:
    """Files of an earlier fine-tuning there, which the new one does not have."""
    ours = [*directory.glob("model-*.safetensors"), *(directory / name for name in OF_SEALED)]
    return [path for path in ours if path.name not in written and path.is_file()]


def output_files(
    prepared: Prepared, result: Finetuned, networks: Sequence[State]
) -> dict[str, bytes]:
    """Networks and what is known of them: nothing here depends on a sealed image but the result."""
    bench = prepared.bench
    files = {
        name: write_weights(exported(prepared, network), bench.mean, bench.std)
        for name, network in zip(model_files(len(networks)), networks, strict=True)
    }
    own = prepared.config.encoder.encoder_file
    return {
        **files,
        **prepared.policy.files(),
        **({own.path.name: own.path.read_bytes()} if own else {}),
        CONFIG_FILE: json_bytes(_timm_config(prepared, result)),
        "study.json": json_bytes(prepared.config.model_dump(mode="json")),
        "split.csv": csv_bytes(prepared.pool.split),
        "labels.csv": csv_bytes(_labels(prepared)),
        RESULT_FILE: json_bytes(result.model_dump(mode="json", exclude_none=True)),
    }


def sealed_files(
    prepared: Prepared,
    result: Finetuned,
    rows: Rows,
    log_probabilities: Logits,
    calibration: Calibration,
) -> dict[str, bytes]:
    """The answers on sealed images, one by one, and in pictures."""
    sealed, images = result.sealed, prepared.sealed
    if sealed is None:
        return {}
    probabilities = tempered(log_probabilities, calibration.temperature or 1.0)
    guessed, labels = probabilities.argmax(axis=1), images.labels[rows]
    names = np.array(images.classes)
    table = pd.DataFrame(
        {
            "path": [images.paths[row] for row in rows.tolist()],
            "label": names[labels],
            "guess": names[guessed],
            "confidence": probabilities.max(axis=1).round(4),
        }
    )
    if calibration.limit is not None:
        good = images.classes.index(calibration.limit.good)
        scores = defect_scores(log_probabilities, calibration.temperature or 1.0, good)
        table["stopped"] = scores >= calibration.limit.threshold
    wrong = np.flatnonzero(guessed != labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    errors = [
        Error(
            image=np.asarray(images.images[rows[place]]),
            truth=images.classes[labels[place]],
            guess=images.classes[guessed[place]],
            confidence=float(probabilities[place].max()),
        )
        for place in wrong[:ERRORS].tolist()
    ]
    few = f", the surest {ERRORS}" if len(wrong) > ERRORS else ""
    title = f"{result.name}: {len(wrong)} errors on {len(rows)} sealed images"
    return {
        "answers.csv": csv_bytes(table),
        "confusion.png": confusion_png(sealed.confusion, images.classes, title=title),
        "errors.png": errors_png(errors, title=title + few),
    }


def _labels(prepared: Prepared) -> pd.DataFrame:
    """The images that were used, and for what."""
    pool = prepared.pool.images
    uses = {
        LEARNT: prepared.rows,
        "threshold": prepared.for_threshold,
        SEEN: np.setdiff1d(prepared.seen, prepared.rows),
    }
    names = (*pool.classes, "")  # without a label: -1
    return pd.DataFrame(
        [
            {"path": pool.paths[row], "label": names[pool.labels[row]], "use": use}
            for use, rows in uses.items()
            for row in rows.tolist()
        ]
    )


def _timm_config(prepared: Prepared, result: Finetuned) -> dict[str, object]:
    family, model = split_name(prepared.config.encoder)
    pool, fixed = prepared.pool.images, has_fixed_size(prepared.config.encoder)
    return {
        "architecture": model if family in ("timm", "torchvision") else result.encoder,
        "num_classes": len(result.classes),
        "label_names": list(result.classes),
        **({"model_args": {"img_size": result.image_size}} if fixed else {}),
        "pretrained_cfg": {
            "tag": "augsearch",
            "custom_load": False,
            "input_size": [result.channels, result.image_size, result.image_size],
            "fixed_input_size": fixed,
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "crop_mode": FIT_AS_CROP.get(prepared.config.data.fit, "center"),
            "mean": list(result.mean),
            "std": list(result.std),
            "num_classes": len(result.classes),
            "classifier": classifier_name(prepared.config.encoder, pool.channels, pool.image_size),
        },
        "library": family or result.encoder,
        "augsearch": {
            "version": __version__,
            "files": model_files(result.networks),
            "probabilities": "softmax(log(mean over files of softmax(logits)) / temperature)",
            "temperature": result.temperature,
            "limit": None if result.limit is None else result.limit.model_dump(mode="json"),
            "fit": prepared.config.data.fit,
            "window": prepared.bench.image_set.window,
            **result.identity,
        },
    }


def labels_of(prepared: Prepared) -> dict[str, int]:
    """Labelled pictures that are learnt from, by class."""
    pool = prepared.pool.images
    rows = pool.one_each(np.sort(prepared.rows))
    counts = np.bincount(pool.labels[rows], minlength=len(pool.classes)).tolist()
    return dict(zip(pool.classes, counts, strict=True))


def networks_in(way: Way, networks: Sequence[State]) -> int:
    """How many networks a prediction asks."""
    return len(networks) if way == "ensemble" else 1
