"""What a user may set about pretraining, checked on reading."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from augsearch.space.yaml_file import without_defaults

SMALLEST_CHUNK = 4
"""Images; with fewer, batch norm's statistics mean nothing."""
LATER = ("layer_decay", "learning_rate_scaling", "projection_layers")
PAPERS_BATCH = 256
"""Images a step to which a learning rate that grows in proportion to the batch refers."""


class PretrainConfig(BaseModel):
    """How an encoder is pretrained; the budget is counted in optimiser steps."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    steps: int = Field(default=1200, ge=1, description="optimiser steps: the budget of a trial")
    batch_size: int = Field(default=64, ge=2, description="images a step; each gives two views")
    optimizer: Literal["adamw", "sgd", "lars"] = Field(
        default="adamw",
        description="adamw, sgd with Nesterov momentum 0.9, or lars with momentum 0.9, which the "
        "paper takes for batches of a thousand images and more",
    )
    learning_rate: float = Field(
        default=0.002,
        gt=0,
        description="peak learning rate, reached after the warm-up; if left out, 0.001 for an "
        "encoder that starts from weights",
    )
    learning_rate_scaling: Literal["none", "linear", "sqrt"] = Field(
        default="none",
        description="whether the peak rate grows with the batch: linear is learning_rate times "
        "batch_size / 256, sqrt is learning_rate times the root of batch_size; the paper has 0.3 "
        "for the one and 0.075 for the other, with lars",
    )
    weight_decay: float = Field(
        default=1e-4, ge=0, description="on weights only, never on biases and norms"
    )
    layer_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="learning rate of each part of the encoder, as a share of that of the part "
        "after it; below 1 the first parts of pretrained weights change less",
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
    projection_layers: Literal[2, 3] = Field(
        default=2, description="linear layers of the projection head, batch norm between them"
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

    @property
    def peak_learning_rate(self) -> float:
        """The highest rate, for the configured batch.

        Source: Chen et al. 2020 (arXiv 2002.05709), section 2.2 and appendix B.1.
        """
        factor = {
            "none": 1.0,
            "linear": self.batch_size / PAPERS_BATCH,
            "sqrt": math.sqrt(self.batch_size),
        }
        return self.learning_rate * factor[self.learning_rate_scaling]

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_defaults(self, dump(self), LATER)
