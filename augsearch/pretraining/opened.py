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
from augsearch.simclr.encoders.start import load_start
from augsearch.study.source import Source
from augsearch.study_file import StudyConfig


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
    return Opened(directory, found, _settings(directory), before)


def encoder_of(opened: Opened) -> Encoder:
    """The network with its weights, in evaluation mode, on the CPU.

    Raises:
        ConfigError: the weights are damaged, or are not this network's.
    """
    found, wanted = opened.found, opened.config.encoder
    start = load_start(wanted, found.channels, found.image_size)
    assert start is not None
    return build_encoder(wanted, found.channels, found.image_size, start.state).eval()


def _settings(directory: Path) -> StudyConfig:
    """What the encoder was pretrained with, its weights and its own code as they lie there."""
    path = directory / "study.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        encoder = content["encoder"]
        encoder["weights"] = str((directory / MODEL_FILE).resolve())
        if encoder.get("file"):
            file, colon, name = encoder["file"].partition(":")
            encoder["file"] = f"{(directory / Path(file).name).resolve()}{colon}{name}"
        return StudyConfig.model_validate(content)
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path}: cannot be read; pretrain again with this version") from None
