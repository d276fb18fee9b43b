"""The networks that can learn from a larger one."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from torch import nn

from augsearch.distilling.request import DistillRequest
from augsearch.errors import ConfigError
from augsearch.simclr.encoders.build import close_models, is_model
from augsearch.simclr.encoders.config import (
    SCRATCH,
    SMALL_RESNET,
    WEIGHT_FILES,
    EncoderConfig,
)

STUDENTS = {
    "tiny": EncoderConfig(name=SMALL_RESNET, width=16, stages=3),
    "small": EncoderConfig(name=SMALL_RESNET, width=24, stages=4),
}


def student_of(request: DistillRequest) -> EncoderConfig:
    """The network that `--student` and `--weights` say.

    Raises:
        ConfigError: there is none.
    """
    weights = SCRATCH if request.weights is None else str(request.weights)
    known = STUDENTS.get(request.student)
    if known is not None:
        if request.weights is not None:
            raise ConfigError(
                f"--weights: {request.student} begins from nothing; name a network of timm or "
                "torchvision with --student"
            )
        return known
    if not is_model(request.student):
        raise ConfigError(
            f"--student {request.student}: unknown; want {', '.join(STUDENTS)}, timm/<model> or "
            f"torchvision/<classifier>{close_models(request.student)}"
        )
    if request.weights not in (None, "pretrained") and not Path(weights).is_file():
        raise ConfigError(f"--weights {weights}: there is no such file")
    try:
        return EncoderConfig(name=request.student, weights=weights)
    except ValidationError:
        raise ConfigError(
            f"--weights {weights}: want pretrained or a file ({', '.join(WEIGHT_FILES)})"
        ) from None


def count(network: nn.Module) -> int:
    """Numbers that a network learns."""
    return sum(parameter.numel() for parameter in network.parameters())
