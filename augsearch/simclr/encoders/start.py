"""What an encoder starts from: weights of a library, of a file, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torchvision

from augsearch.errors import ConfigError
from augsearch.simclr.encoders.build import build_body, split_name
from augsearch.simclr.encoders.checkpoint import State, file_digest, read_states, state_digest
from augsearch.simclr.encoders.config import PRETRAINED, EncoderConfig
from augsearch.simclr.encoders.matching import Match, match_states, names_shown


@dataclass(frozen=True)
class Start:
    """Weights that every run of a study begins with, fitted to its images.

    Attributes:
        state: tensors by the network's names; what is missing there begins at random.
        digest: of the file, or of a library's tensors.
        mean, std: per channel, what the weights were trained with; empty if nobody says.
        notes: what was adapted or did not match, a sentence each.
    """

    state: State
    digest: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    notes: tuple[str, ...]


def load_start(config: EncoderConfig, channels: int, image_size: int) -> Start | None:
    """The weights that `config` names, or None.

    Raises:
        ConfigError: no such file, one that is not of this encoder, or no way to download it.
    """
    if not config.is_pretrained:
        return None
    body = build_body(config, channels, image_size)
    if config.weights == PRETRAINED:
        library = _downloaded(config)
        states, digest = {"": library}, state_digest(library)
    else:
        path = Path(config.weights)
        states, digest = read_states(path), file_digest(path)
    match = match_states(states, body, config.called)
    mean, std = normalised_by(config, channels)
    return Start(
        state=match.state,
        digest=digest,
        mean=mean,
        std=std,
        notes=(*_notes(config, match), *_said(config, mean, std)),
    )


def _notes(config: EncoderConfig, match: Match) -> list[str]:
    notes = [f"encoder.weights: {change}" for change in match.adapted]
    if match.missing:
        notes.append(
            f"encoder.weights: the file has nothing for {names_shown(match.missing)} of "
            f"{config.called}; they begin at random"
        )
    if match.unused:
        notes.append(f"encoder.weights: not used: {names_shown(match.unused)}")
    return notes


def _said(config: EncoderConfig, mean: Sequence[float], std: Sequence[float]) -> list[str]:
    if not mean:
        return [
            "encoder.weights: nothing says how the images were normalised that these weights were "
            "trained on, so yours are by their own mean and deviation; encoder.mean and "
            "encoder.std say it"
        ]
    if config.weights_file is None or config.mean or config.file:
        return []  # it is no guess
    shown = ", ".join(f"{m:.3g}" for m in mean), ", ".join(f"{s:.3g}" for s in std)
    return [
        f"encoder.weights: images are normalised by mean {shown[0]} and deviation {shown[1]}, as "
        f"for the weights that belong to {config.called}; encoder.mean and encoder.std say it if "
        "these were trained otherwise"
    ]


def normalised_by(
    config: EncoderConfig, channels: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of pixels in [0, 1] that the encoder's weights expect, one of each for a
    channel; empty if neither the study file nor the library says."""
    mean, std = config.mean, config.std
    if not mean:
        mean, std = _of_library(config)
    if not mean:
        return (), ()
    return _for_channels(mean, channels), _for_channels(std, channels)


def _for_channels(values: Sequence[float], channels: int) -> tuple[float, ...]:
    if len(values) == channels:
        return tuple(values)
    # As the first convolution is adapted: summed for grey, repeated for more.
    if channels == 1:
        return (sum(values) / len(values),)
    return tuple(values[number % len(values)] for number in range(channels))


def _of_library(config: EncoderConfig) -> tuple[tuple[float, ...], tuple[float, ...]]:
    family, model = split_name(config)
    if config.encoder_file is not None:
        custom = config.encoder_file.load(config.code)
        return custom.mean, custom.std
    if family == "torchvision":
        transforms: Any = torchvision.models.get_model_weights(model).DEFAULT.transforms()
        return tuple(transforms.mean), tuple(transforms.std)
    if family == "timm":
        import timm

        settings = timm.models.get_pretrained_cfg(model)
        if settings is not None:
            return tuple(settings.mean), tuple(settings.std)
    return (), ()


def _downloaded(config: EncoderConfig) -> State:
    """The library's own weights of this network, which it downloads or has in its cache."""
    family, model = split_name(config)
    try:
        if family == "torchvision":
            weights = torchvision.models.get_model_weights(model).DEFAULT
            return dict(weights.get_state_dict(progress=False, check_hash=True))
        if family == "timm":
            import timm

            return dict(timm.create_model(model, pretrained=True).state_dict())
    # Whatever a library's way to its server raises is one line for whoever is without a network.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ConfigError(
            f"encoder.weights: pretrained: the weights of {config.called} cannot be had here "
            f"({reason}); where there is no network, name a file: encoder.weights: PATH"
        ) from error
    raise ConfigError(
        f"encoder.weights: pretrained: nobody offers weights of {config.called}; name a file "
        "(encoder.weights: PATH), or an encoder of torchvision or timm"
    )
