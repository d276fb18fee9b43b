"""What an encoder starts from: weights of a library, of a file, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn

from augsearch.errors import ConfigError
from augsearch.simclr.encoders.build import build_body, build_encoder, split_name
from augsearch.simclr.encoders.checkpoint import (
    State,
    file_digest,
    read_states,
    recorded_normalisation,
    state_digest,
)
from augsearch.simclr.encoders.config import PRETRAINED, EncoderConfig
from augsearch.simclr.encoders.layers import parameter_groups
from augsearch.simclr.encoders.matching import (
    Match,
    first_convolution,
    match_states,
    names_shown,
)


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
    match = match_states(states, body, config.called, channels)
    _check_frozen(config, body, match)
    _check_essential(config, body, match)
    _check_features(config, match, channels, image_size)
    mean, std = normalised_by(config, channels)
    return Start(
        state=match.state,
        digest=digest,
        mean=mean,
        std=std,
        notes=(*_notes(config, match), *_said(config, mean, std)),
    )


def _check_frozen(config: EncoderConfig, body: nn.Module, match: Match) -> None:
    """What is frozen must come from the weights."""
    frozen = {name for part in parameter_groups(body)[: config.frozen_stages] for name in part}
    if random := [name for name in match.missing if name in frozen]:
        raise ConfigError(
            f"encoder.frozen_stages {config.frozen_stages}: the file has nothing for "
            f"{names_shown(random)}, which would stay random for ever; freeze fewer parts"
        )


def _check_essential(config: EncoderConfig, body: nn.Module, match: Match) -> None:
    """What everything else builds on must come from the weights, too."""
    first = first_convolution(body)
    if random := [n for n in match.missing if n == first or "pos_embed" in n]:
        shape = " in its shape" if set(random) <= set(match.other_shape) else ""
        raise ConfigError(
            f"encoder.weights: the file has nothing{shape} for {names_shown(random)} of "
            f"{config.called}, on which all other weights build; at random it would make them "
            "worthless. Name weights that have it"
        )


def _check_features(config: EncoderConfig, match: Match, channels: int, size: int) -> None:
    encoder = build_encoder(config, channels, size, match.state).eval()
    with torch.no_grad():
        features = encoder(torch.linspace(-2, 2, channels * size**2).view(1, channels, size, size))
    if not torch.isfinite(features).all():
        raise ConfigError(
            f"encoder.weights: {config.called} gives features that are not finite with them; the "
            "training that they come from has diverged, so take an earlier checkpoint"
        )


def _notes(config: EncoderConfig, match: Match) -> list[str]:
    notes = [f"encoder.weights: {change}" for change in match.adapted]
    if match.missing:
        shape = f" ({names_shown(match.other_shape)} in another shape)" if match.other_shape else ""
        notes.append(
            f"encoder.weights: the file has nothing that fits {names_shown(match.missing)} of "
            f"{config.called}{shape}; they begin at random"
        )
    if match.unused:
        notes.append(f"encoder.weights: not used: {names_shown(match.unused)}")
    return notes


def _said(config: EncoderConfig, mean: Sequence[float], std: Sequence[float]) -> list[str]:
    if not mean:
        return [
            "encoder.weights: it is not known how the weights' training images were normalised, so "
            "yours are normalised by their own mean and standard deviation; set encoder.mean and "
            "encoder.std to change that"
        ]
    file = config.weights_file
    if file is None or config.mean or config.file or recorded_normalisation(file)[0]:
        return []  # it is no guess
    shown = ", ".join(f"{m:.3g}" for m in mean), ", ".join(f"{s:.3g}" for s in std)
    return [
        f"encoder.weights: images are normalised by mean {shown[0]} and standard deviation "
        f"{shown[1]}, as for the library's own weights of {config.called}; set encoder.mean and "
        "encoder.std if these were trained differently"
    ]


def normalised_by(
    config: EncoderConfig, channels: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of pixels in [0, 1] that the encoder's weights expect, one of each for a
    channel; empty if neither the study file nor the library says.

    Raises:
        ConfigError: a number of them that fits no images of these channels.
    """
    mean, std = config.mean, config.std
    if not mean and config.weights_file is not None:
        mean, std = recorded_normalisation(config.weights_file)
    if not mean:
        mean, std = _of_library(config)
    if not mean:
        return (), ()
    if config.mean and len(mean) not in (1, 3, channels):  # others go with the convolution
        raise ConfigError(
            f"encoder.mean: {len(mean)} numbers for images of {channels} "
            f"channel{'s' if channels > 1 else ''}; give one for each, or a single one"
        )
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
        return config.encoder_file.load(config.code).normalised_by
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
        f"encoder.weights: pretrained: no library offers weights of {config.called}; name a file "
        "(encoder.weights: PATH), or an encoder of torchvision or timm"
    )
