"""The sections of a study file about models: full pretraining, fine-tuning, pilot."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from augsearch.simclr.encoders.config import EncoderConfig
from augsearch.study_sections import Section


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
    threshold_share: float = Field(
        default=0.33,
        gt=0,
        le=0.5,
        description="share of the labelled images that finds the threshold and is not learnt from",
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
