"""The model card: what an encoder is for, how it came about, what it was not tested on."""

from __future__ import annotations

from augsearch import __version__
from augsearch.pretraining.prepare import Prepared
from augsearch.pretraining.result import MODEL_FILE, Pretrained
from augsearch.simclr.encoders.build import split_name

FIRST_LAYER = """# its first layer takes other channels: make one of the file's shape
name, layer = next((n, m) for n, m in encoder.named_modules() if isinstance(m, torch.nn.Conv2d))
shape = (layer.out_channels, layer.kernel_size, layer.stride, layer.padding)
encoder.set_submodule(name, torch.nn.Conv2d({channels}, *shape, bias=layer.bias is not None))
"""


def model_card(prepared: Prepared, result: Pretrained) -> str:
    """The card as Markdown, with a hub's header."""
    family, _ = split_name(prepared.config.encoder)
    way, by = "simclr", "by SimCLR"
    if result.taught_by is not None:
        way, by = "distillation", "from another encoder's features"
    plural = "s" if result.channels > 1 else ""
    return f"""---
library_name: {family if family in ("timm", "torchvision") else "pytorch"}
tags: [image-feature-extraction, self-supervised, {way}]
---
# {result.name}

{result.encoder}, pretrained without labels {by} on {result.images} images of \
{result.channels} channel{plural} at {result.image_size} pixels.

## What it is for
Features of {result.feature_dim} numbers for images like those it was trained on, to be fine-tuned \
with labels or used by a linear classifier. It has no classifier of its own.

## How it came about
{_history(prepared, result)}

## How good it is
{_measured(result)}

## What it was not tested on
{_sealed(prepared)} Other cameras, plants or seasons, images of other sizes, and any use without \
fine-tuning were not tried.

## Loading
```python
{_loading(prepared, result)}
```
"""


def _history(prepared: Prepared, result: Pretrained) -> str:
    recipe, encoder = prepared.recipe, prepared.config.encoder
    of_study = recipe.study is not None and recipe.policy == recipe.study.winner
    start = f"weights ({result.identity['weights']})" if encoder.is_pretrained else "random weights"
    taken = (
        "It stopped early, when the probe gained no more; the" if result.stopped_early else "The"
    )
    lines = [
        f"Images: `{prepared.source.name}`, the {result.images} of the pool (digest "
        f"`{result.identity['images']}`); `split.csv` names them.",
        f"Policy: `{recipe.policy_source}`, digest `{result.policy.digest}`; `policy.yaml`.",
        f"Begun from {start}; {result.steps} steps of {result.batch_size} images, seed "
        f"{result.seed}. {taken} weights are those of step {result.taken_from}.",
        f"Pixels in [0, 1] less mean {_numbers(result.mean)}, over deviation "
        f"{_numbers(result.std)}; {_made_square(prepared)}.",
        f"Settings: `study.json`. Made by augsearch {__version__}.",
    ]
    if of_study and recipe.study:
        lines.insert(2, f"The study `{recipe.study.name}` says: {recipe.study.verdict}")
    if result.taught_by is not None:
        lines.insert(2, f"Its teacher: `{result.taught_by}`; it learnt the teacher's features.")
    if result.window:
        black, white = result.window
        lines.insert(-1, f"Files of more than 8 bits: {black:g} is black, {white:g} is white.")
    return "\n".join(f"- {line}" for line in lines)


def _made_square(prepared: Prepared) -> str:
    ways = {
        "crop": "the centre of each picture",
        "squash": "whole pictures, whatever their aspect",
        "pad": "whole pictures, mirrored into what is missing of a square",
        "tile": "tiles of pictures at their own resolution",
    }
    return ways[prepared.config.data.fit]


def _measured(result: Pretrained) -> str:
    probes = [look.probe for look in result.looks if look.probe is not None]
    last = next((look for look in reversed(result.looks) if look.step == result.taken_from), None)
    if not probes or last is None or last.probe is None or last.knn is None:
        return (
            "Nothing was measured on the way: the pool has too few labels. What a classifier of it "
            "is worth, `augsearch finetune` says."
        )
    return (
        "On validation images of the same pool, which it was also pretrained on: "
        f"{result.metric.replace('_', ' ')} {100 * last.probe:.1f} % of a probe on few labels, "
        f"{100 * last.knn:.1f} % of nearest neighbours (best probe on the way "
        f"{100 * max(probes):.1f} %). That says how the training went, not how good a classifier "
        "will be."
    )


def _sealed(prepared: Prepared) -> str:
    if not prepared.pool.seals:
        return "No image is sealed: all were trained on."
    return (
        "The sealed images: they took no part, neither in training nor in the choice of the step."
    )


def _loading(prepared: Prepared, result: Pretrained) -> str:
    family, model = split_name(prepared.config.encoder)
    if family == "timm":
        return (
            "import timm\n\n"
            f'encoder = timm.create_model("local-dir:{result.name}", pretrained=True, '
            f"in_chans={result.channels})"
        )
    if family == "torchvision":
        size = f"image_size={result.image_size}" if model.startswith("vit_") else ""
        first = "" if result.channels == 3 else FIRST_LAYER.format(channels=result.channels)
        return (
            "import torch\nimport torchvision\nfrom safetensors.torch import load_file\n\n"
            f"encoder = torchvision.models.{model}({size})\n{first}"
            f'encoder.load_state_dict(load_file("{MODEL_FILE}"), strict=False)  # no classifier'
        )
    return (
        "# in a study file\n"
        f"# encoder: {{name: {result.encoder}, weights: {result.name}/{MODEL_FILE}}}"
    )


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
