"""How to search: the study file as objects. Each room's part is that room's own model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from augsearch.augment.config import Executor
from augsearch.data.config import DataConfig
from augsearch.evaluate.config import EvaluateConfig
from augsearch.simclr.config import EncoderConfig, PretrainConfig
from augsearch.space.yaml_file import load_model


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TpeConfig(_Config):
    """Optuna's multivariate tree-structured Parzen estimator."""

    kind: Literal["tpe"] = "tpe"
    startup_trials: int = Field(
        default=8, ge=1, description="random trials before the model takes over"
    )


class RandomConfig(_Config):
    """Independent random points."""

    kind: Literal["random"] = "random"


class SuccessiveHalvingConfig(_Config):
    """Stop a trial at a rung unless it is among the best `1 / reduction_factor` so far."""

    kind: Literal["successive_halving"] = "successive_halving"
    first_rung: int = Field(default=100, ge=1, description="optimiser steps of the first rung")
    reduction_factor: int = Field(
        default=2, ge=2, description="each rung has this many times the steps of the one before"
    )


class NoPrunerConfig(_Config):
    """Every trial runs to its end."""

    kind: Literal["none"] = "none"


SamplerConfig = Annotated[TpeConfig | RandomConfig, Field(discriminator="kind")]
PrunerConfig = Annotated[SuccessiveHalvingConfig | NoPrunerConfig, Field(discriminator="kind")]


class SearchConfig(_Config):
    """Which trials are run."""

    trials: int = Field(default=24, ge=1, description="trials to finish (complete or pruned)")
    sampler: SamplerConfig = Field(default=TpeConfig(), description="where to look next")
    pruner: PrunerConfig = Field(
        default=SuccessiveHalvingConfig(), description="which trials to stop early"
    )
    cost_weight: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="search score against cost: points of score that a millisecond more for the "
        "views of an image must bring, by the operations' measured costs; 0: the score alone",
    )


class ConfirmConfig(_Config):
    """The rerun of the winners and the best baselines that the verdict rests on."""

    top: int = Field(default=2, ge=1, description="best trials to confirm")
    baselines: int = Field(default=2, ge=1, description="best baselines to confirm beside them")
    seeds: int = Field(default=5, ge=3, description="fresh seeds for each policy")
    steps: int = Field(default=300, ge=1, description="optimiser steps of each rerun")


class ComputeConfig(_Config):
    """How views and encoder are computed; a score depends on it in its last digits."""

    executor: Executor = Field(
        default="auto",
        description="who makes the views: kornia (the reference, operation by operation), fused "
        "(few passes, refuses operations that it does not know) or auto (fused, and kornia for "
        "those)",
    )

    threads: int = Field(
        default=1,
        ge=1,
        description="CPU threads of a training run; runs that do not depend on each other share "
        "the cores. More than 1 pays for large encoders only.",
    )


class StudyConfig(_Config):
    """A study file."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(default="study", description="a name for people")
    data: DataConfig = Field(default=DataConfig(), description="how images are decoded")
    encoder: EncoderConfig = Field(default=EncoderConfig(), description="what is pretrained")
    pretrain: PretrainConfig = Field(default=PretrainConfig(), description="one trial's training")
    evaluate: EvaluateConfig = Field(default=EvaluateConfig(), description="how it is scored")
    search: SearchConfig = Field(default=SearchConfig(), description="which trials are run")
    confirm: ConfirmConfig = Field(default=ConfirmConfig(), description="the rerun of the best")
    compute: ComputeConfig = Field(default=ComputeConfig(), description="how a CPU is used")

    @model_validator(mode="after")
    def _budgets_fit(self) -> StudyConfig:
        pruner = self.search.pruner
        if isinstance(pruner, SuccessiveHalvingConfig) and pruner.first_rung >= self.pretrain.steps:
            raise ValueError(
                f"search.pruner.first_rung {pruner.first_rung} is not below pretrain.steps "
                f"{self.pretrain.steps}; lower it, or set the pruner's kind to none"
            )
        if self.confirm.steps < self.pretrain.steps:
            raise ValueError(
                f"confirm.steps {self.confirm.steps} is below pretrain.steps "
                f"{self.pretrain.steps}; a confirmation needs at least a trial's budget"
            )
        return self

    @property
    def rungs(self) -> tuple[int, ...]:
        """Steps at which a trial is probed and may be pruned, before its end."""
        pruner = self.search.pruner
        if isinstance(pruner, NoPrunerConfig):
            return (self.pretrain.steps // 2,) if self.pretrain.steps > 1 else ()
        rungs, step = [], pruner.first_rung
        while step < self.pretrain.steps:
            rungs.append(step)
            step *= pruner.reduction_factor
        return tuple(rungs)

    @property
    def digest(self) -> str:
        """Twelve hex digits over everything but the name and the number of trials."""
        content = self.model_dump(mode="json", exclude={"name": True, "search": {"trials"}})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def load_study_config(path: Path) -> StudyConfig:
    """Read a study file; ConfigError names file, line and key of what is wrong."""
    return load_model(StudyConfig, path)
