"""What a user may set about the encoder and its pretraining, checked on reading."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SMALL_RESNET = "small_resnet"
SMALLEST_CHUNK = 4
"""Images; with fewer, batch norm's statistics mean nothing."""


class EncoderConfig(BaseModel):
    """Which network turns an image into features `h`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        default=SMALL_RESNET,
        description="small_resnet, torchvision/<classifier> or timm/<model>; never pretrained",
    )
    width: int = Field(
        default=16, ge=4, le=512, description="small_resnet: channels of the first stage"
    )
    stages: int = Field(
        default=3,
        ge=1,
        le=5,
        description="small_resnet: residual blocks, each after the first at half the resolution "
        "and twice the channels",
    )
    stem: Literal["conv", "stride2", "patch4"] = Field(
        default="stride2",
        description="small_resnet: first convolution, 3x3 stride 1 (conv), 3x3 stride 2 (stride2, "
        "about a quarter of the cost) or 4x4 stride 4 (patch4, cheapest)",
    )

    @model_validator(mode="after")
    def _shape_belongs_to_small_resnet(self) -> Self:
        if self.name == SMALL_RESNET:
            return self
        for field in ("width", "stages", "stem"):
            if getattr(self, field) != type(self).model_fields[field].default:
                raise ValueError(
                    f"{field} shapes {SMALL_RESNET} only; leave it out for {self.name}"
                )
        return self


class PretrainConfig(BaseModel):
    """How an encoder is pretrained; the budget is counted in optimiser steps."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    steps: int = Field(default=1200, ge=1, description="optimiser steps: the budget of a trial")
    batch_size: int = Field(default=64, ge=2, description="images a step; each gives two views")
    optimizer: Literal["adamw", "sgd"] = Field(
        default="adamw", description="adamw, or sgd with Nesterov momentum 0.9"
    )
    learning_rate: float = Field(
        default=0.002, gt=0, description="peak learning rate, reached after the warm-up"
    )
    weight_decay: float = Field(
        default=1e-4, ge=0, description="on weights only, never on biases and norms"
    )
    warmup_fraction: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="share of the steps with a linearly rising rate; a cosine to zero follows",
    )
    temperature: float = Field(
        default=0.2, gt=0, description="of NT-Xent: divides the cosine similarities"
    )
    projection_hidden: int = Field(
        default=128, ge=1, description="hidden width of the projection head"
    )
    projection_dim: int = Field(default=64, ge=2, description="output width of the projection head")
    batch_norm: Literal["joint", "separate"] = Field(
        default="joint",
        description="what batch norm takes its statistics over: both views of a batch together "
        "(joint, one forward pass) or each view for itself (separate, two passes)",
    )
    chunk_size: int | None = Field(
        default=None,
        ge=SMALLEST_CHUNK,
        description="images in the encoder at a time, to save memory for about a third more time; "
        "the loss still compares the whole batch, batch norm sees a chunk. Unset: the whole "
        "batch, or what fits if a CUDA device runs out of memory",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="numbers that the encoder and the head multiply while they are trained; auto "
        "is bfloat16 where the device multiplies it itself (CUDA, CPUs with AMX or AVX-512 BF16) "
        "and float32 elsewhere. Views, loss, weights and features have 32 bits always",
    )
    compile: bool = Field(
        default=False,
        description="compile the encoder and the colour arithmetic of the views (needs Triton on "
        "CUDA, a C++ compiler on a CPU): 10 to 45 seconds each, once for all trials, faster steps "
        "afterwards; scores differ slightly from uncompiled ones",
    )
