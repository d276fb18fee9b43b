"""What a distillation ends with: `distill.json`, beside the files of a classifier."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from augsearch.files import Written
from augsearch.finetuning.result import Loss, Part
from augsearch.tracking.tracker import in_points
from augsearch.words import percent

RESULT_FILE = "distill.json"


class Network(BaseModel):
    """One of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str = Field(description="by the name that its library has for it")
    networks: int = Field(description="that are asked")
    parameters: int = Field(description="numbers that were learnt, of all of them")
    accuracy: Part | None = Field(
        default=None,
        description="share of sealed pictures that is right: by the classifier, or by a linear one "
        "on the encoder's features with all labels of the pool; null without any",
    )


class Distilled(Written):
    """A small classifier or encoder beside its teacher. `.files` says where its files are."""

    schema_version: Literal[1] = Field(default=1, description="version of this file's form")
    name: str = Field(description="of its directory")
    learnt: Literal["answers", "features"] = Field(
        default="answers", description="of a classifier its answers, of an encoder its features"
    )
    taught_by: str = Field(description="the teacher's directory, or its network and settings")
    teacher: Network = Field(description="that was learnt from")
    student: Network = Field(description="that learnt")
    smaller: float = Field(description="parameters of the teacher, as a multiple of the student's")
    policy: str = Field(description="name of the policy that images were seen through")
    images: int = Field(description="of the pool, that were learnt from, without labels")
    apart: int = Field(
        default=0,
        description="of the pool, not learnt from: they find temperature and threshold; 0 for "
        "features",
    )
    steps: int = Field(description="optimiser steps")
    temperature: float | None = Field(
        default=None, description="by which both answers were softened; null for features"
    )
    alike: float | None = Field(
        default=None,
        description="share of the images set apart on which both guess alike; null for features or "
        "without such images",
    )
    calibration_error: float | None = Field(
        default=None,
        description="of the student on sealed pictures, at its temperature; null for features",
    )
    calibration_error_before: float | None = Field(
        default=None, description="the same without a temperature"
    )
    loss: Loss | None = Field(
        default=None,
        description="sealed pictures that only the teacher has right, less those that only the "
        "student has; null without sealed pictures",
    )
    loss_by_class: dict[str, Loss] = Field(default={}, description="over those of each class")
    identity: dict[str, str] = Field(description="digests that make it this distillation")
    seconds: float = Field(description="of training")

    @property
    def metrics(self) -> dict[str, float]:
        """What the run's row in MLflow shows."""
        metrics = {"smaller": self.smaller}
        if self.alike is not None:
            metrics["alike_percent"] = round(100 * self.alike, 2)
        for name, network in (("teacher", self.teacher), ("student", self.student)):
            metrics[f"{name}/parameters"] = network.parameters
            if network.accuracy is not None:
                metrics[f"{name}/accuracy_percent"] = round(100 * network.accuracy.value, 2)
        if self.loss is not None:
            metrics |= in_points({"loss": self.loss.value, "loss_high": self.loss.high})
        return metrics

    @property
    def description(self) -> str:
        """The run's page in MLflow, as Markdown."""
        begun = (
            f"{self.student.encoder}, {self.smaller:.1f} times smaller than "
            f"{self.teacher.encoder}, taught by {self.taught_by} on {self.images} images without "
            "labels."
        )
        if self.loss is None:
            return f"{begun} No sealed image says what it is worth."
        judged = "" if self.learnt == "answers" else ", under a linear classifier on its features"
        return (
            f"{begun} Of sealed pictures it loses {percent(self.loss.value)} points, at most "
            f"{percent(self.loss.high)}{judged}."
        )
