"""What a pretraining leaves: weights that timm and torchvision load, and what is known of them."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from augsearch import __version__
from augsearch.files import csv_bytes, json_bytes
from augsearch.pretraining.card import model_card
from augsearch.pretraining.prepare import Prepared
from augsearch.pretraining.result import CONFIG_FILE, MODEL_FILE, RESULT_FILE, Pretrained
from augsearch.pretraining.train import Trained
from augsearch.simclr.encoders.build import has_fixed_size, split_name
from augsearch.simclr.encoders.checkpoint import write_weights
from augsearch.simclr.ranks import Ranks

CARD_FILE = "README.md"
FIT_AS_CROP = {"squash": "squash", "pad": "border"}
"""timm's names for how pictures become square."""


def result_of(prepared: Prepared, trained: Trained, ranks: Ranks) -> Pretrained:
    """What is known of the encoder."""
    bench, study = prepared.bench, prepared.recipe.study
    return Pretrained(
        name=prepared.name,
        study=study.name if study else None,
        policy=prepared.policy,
        taught_by=prepared.teacher.name if prepared.teacher else None,
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
        images_per_second=trained.run.step * trained.run.batch_size / trained.course.seconds,
        window=bench.image_set.window,
    )


def output_files(prepared: Prepared, trained: Trained, result: Pretrained) -> dict[str, bytes]:
    """Everything that is written: file name -> content."""
    state = trained.encoder.body.state_dict()
    own = prepared.config.encoder.encoder_file
    return {
        **prepared.policy.files(),
        **({own.path.name: own.path.read_bytes()} if own else {}),
        MODEL_FILE: write_weights(state, result.mean, result.std),
        CONFIG_FILE: json_bytes(timm_config(prepared, result, state)),
        "study.json": json_bytes(prepared.config.model_dump(mode="json")),
        "split.csv": csv_bytes(prepared.pool.split),
        CARD_FILE: model_card(prepared, result).encode(),
        RESULT_FILE: json_bytes(result.model_dump(mode="json", exclude_none=True)),
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
        **_model_args(prepared, result),
        "pretrained_cfg": {
            "tag": "augsearch",
            "custom_load": False,
            "input_size": [result.channels, result.image_size, result.image_size],
            "fixed_input_size": has_fixed_size(prepared.config.encoder),
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
        "augsearch": {
            "version": __version__,
            "fit": prepared.config.data.fit,
            "window": result.window,
            **result.identity,
        },
    }


def _model_args(prepared: Prepared, result: Pretrained) -> dict[str, Any]:
    """What timm must be told beside the name: the size of networks that are built for one."""
    if not has_fixed_size(prepared.config.encoder):
        return {}
    return {"model_args": {"img_size": result.image_size}}
