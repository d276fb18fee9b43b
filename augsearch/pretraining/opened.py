"""An encoder that `pretrain` has left, opened again to go on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from augsearch.errors import ConfigError
from augsearch.pretraining.pool import read_split
from augsearch.pretraining.recipe import SPLIT_FILE, Before
from augsearch.pretraining.result import MODEL_FILE, RESULT_FILE, Pretrained
from augsearch.simclr.encoders.build import Encoder, build_encoder
from augsearch.simclr.encoders.checkpoint import read_states
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig

STUDY_FILE = "study.json"


@dataclass(frozen=True)
class Opened:
    """An encoder and what it was made with.

    Attributes:
        config: its settings; their encoder begins with its weights.
        before: how its images were split.
    """

    directory: Path
    found: Pretrained
    config: StudyConfig
    before: Before


def open_pretrained(directory: Path) -> Opened:
    """The encoder in a directory that holds a `pretrain.json`.

    Raises:
        ConfigError: its files are damaged.
    """
    path = directory / RESULT_FILE
    try:
        found = Pretrained.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        raise ConfigError(f"{path}: cannot be read; pretrain again with this version") from None
    split = read_split(directory / SPLIT_FILE)
    before = Before(str(directory), Source.stored(found.data), split)
    config = kept_settings(directory, "pretrain again", MODEL_FILE)
    return Opened(directory, found, config, before)


def encoder_of(opened: Opened) -> Encoder:
    """The network with its weights, in evaluation mode, on the CPU.

    Raises:
        ConfigError: the weights are damaged, or are not this network's.
    """
    found, path = opened.found, opened.directory / MODEL_FILE
    weights = read_states(path)[""]
    try:
        network = build_encoder(
            opened.config.encoder, found.channels, found.image_size, weights
        ).eval()
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:100]
        raise ConfigError(f"{path}: is not the pretraining's network ({reason})") from None
    if missing := sorted(set(network.body.state_dict()) - set(weights)):
        raise ConfigError(f"{path}: is not the pretraining's network (without {missing[0]})")
    return network


def kept_settings(directory: Path, again: str, weights: str | None = None) -> StudyConfig:
    """The settings that lie in a training's directory, its own code as it lies there.

    Args:
        again: what mends a damaged one, such as `pretrain again`.
        weights: file there that its encoder is to begin with; None for what it began with.

    Raises:
        ConfigError: they cannot be read.
    """
    path = directory / STUDY_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        encoder = content["encoder"]
        if weights is not None:
            encoder["weights"] = str((directory / weights).resolve())
        if encoder.get("file"):
            file, colon, name = encoder["file"].partition(":")
            encoder["file"] = f"{(directory / Path(file).name).resolve()}{colon}{name}"
        return StudyConfig.model_validate(content)
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path}: cannot be read; {again} with this version") from None
