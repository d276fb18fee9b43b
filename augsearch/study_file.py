"""How to search: the study file as objects. Each room's part is that room's own model."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from augsearch.augment.baselines import BASELINES
from augsearch.data.config import DataConfig
from augsearch.evaluate.config import EvaluateConfig
from augsearch.model_sections import FinetuneConfig, FullConfig, PilotConfig
from augsearch.simclr.config import PretrainConfig
from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.space.presets import find_config
from augsearch.space.yaml_file import load_model
from augsearch.study_sections import (
    AblateConfig,
    CertifyConfig,
    ComputeConfig,
    ConfirmConfig,
    NoPrunerConfig,
    SearchConfig,
    Section,
    SuccessiveHalvingConfig,
)

RATE_FROM_WEIGHTS = 0.001
"""Peak learning rate for an encoder that starts from weights."""


class StudyConfig(Section):
    """A study file. What it leaves out is as in the preset `standard`."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(default="study", description="a name for people")
    data: DataConfig = Field(default=DataConfig(), description="how images are decoded")
    encoder: EncoderConfig = Field(default=EncoderConfig(), description="what is pretrained")
    pretrain: PretrainConfig = Field(default=PretrainConfig(), description="one trial's training")
    evaluate: EvaluateConfig = Field(default=EvaluateConfig(), description="how it is scored")
    search: SearchConfig = Field(default=SearchConfig(), description="which trials are run")
    confirm: ConfirmConfig = Field(default=ConfirmConfig(), description="the rerun of the best")
    certify: CertifyConfig = Field(default=CertifyConfig(), description="the rerun at length")
    ablate: AblateConfig = Field(default=AblateConfig(), description="the ablations")
    full: FullConfig = Field(default=FullConfig(), description="the full pretraining")
    finetune: FinetuneConfig = Field(default=FinetuneConfig(), description="the classifier")
    pilot: PilotConfig = Field(default=PilotConfig(), description="what all of it was worth")
    compute: ComputeConfig = Field(default=ComputeConfig(), description="how a CPU is used")

    @model_validator(mode="after")
    def _lengths_follow_a_trial(self) -> StudyConfig:
        """A rerun as long as a trial and the first rung at half of one, where none is set."""
        steps, search, pruner = self.pretrain.steps, self.search, self.search.pruner
        if "steps" not in self.confirm.model_fields_set:
            confirm = self.confirm.model_copy(update={"steps": steps})
            object.__setattr__(self, "confirm", confirm)
        if (
            isinstance(pruner, SuccessiveHalvingConfig)
            and "first_rung" not in pruner.model_fields_set
            and steps > 1
        ):
            halfway = pruner.model_copy(update={"first_rung": steps // 2})
            object.__setattr__(self, "search", search.model_copy(update={"pruner": halfway}))
        return self

    @model_validator(mode="after")
    def _gentler_from_weights(self) -> StudyConfig:
        """The learning rate of pretrained weights, where none is set; see docs/starts.md."""
        if self.encoder.is_pretrained and "learning_rate" not in self.pretrain.model_fields_set:
            pretrain = self.pretrain.model_copy(update={"learning_rate": RATE_FROM_WEIGHTS})
            object.__setattr__(self, "pretrain", pretrain)
        return self

    @model_validator(mode="after")
    def _classes_need_labels(self) -> StudyConfig:
        asks = self.search.class_loss is not None or "worst_recall" in self.search.aims
        if asks and self.evaluate.label_free:
            raise ValueError(
                "search.class_loss and the aim worst_recall look at classes, which "
                f"evaluate.score: {self.evaluate.score} has none of; use evaluate.score: probe"
            )
        return self

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
    def search_steps(self) -> int:
        """Optimiser steps that baselines and trials are expected to take.

        Of the trials that reach a rung, `1 / reduction_factor` are expected to go on.
        """
        pruner, whole = self.search.pruner, self.pretrain.steps
        trial = float(whole)
        if isinstance(pruner, SuccessiveHalvingConfig):
            stages = pairwise((0, *self.rungs, whole))
            parts = enumerate(end - begin for begin, end in stages)
            trial = sum(part / pruner.reduction_factor**number for number, part in parts)
        return round(self.search.trials * trial) + len(BASELINES) * whole

    @property
    def confirm_runs(self) -> int:
        """Confirmation runs that `confirm.share` of all expected optimiser steps pays for."""
        share = self.confirm.share
        return int(share / (1 - share) * self.search_steps / self.confirm.steps)

    @property
    def digest(self) -> str:
        """Twelve hex digits over everything but the name and the number of trials."""
        content = json.dumps(self.deciding(), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def deciding(self) -> dict[str, Any]:
        """What decides what a study finds: all but the name, the number of trials and how many
        of them run at once, what is tried beside the confirmation and what other verbs do."""
        content = self.model_dump(
            mode="json",
            exclude={
                **{"name": True, "certify": True, "ablate": True},
                **{"full": True, "finetune": True, "pilot": True},
                **{"search": {"trials"}, "confirm": {"also"}, "compute": {"parallel", "gpu_share"}},
            },
        )
        return content | {"encoder": self.encoder.deciding()}

    def deciding_run(self) -> dict[str, Any]:
        """The part of it that decides the score of a single run."""
        content = self.deciding()
        return {key: content[key] for key in ("data", "encoder", "pretrain", "evaluate", "compute")}


def load_study_config(path: str | Path) -> StudyConfig:
    """Read a study file, or a preset by its name.

    Raises:
        ConfigError: there is no such file or preset, or file, line and key of what is wrong.
    """
    return load_model(StudyConfig, find_config(path, "studies"))
