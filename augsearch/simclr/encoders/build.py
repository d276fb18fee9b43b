"""Encoders by name: the small ResNet, any torchvision classifier, any timm model, one's own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from augsearch.errors import ConfigError
from augsearch.simclr.encoders.config import CUSTOM, SMALL_RESNET, EncoderConfig
from augsearch.simclr.encoders.layers import batch_norms, freeze, parameter_groups
from augsearch.simclr.encoders.small_resnet import small_resnet

REFUSALS = (RuntimeError, TypeError, ValueError, AssertionError)
"""What networks raise for images that they were not made for."""

# Auxiliary heads serve supervised training only; the stated initialisation silences a
# torchvision warning about its future default.
_TORCHVISION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}


class Encoder(nn.Module):
    """A network without its classifier.

    Attributes:
        body: the network itself; its state's keys are those of its library.
        feature_dim: D, the length of a feature `h`.
    """

    def __init__(self, body: nn.Module, feature_dim: int, still: Sequence[nn.Module] = ()) -> None:
        """
        Args:
            still: modules of `body` that are in evaluation mode even while the rest is trained.
        """
        super().__init__()
        self.body = body
        self.feature_dim = feature_dim
        self._still = tuple(still)

    @property
    def still(self) -> tuple[nn.Module, ...]:
        """Modules of `body` that are in evaluation mode even while the rest is trained."""
        return self._still

    def train(self, mode: bool = True) -> Encoder:
        """See `nn.Module.train`; what is to stay still stays so."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """`[B, C, H, W]` normalised float images to `[B, D]` features `h`."""
        features: Tensor = self.body(images)
        return features.flatten(1)


def build_encoder(
    config: EncoderConfig,
    in_channels: int,
    image_size: int,
    weights: Mapping[str, Tensor] | None = None,
) -> Encoder:
    """An encoder for square images, on the CPU in channels_last layout.

    Initial weights come from torch's global generator: wrap the call in `seeded` to choose them.

    Args:
        weights: tensors of the network that it starts from, see `start.load_start`. What
            `config` says of pretrained weights holds only with them.

    Raises:
        ConfigError: no such encoder, or one that cannot take images of this size.
    """
    body = build_body(config, in_channels, image_size)
    try:
        feature_dim = _feature_dim(body, in_channels, image_size)
    except REFUSALS as error:
        raise _cannot_take(config, in_channels, image_size, error) from error
    still: tuple[nn.Module, ...] = ()
    if weights is not None:
        filled = body.state_dict()  # with the network's own record of its version
        filled.update(weights)
        body.load_state_dict(filled)
        still = _frozen(config, body)
        if config.statistics == "keep":
            still += batch_norms(body)
    return Encoder(body, feature_dim, still).to(memory_format=torch.channels_last)


def build_body(config: EncoderConfig, in_channels: int, image_size: int) -> nn.Module:
    """The network alone, with initial weights.

    Raises:
        ConfigError: see `build_encoder`.
    """
    build = _builder(config)
    try:
        return build(in_channels, image_size)
    except REFUSALS as error:
        raise _cannot_take(config, in_channels, image_size, error) from error


def _cannot_take(
    config: EncoderConfig, in_channels: int, image_size: int, error: Exception
) -> ConfigError:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return ConfigError(
        f"encoder {config.called} cannot take {in_channels}-channel images of {image_size} px: "
        f"{reason}"
    )


def _frozen(config: EncoderConfig, body: nn.Module) -> tuple[nn.Module, ...]:
    """Freeze the first parts; returns the modules that must not take statistics any more."""
    parts = parameter_groups(body)
    if config.frozen_stages >= len(parts):
        raise ConfigError(
            f"encoder.frozen_stages {config.frozen_stages}: {config.called} has {len(parts)} parts "
            "and something must be left to learn"
        )
    return freeze(body, {name for part in parts[: config.frozen_stages] for name in part})


def split_name(config: EncoderConfig) -> tuple[str, str]:
    """Library and model of an encoder's name: `timm/resnet18` is ("timm", "resnet18")."""
    family, _, model = config.name.partition("/")
    return family, model


def _builder(config: EncoderConfig) -> Callable[[int, int], nn.Module]:
    """The function (channels, image size) -> network for the encoder's name."""
    if config.name == SMALL_RESNET:
        return lambda in_channels, _: small_resnet(config, in_channels)
    if config.encoder_file is not None:
        return config.encoder_file.load(config.code).build
    if is_model(config.name):
        family, model = split_name(config)
        return partial(_torchvision_body if family == "torchvision" else _timm_body, model)
    raise ConfigError(
        f"unknown encoder {config.name!r}: use {SMALL_RESNET}, torchvision/<classifier>, "
        f"timm/<model> or {CUSTOM}{close_models(config.name, SMALL_RESNET, CUSTOM)}"
    )


def is_model(name: str) -> bool:
    """Whether a library knows it: `timm/<model>` or `torchvision/<classifier>`."""
    import timm

    family, _, model = name.partition("/")
    if family == "torchvision":
        return model in torchvision.models.list_models(module=torchvision.models)
    return family == "timm" and bool(timm.is_model(model))


def close_models(name: str, *others: str) -> str:
    """ "; did you mean ...?", of the libraries' names and of others; nothing if none is close."""
    import timm

    known = [
        f"torchvision/{model}"
        for model in torchvision.models.list_models(module=torchvision.models)
    ]
    known += [f"timm/{model}" for model in timm.list_models()]
    # A bare name is looked up as torchvision's: the library that most people mean by resnet18.
    wanted = name if "/" in name else f"torchvision/{name}"
    close = difflib.get_close_matches(name, others, cutoff=0.8)
    if not close and wanted.partition("/")[2]:
        close = difflib.get_close_matches(wanted, known)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _torchvision_body(model: str, in_channels: int, image_size: int) -> nn.Module:
    builder = torchvision.models.get_model_builder(model)
    arguments = dict(_TORCHVISION_ARGUMENTS.get(model, {}))
    if model.startswith("vit_"):
        arguments["image_size"] = image_size
    elif model.startswith("maxvit"):
        arguments["input_size"] = (image_size, image_size)
    body: nn.Module = builder(weights=None, **arguments)
    _remove_classifier(body)
    if in_channels != 3:
        _adapt_first_convolution(body, in_channels)
    return body


def last_of_head(body: nn.Module) -> str:
    """The name of the layer that gives class scores: the last Linear or Conv2d of the head."""
    head = next(name for name in ("fc", "classifier", "heads", "head") if hasattr(body, name))
    layers: list[str] = [
        name
        for name, module in body.named_modules()
        if name.split(".")[0] == head and isinstance(module, (nn.Linear, nn.Conv2d))
    ]
    return layers[-1]


def _remove_classifier(body: nn.Module) -> None:
    body.set_submodule(last_of_head(body), nn.Identity())


def _adapt_first_convolution(body: nn.Module, in_channels: int) -> None:
    name, first = next(
        (name, module) for name, module in body.named_modules() if isinstance(module, nn.Conv2d)
    )
    options = {
        key: getattr(first, key)
        for key in ("kernel_size", "stride", "padding", "dilation", "padding_mode")
    }
    replacement = nn.Conv2d(in_channels, first.out_channels, bias=first.bias is not None, **options)
    nn.init.kaiming_normal_(replacement.weight, mode="fan_out", nonlinearity="relu")
    body.set_submodule(name, replacement)


def has_fixed_size(config: EncoderConfig) -> bool:
    """Whether timm builds the network for one size of images."""
    family, model = split_name(config)
    if family != "timm":
        return False
    import timm

    settings = timm.models.get_pretrained_cfg(model)
    return bool(settings is not None and settings.fixed_input_size)


def _timm_body(model: str, in_channels: int, image_size: int) -> nn.Module:
    import timm

    fixed = has_fixed_size(EncoderConfig(name=f"timm/{model}"))
    size: dict[str, Any] = {"img_size": image_size} if fixed else {}
    body: nn.Module = timm.create_model(
        model, pretrained=False, num_classes=0, in_chans=in_channels, **size
    )
    return body


def _feature_dim(body: nn.Module, in_channels: int, image_size: int) -> int:
    """D, measured with one black image in evaluation mode, which leaves statistics alone."""
    body.eval()
    with torch.no_grad():
        features = body(torch.zeros(1, in_channels, image_size, image_size)).flatten(1)
    body.train()
    return int(features.shape[1])
