"""How an encoder is scored: the `evaluate` section of a study."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MetricName = Literal["balanced_accuracy", "accuracy", "macro_f1", "auroc", "average_precision"]
ScoreName = Literal["probe", "rankme", "lidar", "rotation", "alignment_uniformity", "alpha_req"]


class EvaluateConfig(BaseModel):
    """Linear probe and nearest neighbours on frozen features of clean images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: ScoreName = Field(
        default="probe",
        description="What the search optimises: the few-label probe, or a label-free stand-in for "
        "it where there are no labels (docs/label_free.md).",
    )
    metric: MetricName = Field(
        default="balanced_accuracy", description="What every score of a probe is, in [0, 1]."
    )
    labels_per_class: int = Field(
        default=10, ge=1, description="Labelled images of a class that a few-label probe sees."
    )
    draws: int = Field(
        default=20, ge=10, le=1000, description="Label draws that a score is the mean of."
    )
    c: float = Field(
        default=1.0, gt=0, description="Inverse L2 regularisation of the probe (scikit-learn's C)."
    )
    neighbours: int = Field(default=10, ge=1, description="k of the nearest-neighbour score.")

    @property
    def label_free(self) -> bool:
        """Whether the search goes by a score that needs no label."""
        return self.score != "probe"

    @property
    def measured(self) -> str:
        """The name of what a trial's score is."""
        return self.score if self.label_free else self.metric
