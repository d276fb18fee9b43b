"""What a pretraining leaves: weights that timm and torchvision load, and what is known of them."""

from __future__ import annotations

import json
from typing import Any

from torch import Tensor

from augsearch import __version__
from augsearch.pretraining.prepare import Prepared
from augsearch.pretraining.result import CONFIG_FILE, MODEL_FILE, RESULT_FILE, Pretrained
from augsearch.pretraining.train import Trained
from augsearch.simclr.encoders.build import split_name
from augsearch.simclr.encoders.checkpoint import write_weights
from augsearch.simclr.ranks import Ranks

CARD_FILE = "README.md"
FIT_AS_CROP = {"squash": "squash", "pad": "border"}
"""timm's names for how pictures become square."""


def result_of(prepared: Prepared, trained: Trained, ranks: Ranks) -> Pretrained:
    """What is known of the encoder."""
    bench, study = prepared.bench, prepared.origin.study
    return Pretrained(
        name=prepared.name,
        study=study.name if study else None,
        policy=prepared.policy,
        data=prepared.source.stored_as,
        encoder=prepared.config.encoder.called,
        feature_dim=trained.encoder.feature_dim,
        image_size=bench.image_set.image_size,
        channels=bench.image_set.channels,
        mean=bench.mean,
        std=bench.std,
        steps=trained.run.step,
        stopped_early=trained.stopped_early,
        taken_from=trained.taken_from,
        batch_size=trained.run.batch_size,
        processes=ranks.size,
        seed=bench.seed,
        images=len(bench.image_set),
        identity=prepared.identity,
        looks=tuple(trained.course.looks),
        metric=prepared.config.evaluate.metric,
        seconds=trained.course.seconds,
        images_per_second=trained.run.images_per_second,
    )


def output_files(prepared: Prepared, trained: Trained, result: Pretrained) -> dict[str, bytes]:
    """Everything that is written: file name -> content."""
    state = trained.encoder.body.state_dict()
    own = prepared.config.encoder.encoder_file
    return {
        **prepared.policy.files(),
        **({own.path.name: own.path.read_bytes()} if own else {}),
        MODEL_FILE: write_weights(state, result.mean, result.std),
        CONFIG_FILE: _json(timm_config(prepared, result, state)),
        "study.json": _json(prepared.config.model_dump(mode="json")),
        "split.csv": prepared.pool.sides.to_csv(index=False).encode(),
        CARD_FILE: model_card(prepared, result).encode(),
        RESULT_FILE: _json(result.model_dump(mode="json", exclude_none=True)),
    }


def timm_config(prepared: Prepared, result: Pretrained, state: dict[str, Tensor]) -> dict[str, Any]:
    """`config.json` as timm reads it from a local directory or a hub; for other networks the same
    keys, for people and for augsearch."""
    family, model = split_name(prepared.config.encoder)
    first = next((name for name, tensor in state.items() if tensor.ndim == 4), "")
    return {
        "architecture": model if family in ("timm", "torchvision") else result.encoder,
        "num_classes": 0,
        "num_features": result.feature_dim,
        "pretrained_cfg": {
            "tag": "augsearch",
            "custom_load": False,
            "input_size": [result.channels, result.image_size, result.image_size],
            "fixed_input_size": False,
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "crop_mode": FIT_AS_CROP.get(prepared.config.data.fit, "center"),
            "mean": list(result.mean),
            "std": list(result.std),
            "num_classes": 0,
            "first_conv": first.removesuffix(".weight"),
            "license": "of the images and of the weights that it began with",
        },
        "library": family or result.encoder,
        "augsearch": {"version": __version__, **result.identity},
    }


def model_card(prepared: Prepared, result: Pretrained) -> str:
    """What the encoder is for and what it was not tested on, as Markdown with a hub's header."""
    encoder, origin, channels = prepared.config.encoder, prepared.origin, result.channels
    family, model = split_name(encoder)
    start = (
        "random weights" if not encoder.is_pretrained else f"weights ({result.identity['weights']})"
    )
    by = f"`{origin.policy_source}`, digest `{result.policy.digest}`"
    best = max((look.probe for look in result.looks if look.probe is not None), default=None)
    last = next((look for look in reversed(result.looks) if look.step == result.taken_from), None)
    measured = (
        f"On validation images of the same pool, which it was also pretrained on: "
        f"{result.metric.replace('_', ' ')} "
        f"{100 * last.probe:.1f} % of a probe on few labels, {100 * last.knn:.1f} % of nearest "
        f"neighbours (best probe on the way {100 * best:.1f} %)."
        if last and last.probe is not None and last.knn is not None and best is not None
        else "Nothing was measured on the way: the pool has too few labels."
    )
    began = (
        "It stopped early, when the probe gained no more; the" if result.stopped_early else "The"
    )
    return f"""---
library_name: {family if family in ("timm", "torchvision") else "pytorch"}
tags: [image-feature-extraction, self-supervised, simclr]
---
# {result.name}

{result.encoder}, pretrained without labels by SimCLR on {result.images} images of {channels} \
channel{"s" if channels > 1 else ""} at {result.image_size} pixels.

## What it is for
Features of {result.feature_dim} numbers for images like those it was trained on, to be fine-tuned \
with labels or used by a linear classifier. It has no classifier of its own.

## How it came about
- Images: `{prepared.source.name}`, the {result.images} of the pool (digest \
`{result.identity["images"]}`); `split.csv` names them.
- Policy: {by}{f", of study `{result.study}`" if result.study else ""}; `policy.yaml`.
- Begun from {start}; {result.steps} steps of {result.batch_size} images, seed {result.seed}. \
{began} weights are those of step {result.taken_from}.
- Pixels in [0, 1] less mean {_numbers(result.mean)}, over deviation {_numbers(result.std)}.
- Settings: `study.json`. Made by augsearch {__version__}.

## How good it is
{measured} That says how the training went, not how good a classifier will be.

## What it was not tested on
The sealed images: they took no part, neither in training nor in the choice of the step. Other \
cameras, plants or seasons, images of other sizes, and any use without fine-tuning were not tried.

## Loading
```python
{_loading(family, model, result)}
```
"""


def _loading(family: str, model: str, result: Pretrained) -> str:
    if family == "timm":
        return (
            "import timm\n\n"
            f'encoder = timm.create_model("local-dir:{result.name}", pretrained=True, '
            f"in_chans={result.channels})"
        )
    if family == "torchvision":
        plain = "" if result.channels == 3 else "  # its first layer takes other channels"
        return (
            "import torchvision\nfrom safetensors.torch import load_file\n\n"
            f"encoder = torchvision.models.{model}(){plain}\n"
            f'encoder.load_state_dict(load_file("{MODEL_FILE}"), strict=False)  # no classifier'
        )
    return (
        "# in a study file\n"
        f"# encoder: {{name: {result.encoder}, weights: {result.name}/{MODEL_FILE}}}"
    )


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"
