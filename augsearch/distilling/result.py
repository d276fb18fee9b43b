"""What a distillation ends with: `distill.json`, beside the files of a classifier."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from augsearch.files import Written
from augsearch.finetuning.result import Loss, Part

RESULT_FILE = "distill.json"


class Network(BaseModel):
    """One of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str = Field(description="by the name that its library has for it")
    networks: int = Field(description="that are asked")
    parameters: int = Field(description="numbers that were learnt, of all of them")
    accuracy: Part | None = Field(
        default=None, description="share of sealed pictures that is right; null without any"
    )


class Distilled(Written):
    """A small classifier beside its teacher. `.files` says where its files are."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(description="of its directory")
    taught_by: str = Field(description="the teacher's directory")
    teacher: Network = Field(description="that was learnt from")
    student: Network = Field(description="that learnt")
    smaller: float = Field(description="parameters of the teacher, as a multiple of the student's")
    policy: str = Field(description="name of the policy that images were seen through")
    images: int = Field(description="of the pool, all that were learnt from, without labels")
    steps: int = Field(description="optimiser steps")
    temperature: float = Field(description="by which both answers were softened")
    alike: float = Field(description="share of images of the pool on which both guess alike")
    loss: Loss | None = Field(
        default=None,
        description="sealed pictures that only the teacher has right, less those that only the "
        "student has; null without sealed pictures",
    )
    loss_by_class: dict[str, Loss] = Field(default={}, description="over those of each class")
    identity: dict[str, str] = Field(description="digests that make it this distillation")
    seconds: float = Field(description="of training")
