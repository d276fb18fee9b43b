"""The sections of a study file that say what verbs do; what rooms do is in their `config.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from augsearch.errors import ConfigError
from augsearch.space.view_options import Executor

FEWEST_SEEDS = 5
Aim = Literal["score", "worst_recall", "cost"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


SomeSection = TypeVar("SomeSection", bound=Section)


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

    parallel: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = Field(
        default="auto",
        description="trials of the search trained side by side; auto: one for each GPU, or as many "
        "as the cores carry, and then no more than two or an eighth of the trials. Another number "
        "is another search: what is under way is not known when the next point is chosen.",
    )

    gpu_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="with --engine ray: how much of a GPU a run takes; 0.25 puts four on each",
    )


def from_flags(section: type[SomeSection], content: Mapping[str, object]) -> SomeSection:
    """A section of which some keys were said on the command line, under their own names.

    Raises:
        ConfigError: which flag, and what is wrong with it.
    """
    try:
        return section.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        flag = f"--{str(first['loc'][0]).replace('_', '-')}"
        raise ConfigError(f"{flag}: {first['msg'].removeprefix('Value error, ')}") from None
