"""Encoders by name: the small ResNet, any torchvision classifier, any timm model."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from augsearch.errors import ConfigError
from augsearch.simclr.config import SMALL_RESNET, EncoderConfig
from augsearch.simclr.small_resnet import small_resnet

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

    def __init__(self, body: nn.Module, feature_dim: int) -> None:
        super().__init__()
        self.body = body
        self.feature_dim = feature_dim

    def forward(self, images: Tensor) -> Tensor:
        """`[B, C, H, W]` normalised float images to `[B, D]` features `h`."""
        features: Tensor = self.body(images)
        return features.flatten(1)


def build_encoder(config: EncoderConfig, in_channels: int, image_size: int) -> Encoder:
    """A randomly initialised encoder for square images, on the CPU in channels_last layout.

    Weights come from torch's global generator: wrap the call in `seeded` to choose them.

    Raises:
        ConfigError: no such encoder, or one that cannot take images of this size.
    """
    build = _builder(config)
    try:
        body = build(in_channels, image_size)
        feature_dim = _feature_dim(body, in_channels, image_size)
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ConfigError(
            f"encoder {config.name} cannot take {in_channels}-channel images of {image_size} px: "
            f"{reason}"
        ) from error
    return Encoder(body, feature_dim).to(memory_format=torch.channels_last)


def _builder(config: EncoderConfig) -> Callable[[int, int], nn.Module]:
    """The function (channels, image size) -> network for the encoder's name."""
    if config.name == SMALL_RESNET:
        return lambda in_channels, _: small_resnet(config, in_channels)
    import timm

    family, _, model = config.name.partition("/")
    classifiers = torchvision.models.list_models(module=torchvision.models)
    if family == "torchvision" and model in classifiers:
        return partial(_torchvision_body, model)
    if family == "timm" and timm.is_model(model):
        return partial(_timm_body, model)
    known = [f"torchvision/{name}" for name in classifiers]
    known += [f"timm/{name}" for name in timm.list_models()]
    # A bare name is looked up as torchvision's: the library that most people mean by resnet18.
    wanted = config.name if "/" in config.name else f"torchvision/{config.name}"
    close = difflib.get_close_matches(config.name, [SMALL_RESNET], cutoff=0.8)
    close = close or difflib.get_close_matches(wanted, known)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise ConfigError(
        f"unknown encoder {config.name!r}: use {SMALL_RESNET}, torchvision/<classifier> or "
        f"timm/<model>{hint}"
    )


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


def _remove_classifier(body: nn.Module) -> None:
    """Replace the layer that gives class scores: the last Linear or Conv2d of the head."""
    head = next(name for name in ("fc", "classifier", "heads", "head") if hasattr(body, name))
    last = [
        name
        for name, module in body.named_modules()
        if name.split(".")[0] == head and isinstance(module, (nn.Linear, nn.Conv2d))
    ][-1]
    body.set_submodule(last, nn.Identity())


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


def _timm_body(model: str, in_channels: int, image_size: int) -> nn.Module:
    import timm

    settings = timm.models.get_pretrained_cfg(model)
    size: dict[str, Any] = {}
    if settings is not None and settings.fixed_input_size:
        size["img_size"] = image_size
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
