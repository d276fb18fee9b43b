"""ViT-S/16 (Touvron et al. 2021, table 1), for which torchvision has the class but no name."""

from __future__ import annotations

from typing import Any

import torchvision
from torchvision.models._api import register_model
from torchvision.models.vision_transformer import VisionTransformer

VIT_SMALL = "torchvision/vit_s_16"


def vit_s_16(*, weights: None = None, **options: Any) -> VisionTransformer:
    """21.7 million weights without the classifier; `options` as of the class."""
    del weights  # torchvision's builders take it
    return VisionTransformer(
        patch_size=16, num_layers=12, num_heads=6, hidden_dim=384, mlp_dim=1536, **options
    )


vit_s_16.__module__ = VisionTransformer.__module__  # where torchvision looks for its classifiers
if "vit_s_16" not in torchvision.models.list_models():
    register_model()(vit_s_16)
