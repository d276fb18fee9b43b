"""The sections of a study file that say what verbs do; what rooms do is in their `config.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.space.view_options import Executor

FEWEST_SEEDS = 5
Aim = Literal["score", "worst_recall", "cost"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TpeConfig(Section):
    """Optuna's multivariate tree-structured Parzen estimator: what good trials have in common."""

    kind: Literal["tpe"] = "tpe"
    startup_trials: int = Field(
        default=8, ge=1, description="random trials before the model takes over"
    )


class GpConfig(Section):
    """Optuna's Gaussian process: a smooth model of the score, a second or so for each trial."""

    kind: Literal["gp"] = "gp"
    startup_trials: int = Field(
        default=8, ge=1, description="random trials before the model takes over"
    )


class RandomConfig(Section):
    """Independent random points."""

    kind: Literal["random"] = "random"


class SuccessiveHalvingConfig(Section):
    """Stop a trial at a rung unless it is among the best `1 / reduction_factor` so far."""

    kind: Literal["successive_halving"] = "successive_halving"
    first_rung: int = Field(
        default=600,
        ge=1,
        description="optimiser steps of the first rung; if left out, half of pretrain.steps",
    )
    reduction_factor: int = Field(
        default=2, ge=2, description="each rung has this many times the steps of the one before"
    )


class NoPrunerConfig(Section):
    """Every trial runs to its end."""

    kind: Literal["none"] = "none"


SamplerConfig = Annotated[TpeConfig | GpConfig | RandomConfig, Field(discriminator="kind")]
PrunerConfig = Annotated[SuccessiveHalvingConfig | NoPrunerConfig, Field(discriminator="kind")]


class SearchConfig(Section):
    """Which trials are run."""

    trials: int = Field(default=48, ge=1, description="trials to finish (complete or pruned)")
    sampler: SamplerConfig = Field(default=TpeConfig(), description="where to look next")
    pruner: PrunerConfig = Field(
        default=SuccessiveHalvingConfig(),
        description="which trials to stop early; if left out with two aims, none",
    )
    cost_weight: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="search score against cost: points of score that a millisecond more for the "
        "views of an image must bring, by the operations' measured costs; 0: the score alone",
    )
    aims: tuple[Aim, ...] = Field(
        default=("score",),
        description="what trials are compared by: the score, and beside it worst_recall (recall "
        "of the class that does worst) or cost (microseconds for the views of an image); with two "
        "aims the search looks for the Pareto front, without pruning",
    )
    class_loss: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="points of recall that no class may lose against the best baseline; policies "
        "that are shown to break it in the confirmation are not recommended",
    )

    @model_validator(mode="before")
    @classmethod
    def _kinds_as_by_default(cls, content: object) -> object:
        """A section that names no kind is of the kind that it would be if it were left out."""
        if not isinstance(content, dict):
            return content
        filled = dict(content)
        for name in ("sampler", "pruner"):
            section = content.get(name)
            if isinstance(section, dict) and "kind" not in section:
                filled[name] = {"kind": cls.model_fields[name].default.kind, **section}
        return filled

    @field_validator("aims")
    @classmethod
    def _score_first(cls, aims: tuple[Aim, ...]) -> tuple[Aim, ...]:
        if not aims or aims[0] != "score" or len(set(aims)) < len(aims):
            raise ValueError(
                f"{list(aims)}: begin with score, and name worst_recall or cost once beside it"
            )
        return aims

    @model_validator(mode="before")
    @classmethod
    def _two_aims_are_not_pruned(cls, content: object) -> object:
        aims = content.get("aims") if isinstance(content, dict) else None
        if isinstance(content, dict) and isinstance(aims, list | tuple) and len(aims) > 1:
            return {"pruner": NoPrunerConfig(), **content}
        return content

    @model_validator(mode="after")
    def _one_order_to_prune_by(self) -> SearchConfig:
        if len(self.aims) > 1 and not isinstance(self.pruner, NoPrunerConfig):
            raise ValueError(
                "aims: two of them leave no single order to prune by; write pruner: {kind: none}"
            )
        return self


class ConfirmConfig(Section):
    """The rerun of the winners and the best baselines that the verdict rests on: a race in which
    policies that are still in question get more seeds."""

    top: int = Field(default=2, ge=1, description="best trials to confirm")
    baselines: int = Field(default=2, ge=1, description="best baselines to confirm beside them")
    seeds: int = Field(
        default=5, ge=FEWEST_SEEDS, description="fresh seeds for each policy before the first look"
    )
    max_seeds: int = Field(
        default=15, ge=FEWEST_SEEDS, le=1000, description="most fresh seeds of any policy"
    )
    share: float = Field(
        default=0.4,
        gt=0,
        lt=1,
        description="most of the study's expected optimiser steps that the confirmation may take; "
        "the first `seeds` are run in any case",
    )
    steps: int = Field(
        default=1200,
        ge=1,
        description="optimiser steps of each rerun; if left out, those of a trial",
    )
    also: tuple[Literal["supervised"], ...] = Field(
        default=("supervised",),
        description="what else is tried on the sealed images, with the winner, the best baseline "
        "and no augmentation; supervised: the encoder trained with a few labels of each class "
        "instead, as many as a probe sees",
    )

    @field_validator("seeds", mode="before")
    @classmethod
    def _enough_seeds(cls, seeds: object) -> object:
        if isinstance(seeds, int) and seeds < FEWEST_SEEDS:
            raise ValueError(
                f"{seeds} are too few: at least five are needed, because an interval over fewer is "
                "so wide that it decides nothing"
            )
        return seeds

    @model_validator(mode="after")
    def _most_is_most(self) -> ConfirmConfig:
        if self.max_seeds < self.seeds:
            raise ValueError(f"max_seeds {self.max_seeds} is below seeds {self.seeds}; raise it")
        return self


class CertifyConfig(Section):
    """What `augsearch certify` reruns for longer, to see what short runs are worth."""

    top: int = Field(default=4, ge=0, description="best trials")
    random: int = Field(
        default=8,
        ge=0,
        description="trials drawn at random, also of those that were stopped early; baselines are "
        "always in",
    )
    budgets: tuple[int, ...] = Field(
        default=(2, 8),
        min_length=1,
        description="budgets, as multiples of pretrain.steps; the largest is the truth",
    )
    seeds: int = Field(
        default=2, ge=1, description="fresh seeds of the longest runs; others have one"
    )

    @field_validator("budgets")
    @classmethod
    def _longer_each(cls, budgets: tuple[int, ...]) -> tuple[int, ...]:
        if budgets[0] < 2 or sorted(set(budgets)) != list(budgets):
            raise ValueError(f"budgets {list(budgets)} must rise and begin at 2 or more")
        return budgets


class AblateConfig(Section):
    """What `augsearch ablate` trains, beyond what its flags say."""

    crop_scale_min: float = Field(
        default=0.08,
        ge=0.01,
        le=1,
        description="pairs, protocol simclr: smallest share of the area that the crop on both "
        "branches keeps; 1: no crop, so that the second branch sees the image itself",
    )
    strengths: tuple[float, ...] = Field(
        default=(0.0, 0.25, 0.5, 0.75, 1.0),
        min_length=2,
        description="strength: shares of the way from no effect to the bound of the space",
    )
    supervised: bool = Field(
        default=False,
        description="strength: also train the same encoder with the labels of a draw, under the "
        "same augmentation; what helps SimCLR may hurt supervised training",
    )

    @field_validator("strengths")
    @classmethod
    def _from_none(cls, strengths: tuple[float, ...]) -> tuple[float, ...]:
        if strengths[0] != 0 or strengths[-1] > 1 or sorted(set(strengths)) != list(strengths):
            raise ValueError(f"{list(strengths)} must begin with 0 and rise, at most to 1")
        return strengths


class FullConfig(Section):
    """What `augsearch pretrain` does beyond the section `pretrain`, whose settings it takes."""

    steps: int | None = Field(
        default=None,
        ge=1,
        description="optimiser steps of the full pretraining; if left out, ten times "
        "pretrain.steps",
    )
    probe_every: int | None = Field(
        default=None,
        ge=1,
        description="steps between looks at validation images, by a few-label probe and nearest "
        "neighbours; if left out, a twentieth of the steps",
    )
    checkpoint_every: int | None = Field(
        default=None,
        ge=1,
        description="steps between checkpoints; if left out, as between probes",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="probes in a row without a gain after which the training stops early and the "
        "encoder of the best probe is taken; if left out, it goes on to the end",
    )


class FinetuneConfig(Section):
    """How `augsearch finetune` makes a classifier of an encoder."""

    labels: int | str = Field(
        default="all",
        description="labelled images of the pool that are learnt from: a number for each class, a "
        "share such as 10% (as many of each class as that is on average), or all",
    )
    mode: Literal["whole", "linear"] = Field(
        default="whole", description="whole: the encoder learns as well; linear: it stays as it is"
    )
    steps: int = Field(default=300, ge=1, description="optimiser steps of each network")
    batch_size: int = Field(default=64, ge=2, description="images a step; each gives two views")
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="peak learning rate; if left out, 0.001 for an encoder that starts from "
        "weights and 0.002 for one from nothing",
    )
    layer_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="learning rate of each part of the encoder, as a share of that of the part "
        "after it",
    )
    weight_decay: float = Field(default=1e-4, ge=0, description="on weights only")
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of a label that goes to all classes alike"
    )
    balance: Literal["weights", "sampling", "none"] = Field(
        default="weights",
        description="rare classes: counted by the inverse of their images, drawn as often as "
        "others, or left as they are",
    )
    seeds: int = Field(default=3, ge=1, description="networks that are trained with all labels")
    folds: int = Field(
        default=3,
        ge=2,
        description="parts of the labelled images; for each, networks are trained without it, "
        "which say what others would and calibrate the probabilities",
    )
    combine: Literal["auto", "single", "soup", "ensemble"] = Field(
        default="auto",
        description="single: the first seed's network; soup: the mean of the seeds' weights; "
        "ensemble: the mean of their probabilities; auto: what pays on held-out folds",
    )
    good: str | None = Field(
        default=None,
        description="the class without a defect; with it a threshold is found for miss_rate",
    )
    miss_rate: float = Field(
        default=0.02, gt=0, lt=1, description="share of defects that may be called good"
    )

    @field_validator("labels")
    @classmethod
    def _a_number_a_share_or_all(cls, labels: int | str) -> int | str:
        text = str(labels).strip()
        share = text.removesuffix("%").strip()
        if text == "all" or (text.isdecimal() and int(text) > 0):
            return "all" if text == "all" else int(text)
        try:
            if text.endswith("%") and 0 < float(share) <= 100:
                return f"{float(share):g}%"
        except ValueError:
            pass
        raise ValueError(f"{labels!r}: want a number for each class, a share such as 10%, or all")


class PilotConfig(Section):
    """What `augsearch pilot` compares, and what labels and hours cost."""

    labels: tuple[int, ...] = Field(
        default=(5, 10, 20, 50),
        min_length=1,
        description="labels of each class at which everything is compared, as far as there are "
        "labels",
    )
    seeds: int = Field(
        default=3,
        ge=2,
        description="times that everything is done anew: labels drawn, encoders pretrained, "
        "classifiers trained",
    )
    baseline: str | None = Field(
        default=None,
        description="the published policy beside the found one; if left out, the best of the "
        "study's, or SimCLR s=0.5",
    )
    weights: EncoderConfig | None = Field(
        default=None,
        description="an encoder with weights, if the study begins from nothing: what the team "
        "would take without pretraining; its `weights` may be pretrained or a file",
    )
    weights_image_size: int | None = Field(
        default=None,
        ge=8,
        le=1024,
        description="side in pixels of the images that encoders with weights see; if left out, "
        "that of the study",
    )
    label_seconds: float = Field(
        default=5.0, gt=0, allow_inf_nan=False, description="seconds that a label takes a person"
    )
    label_rate: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="money for an hour of labelling"
    )
    machine_rate: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="money for an hour of this machine"
    )
    currency: str = Field(default="", description="of the rates, for people")

    @field_validator("labels")
    @classmethod
    def _rising(cls, labels: tuple[int, ...]) -> tuple[int, ...]:
        if labels[0] < 1 or sorted(set(labels)) != list(labels):
            raise ValueError(f"{list(labels)}: must rise, and begin at 1 or more")
        return labels

    @field_validator("weights")
    @classmethod
    def _with_weights(cls, weights: EncoderConfig | None) -> EncoderConfig | None:
        if weights is not None and not weights.is_pretrained:
            raise ValueError("names no weights; add `weights: pretrained`, or a file of weights")
        return weights


class ComputeConfig(Section):
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
