"""Where a network's classifier stands in its library."""

from __future__ import annotations

import torchvision
from torch import nn

from augsearch.simclr.encoders.build import last_of_head, split_name
from augsearch.simclr.encoders.config import EncoderConfig

OWN = "classifier"


def classifier_name(config: EncoderConfig, channels: int, image_size: int) -> str:
    """The name of the layer that gives class scores, such as `fc` or `head.fc`; `classifier` for
    networks that are of no library."""
    family, model = split_name(config)
    if family == "torchvision":
        body: nn.Module = torchvision.models.get_model_builder(model)(weights=None)
        return last_of_head(body)
    if family == "timm":
        import timm

        settings = timm.models.get_pretrained_cfg(model)
        if settings is not None and isinstance(settings.classifier, str):
            return str(settings.classifier)
    del channels, image_size
    return OWN
