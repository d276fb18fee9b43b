"""Encoders of every family take grey and colour images; names that do not exist are refused."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from augsearch.errors import ConfigError
from augsearch.simclr.encoders.build import build_encoder
from augsearch.simclr.encoders.config import EncoderConfig


def features_of(config: EncoderConfig, channels: int, size: int) -> torch.Tensor:
    encoder = build_encoder(config, channels, size)
    features = encoder(torch.rand(2, channels, size, size))
    assert features.shape == (2, encoder.feature_dim)
    return features


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("stem", ["conv", "stride2", "patch4"])
def test_small_resnet_doubles_its_width_per_stage(stem: str, channels: int) -> None:
    config = EncoderConfig.model_validate({"width": 8, "stages": 3, "stem": stem})
    assert features_of(config, channels, 32).shape == (2, 32)


def test_stems_divide_the_cost() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    cost = {}
    for stem in ("conv", "stride2", "patch4"):
        encoder = build_encoder(EncoderConfig.model_validate({"stem": stem}), 3, 32)
        with FlopCounterMode(display=False) as counter:
            encoder(torch.rand(1, 3, 32, 32).repeat(2, 1, 1, 1))
        cost[stem] = counter.get_total_flops()
    assert 3.5 < cost["conv"] / cost["stride2"] < 4.5
    assert cost["patch4"] < cost["stride2"] / 3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("model", "dim"),
    [
        ("resnet18", 512),
        ("mobilenet_v3_small", 1024),
        ("squeezenet1_1", 512),
        ("shufflenet_v2_x0_5", 1024),
    ],
)
def test_torchvision_classifier_loses_its_head(model: str, dim: int, channels: int) -> None:
    encoder = build_encoder(EncoderConfig(name=f"torchvision/{model}"), channels, 64)
    assert encoder.feature_dim == dim
    assert encoder(torch.rand(2, channels, 64, 64)).shape == (2, dim)


@pytest.mark.parametrize(("model", "size"), [("test_resnet", 32), ("test_vit", 48)])
@pytest.mark.parametrize("channels", [1, 3])
def test_timm_model_of_any_image_size(model: str, size: int, channels: int) -> None:
    features_of(EncoderConfig(name=f"timm/{model}"), channels, size)


def test_weights_fit_the_library_that_the_encoder_comes_from() -> None:
    import torchvision

    encoder = build_encoder(EncoderConfig(name="torchvision/resnet18"), 3, 32)
    original = torchvision.models.resnet18(weights=None)
    missing = original.load_state_dict(encoder.body.state_dict(), strict=False)
    assert missing.missing_keys == ["fc.weight", "fc.bias"]
    assert not missing.unexpected_keys


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("small_resent", "small_resnet"),
        ("resnet18", "torchvision/resnet18"),
        ("torchvision/resnet_18", "torchvision/resnet18"),
        ("timm/convnext_atom", "timm/convnext_atto"),
    ],
)
def test_unknown_encoder_names_its_neighbours(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_encoder(EncoderConfig(name=name), 3, 32)
    assert repr(name) in str(caught.value)
    assert hint in str(caught.value).split("did you mean")[1]


def test_image_too_small_for_the_encoder_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"torchvision/alexnet cannot take 3-channel .* 16 px"):
        build_encoder(EncoderConfig(name="torchvision/alexnet"), 3, 16)


def test_shape_of_the_small_resnet_is_refused_elsewhere() -> None:
    with pytest.raises(ValidationError, match="width shapes small_resnet only"):
        EncoderConfig(name="torchvision/resnet18", width=32)
